import { generateValue } from '../../conditions/testing/generate.ts';
import type { Random } from '../../conditions/testing/random.ts';
import { valueAt } from '../../fields/value-at.ts';
import { generateQuestion } from './generate-sight.ts';
import { generateArea } from './generate-spots.ts';
import type { GeneratedWorld } from './generate-world.ts';

type Json = Readonly<Record<string, unknown>>;

/** A value that some record has at a path, or would have. */
function valueOf(random: Random, { records }: GeneratedWorld, path: string): unknown {
  const there = records.map(({ fields }) => valueAt(fields, path.split('.'))).filter((value) => value !== undefined);
  return there.length > 0 && random.chance(75) ? random.pick(there) : generateValue(random, 1);
}

/** A condition on one path that meets some of the records of a world, were nothing hidden; as they are, with names for ids. */
export function generateAtom(random: Random, world: GeneratedWorld, path: string): Json {
  if ((path === 'at' || path === 'spot') && random.chance(70)) return generateArea(random, path);
  const value = valueOf(random, world, path);
  const operators = [
    { $eq: value },
    { $ne: value },
    { $in: [value, valueOf(random, world, path)] },
    { $nin: [value, null] },
    { $exists: random.chance(50) },
    { $gte: typeof value === 'number' || typeof value === 'string' ? value : 0 },
    { $not: { $lt: typeof value === 'number' || typeof value === 'string' ? value : 1 } },
    { $size: random.below(3) },
    { $regex: 'a' },
    { $eq: null },
  ];
  return { [path]: random.pick(operators) };
}

/** A filter about what the rules of a world hide, mostly; without the time, which is another one by another way. */
export function generateFilterOf(random: Random, world: GeneratedWorld): Json {
  const guarded = Object.keys(world.fields);
  if (guarded.length === 0 || random.chance(25)) {
    if (random.chance(40)) return generateArea(random, random.pick(['at', 'spot']));
    const question = generateQuestion(random);
    return JSON.stringify(question).includes('$now') ? { a: { $exists: true } } : question;
  }
  const atom = generateAtom(random, world, random.pick(guarded));
  if (random.chance(65)) return atom;
  const other = generateAtom(random, world, random.pick([...guarded, 'status', 'n', 'a', 'at', 'spot']));
  return { [random.pick(['$and', '$or', '$nor'])]: [atom, other] };
}
