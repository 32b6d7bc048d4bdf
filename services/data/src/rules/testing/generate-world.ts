import { generateFilter, generateValue } from '../../conditions/testing/generate.ts';
import type { Random } from '../../conditions/testing/random.ts';
import { parseRule } from '../parse-rules.ts';

/** Who records are of; in a generated world `@ada` stands for her id. */
export const authors = ['ada', 'bob', 'eve'] as const;

type Json = Readonly<Record<string, unknown>>;

/** A record as it was sent, and by whom. */
export interface GeneratedEntry {
  readonly by: string;
  readonly fields: Json;
}

/** A collection with rules of all kinds, and what is in it; all of it JSON, so that it can be printed and made smaller. */
export interface GeneratedWorld {
  readonly rules: Json;
  /** Of the definition. */
  readonly fields: Json;
  readonly records: readonly GeneratedEntry[];
}

const scalar = (type: string): Json => ({ type: [type, 'null'] });

/** Takes nearly everything: what a rule finds where it looks for something else is what goes wrong. */
export const worldSchema = {
  properties: {
    key: { type: 'string' },
    owner: scalar('string'),
    status: scalar('string'),
    team: true,
    role: true,
    due: true,
    a: true,
    n: scalar('number'),
    s: scalar('string'),
    list: true,
    b: { type: 'object', properties: { a: true, c: true } },
    d: { type: 'object', properties: { b: { type: 'object', properties: { a: true } } } },
  },
};

/** Of those, what no generated rule looks at but by a filter of its own. */
export const lookedAtByNone = ['a', 'n', 's', 'list', 'b.a', 'b.c', 'b', 'd.b', 'd.b.a'];

const lookedAt = ['owner', 'status', 'team', 'role', 'due'];

/** So far from now that it is the same side of it however long a test takes. */
const times = ['2001-01-01T00:00:00.000Z', '2101-01-01T00:00:00.000Z'];

/** The parts of rules that look at {@link lookedAt} and the author alone. */
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

const generateAlternative = (random: Random, mayAsk: (random: Random) => Json): Json => {
  const part = (): Json => (random.chance(75) ? random.pick(plain) : mayAsk(random));
  if (random.chance(60)) return part();
  return { [random.pick(['$and', '$or', '$nor'])]: [part(), part()] };
};

/** @returns undefined where administrators alone may */
export function generateRule(random: Random, mayAsk = (own: Random): Json => generateTimeless(own, 1)): unknown {
  if (random.chance(8)) return undefined;
  if (random.chance(20)) return random.pick(['public', 'signed-in', 'signed-in']);
  const rule = Array.from({ length: random.below(3) + 1 }, () => generateAlternative(random, mayAsk));
  return parseRule(rule, { pointer: '' }).ok ? rule : 'signed-in';
}

/** Leaves out what is undefined, as JSON does. */
const json = (value: object): Json => JSON.parse(JSON.stringify(value)) as Json;

function generateRules(random: Random): Json {
  const [read, create, update, remove] = Array.from({ length: 4 }, () => generateRule(random));
  const before = generateRule(random) ?? [];
  const after = random.chance(50) ? [{ owner: { $before: 'owner' } }, { createdBy: { $auth: 'sub' } }] : 'signed-in';
  // Most have to see most of it, else there is nothing to agree on.
  const seen = random.chance(40) ? random.pick(['public', 'signed-in']) : read;
  return json({ read: seen, create, update: random.chance(40) ? { before, after } : update, delete: remove });
}

function generateFields(random: Random): Json {
  const paths = [random.pick(lookedAtByNone), ...random.list(3, () => random.pick([...lookedAtByNone, ...lookedAt]))];
  return Object.fromEntries(
    paths.map((path) => [
      path,
      json({
        read: random.chance(85) ? (generateRule(random) ?? []) : undefined,
        write: random.chance(30) ? (generateRule(random) ?? []) : undefined,
        ...(random.chance(10) ? { readOnly: true } : {}),
        ...(random.chance(10) ? { writeOnce: true } : {}),
      }),
    ]),
  );
}

/** Fields of a record: missing, null, arrays and odd values among them. */
export function generateEntryFields(random: Random): Record<string, unknown> {
  const made: Record<string, unknown> = {
    owner: random.pick(['@ada', '@ada', '@bob', '@eve', 'nobody', null]),
    status: random.pick(['open', 'open', 'closed', '', null]),
    team: random.pick(['org_1', 'org_2', ['org_1', 'org_3'], [], null, 7, { org: 'org_1' }]),
    role: random.pick(['editor', ['editor', 'x'], ['x', null], 'member', null, 1]),
    due: random.pick([...times, times, null, 5, 'soon']),
    a: generateValue(random, 2),
    n: random.pick([-1, 0, 1, 1.5, 2, null]),
    s: random.pick(['', 'a', 'A', 'ab', 'é', null]),
    list: random.list(3, () => generateValue(random, 1)),
    b: {
      ...(random.chance(70) ? { a: generateValue(random, 2) } : {}),
      ...(random.chance(50) ? { c: random.below(3) } : {}),
    },
    d: random.chance(70) ? { b: random.chance(70) ? { a: generateValue(random, 1) } : {} } : {},
  };
  return Object.fromEntries(Object.entries(made).filter(() => random.chance(80)));
}

/** A world of some records. */
export function generateWorld(random: Random, records: number): GeneratedWorld {
  return {
    rules: generateRules(random),
    fields: Object.fromEntries(
      Object.entries(generateFields(random)).filter(([, options]) => Object.keys(options as Json).length > 0),
    ),
    records: Array.from({ length: records }, (_, index) => ({
      by: random.pick(authors),
      fields: { key: `k${index}`, ...generateEntryFields(random) },
    })),
  };
}

/** Who asks, beside the authors: somebody of another organisation, somebody with a role, nobody, and an administrator. */
export type Asker = (typeof authors)[number] | 'stranger' | 'nobody' | 'admin';

/** All of them. */
export const askers: readonly Asker[] = ['ada', 'bob', 'eve', 'stranger', 'nobody', 'admin'];
