import type { Random } from '../../conditions/testing/random.ts';
import { generateValue } from '../../conditions/testing/generate.ts';

/** The names of generated documents; "0" and "1" are places in arrays too. */
const names = ['a', 'b', 'c', '0', '1'];
const numbers = [-1, -0, 0, 1, 1.5, 2, -9_007_199_254_740_991];

/** A patch of operators as a client might send it: mostly valid, at times refused. */
export function generateOperators(random: Random): Record<string, unknown> {
  const operators: Record<string, Record<string, unknown>> = {};
  for (let count = random.pick([1, 1, 1, 2, 3]); count > 0; count -= 1) {
    const name = random.pick([
      '$set',
      '$unset',
      '$inc',
      '$min',
      '$max',
      '$push',
      '$addToSet',
      '$pull',
      '$push',
      '$pull',
    ]);
    const path = Array.from({ length: random.pick([1, 1, 1, 2, 2, 3]) }, () => random.pick(names)).join('.');
    operators[name] = { ...operators[name], [path]: generateOperand(random, name) };
  }
  return operators;
}

function generateOperand(random: Random, name: string): unknown {
  switch (name) {
    case '$unset':
      return true;
    case '$inc':
      return random.pick(numbers);
    case '$push':
      return random.chance(40) ? generateValue(random, 2) : generatePush(random);
    case '$addToSet':
      return random.chance(50) ? generateValue(random, 2) : { $each: random.list(3, () => generateValue(random, 1)) };
    case '$pull':
      return generatePull(random);
    default:
      return generateValue(random, 2);
  }
}

function generatePush(random: Random): Record<string, unknown> {
  return {
    $each: random.list(3, () => generateValue(random, 1)),
    ...(random.chance(50) ? { $position: random.below(7) - 3 } : {}),
    ...(random.chance(50) ? { $slice: random.below(7) - 3 } : {}),
  };
}

function generatePull(random: Random): unknown {
  if (random.chance(40)) return generateValue(random, 2);
  const fields = (): Record<string, unknown> => ({
    [random.pick(names)]: random.chance(50) ? generateValue(random, 1) : generateTest(random),
  });
  if (random.chance(50)) return generateTest(random);
  return random.chance(70) ? fields() : { $or: [fields(), fields()] };
}

function generateTest(random: Random): Record<string, unknown> {
  const name = random.pick([
    '$eq',
    '$ne',
    '$gt',
    '$gte',
    '$lt',
    '$lte',
    '$in',
    '$nin',
    '$exists',
    '$size',
    '$elemMatch',
  ]);
  if (name === '$in' || name === '$nin') return { [name]: random.list(3, () => generateValue(random, 1)) };
  if (name === '$exists') return { [name]: random.chance(50) };
  if (name === '$size') return { [name]: random.below(3) };
  if (name === '$elemMatch') return { [name]: { $gt: random.pick([...numbers, 'a']) } };
  return { [name]: generateValue(random, 1) };
}
