import { longTexts, oddTexts } from './odd-texts.ts';
import type { Random } from './random.ts';

/** Few names, so that conditions meet documents; "0" and "1" are places in arrays too. At times one is a letter of two code points, or of two units. */
const names = [...['a', 'b', 'c', '0', '1'], ...['a', 'b', 'c', '0', '1'], ...['a', 'b'], 'e\u0301', '\u{1F600}'];
const plainTexts = [
  '',
  'a',
  'A',
  'ab',
  'ab\n',
  'ba',
  'a\nb',
  'k',
  '\u212A',
  '\u00E9',
  '\u00C9',
  '\uFFFD',
  '\u{1F600}',
  'a\0b',
  '1',
];
const texts = [...plainTexts, ...plainTexts, ...oddTexts, ...longTexts];
const numbers = [-1, -0, 0, 1, 1.5, 2, 9_007_199_254_740_991];
const times = ['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z', '2026-01-02T00:00:00.001Z'];
const people = ['usr_1', 'usr_2'];

/** Paths of generated documents to index. None with a numeric part: MongoDB refuses documents that it could mean twice. */
export const indexedPaths = ['fields.a', 'fields.b', 'fields.a.b', 'fields.c.a', 'createdAt', 'revision'];

/** A stored document, as a predicate is given it. */
export interface GeneratedDocument {
  _id: string;
  fields: Record<string, unknown>;
  [name: string]: unknown;
}

/** A stored document with all kinds of fields, missing ones included. */
export function generateDocument(random: Random, id: string): GeneratedDocument {
  return {
    _id: id,
    revision: random.below(3) + 1,
    fields: generateObject(random, 3),
    createdAt: new Date(random.pick(times)),
    updatedAt: new Date(random.pick(times)),
    ...(random.chance(70) ? { createdBy: random.pick(people) } : {}),
  };
}

function generateObject(random: Random, depth: number): Record<string, unknown> {
  return Object.fromEntries(random.list(3, () => [random.pick(names), generateValue(random, depth)]));
}

/** A JSON value of at most `depth` levels. */
export function generateValue(random: Random, depth: number): unknown {
  const kind = random.below(depth > 0 ? 10 : 5);
  if (kind === 0) return null;
  if (kind === 1) return random.chance(50);
  if (kind <= 3) return random.chance(60) ? random.pick(numbers) : random.pick(texts);
  if (kind === 4) return random.pick(texts);
  if (kind <= 7) return random.list(3, () => generateValue(random, depth - 1));
  return generateObject(random, depth - 1);
}

/** A filter as a client might send it: mostly valid, at times refused. */
export function generateFilter(random: Random, depth = 3): Record<string, unknown> {
  const fields = Array.from({ length: random.chance(75) ? 1 : 2 }, () => generateField(random, depth));
  return Object.fromEntries(fields);
}

function generateField(random: Random, depth: number): [string, unknown] {
  if (depth > 0 && random.chance(25)) {
    const branches = Array.from({ length: random.below(2) + 1 }, () => generateFilter(random, depth - 1));
    return [random.pick(['$and', '$or', '$nor']), branches];
  }
  if (random.chance(10)) return generateSystemField(random);
  const path = Array.from({ length: random.pick([1, 1, 1, 2, 2, 3]) }, () => random.pick(names)).join('.');
  return [path, random.chance(20) ? generateValue(random, 2) : generateOperators(random, depth)];
}

function generateSystemField(random: Random): [string, unknown] {
  const name = random.pick(['id', 'revision', 'createdAt', 'updatedAt', 'createdBy']);
  const value = name.endsWith('At')
    ? random.pick([...times, { $now: true }, { $now: '-1d' }])
    : name === 'revision'
      ? random.below(4)
      : random.pick(['rec_3', ...people, null]);
  const operator = random.pick(['$eq', '$ne', '$gt', '$gte', '$lt', '$lte', '$in', '$nin', '$exists']);
  if (operator === '$exists') return [name, { $exists: random.chance(50) }];
  return [name, { [operator]: operator.endsWith('in') ? [value] : value }];
}

function generateOperators(random: Random, depth: number): Record<string, unknown> {
  const operators = Array.from({ length: random.chance(80) ? 1 : 2 }, () => generateOperator(random, depth));
  return Object.assign({}, ...operators) as Record<string, unknown>;
}

function generateOperator(random: Random, depth: number): Record<string, unknown> {
  const comparison = ['$eq', '$ne', '$gt', '$gte', '$lt', '$lte'];
  const name = random.pick([
    ...comparison,
    ...comparison,
    '$in',
    '$nin',
    '$exists',
    '$size',
    '$all',
    '$regex',
    '$elemMatch',
    '$elemMatch',
    '$not',
  ]);
  switch (name) {
    case '$in':
    case '$nin':
    case '$all':
      if (name === '$all' && depth > 0 && random.chance(20)) {
        return { $all: random.list(2, () => ({ $elemMatch: generateElemMatch(random, depth - 1) })) };
      }
      return { [name]: random.list(3, () => generateValue(random, 1)) };
    case '$exists':
      return { $exists: random.chance(50) };
    case '$size':
      return { $size: random.below(4) };
    case '$regex':
      return {
        $regex: generatePattern(random),
        $options: random.list(1, () => random.pick(['i', 'm', 's', 'im', 'ims'])).join(''),
      };
    case '$elemMatch':
      return { $elemMatch: depth > 0 ? generateElemMatch(random, depth - 1) : { $gt: 0 } };
    case '$not':
      return { $not: depth > 0 ? generateOperators(random, depth - 1) : { $gt: 0 } };
    default:
      return { [name]: generateValue(random, 2) };
  }
}

function generateElemMatch(random: Random, depth: number): Record<string, unknown> {
  return random.chance(50) ? generateOperators(random, depth) : generateFilter(random, depth);
}

/** A regular expression over the texts above: mostly valid RE2, at times refused. */
export function generatePattern(random: Random, depth = 2): string {
  const parts = Array.from({ length: random.below(3) + 1 }, () => generatePart(random, depth));
  return parts.join(random.chance(15) ? '|' : '');
}

function generatePart(random: Random, depth: number): string {
  const atoms = [
    'a',
    'b',
    'A',
    'k',
    'é',
    '\\n',
    '.',
    '[ab]',
    '[^a]',
    '[^k]',
    '[a-kÉ]',
    '\\w',
    '\\W',
    '\\s',
    '\\d',
    '\\x{1F600}',
    '\\0',
  ];
  const places = ['^', '$', '^', '$', '\\b', '\\B', '\\A', '\\z'];
  if (random.chance(20)) return random.pick(places);
  const atom = depth > 0 && random.chance(25) ? generateGroup(random, depth) : random.pick(atoms);
  return atom + random.pick(['', '', '', '', '*', '+', '?', '{2}', '{0,2}', '{1,}', '*?', '+?']);
}

function generateGroup(random: Random, depth: number): string {
  const opening = random.pick(['(', '(?:', '(?i:', '(?s-i:', '(?m:', '(?P<name>']);
  return `${opening}${generatePattern(random, depth - 1)})`;
}
