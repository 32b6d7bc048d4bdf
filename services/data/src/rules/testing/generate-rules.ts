import { generateFilter } from '../../conditions/testing/generate.ts';
import type { Random } from '../../conditions/testing/random.ts';
import { parseRule } from '../parse-rules.ts';
import { generateArea } from './generate-spots.ts';

type Json = Readonly<Record<string, unknown>>;

/** So far from now that it is the same side of it however long a test takes. */
export const times = ['2001-01-01T00:00:00.000Z', '2101-01-01T00:00:00.000Z'];

/** The parts of rules that look at what no twin has otherwise, and at the author. */
const plain: readonly Json[] = [
  { owner: { $auth: 'sub' } },
  { createdBy: { $auth: 'sub' } },
  { team: { $auth: 'org' } },
  { role: { $in: { $auth: 'roles' } } },
  { status: 'open' },
  { status: { $ne: 'closed' } },
  { owner: { $exists: false } },
  { due: { $lt: { $now: true } } },
  { due: { $gte: { $now: '-1h' } } },
  { team: { $nin: [{ $auth: 'org' }, null] } },
  { owner: { $not: { $eq: { $auth: 'sub' } } } },
];

/** A filter without the time: it may be asked at another one by another way. */
export function generateTimeless(random: Random, depth: number): Json {
  const filter = generateFilter(random, depth);
  return JSON.stringify(filter).includes('$now') ? { status: 'open' } : filter;
}

/** What else a rule may have. */
interface RuleOptions {
  /** Parts that follow references, as a rule of a collection may, and one of a field may not. */
  readonly follows?: readonly Json[];
  /** A filter of its own. */
  readonly mayAsk?: (random: Random) => Json;
}

function generatePart(random: Random, { follows = [], mayAsk = (own) => generateTimeless(own, 1) }: RuleOptions): Json {
  if (random.chance(25)) return mayAsk(random);
  if (random.chance(20)) return generateArea(random, 'at');
  return follows.length > 0 && random.chance(25) ? random.pick(follows) : random.pick(plain);
}

function generateAlternative(random: Random, options: RuleOptions): Json {
  const part = (): Json => generatePart(random, options);
  if (random.chance(60)) return part();
  return { [random.pick(['$and', '$or', '$nor'])]: [part(), part()] };
}

/** @returns undefined where administrators alone may */
export function generateRule(random: Random, options: RuleOptions = {}): unknown {
  if (random.chance(8)) return undefined;
  if (random.chance(20)) return random.pick(['public', 'signed-in', 'signed-in']);
  const rule = Array.from({ length: random.below(3) + 1 }, () => generateAlternative(random, options));
  return parseRule(rule, { pointer: '', follow: options.follows !== undefined }).ok ? rule : 'signed-in';
}
