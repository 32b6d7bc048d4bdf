import type { GeneratedDocument } from '../../conditions/testing/generate.ts';
import { generateDocument, generateFilter, generateValue } from '../../conditions/testing/generate.ts';
import type { Random } from '../../conditions/testing/random.ts';
import type { DeclaredField } from '../../fields/declared-field.ts';
import { parseRules } from '../parse-rules.ts';
import type { Caller, Rule, Rules } from '../rule.ts';

/** A collection, as far as what is seen of it goes. */
export interface GeneratedRules {
  readonly rules: Rules;
  readonly fields: readonly DeclaredField[];
  /** Nothing is encrypted. */
  readonly cipher: undefined;
}

/** Where a rule may stand: on the way to none of them is an array. */
const paths = ['a', 'b', 'c', 'b.a', 'b.c', 'b.1', 'd', 'd.b.a'];

/** As generated ones are, but for `b`, `d` and `d.b`, which are objects or missing. */
export function generateRecord(random: Random, id: string): GeneratedDocument {
  const record = generateDocument(random, id);
  const object = (): Record<string, unknown> =>
    Object.fromEntries(random.list(3, () => [random.pick(['a', 'c', '1']), generateValue(random, 2)]));
  const { b: _b, d: _d, ...fields } = record.fields;
  const d = { ...object(), ...(random.chance(60) ? { b: object() } : {}) };
  return {
    ...record,
    fields: { ...fields, ...(random.chance(70) ? { b: object() } : {}), ...(random.chance(50) ? { d } : {}) },
  };
}

/** What is asked of records with {@link generateRecord}'s fields: of what is guarded, mostly. */
export function generateQuestion(random: Random): Record<string, unknown> {
  const filter = generateFilter(random, 2);
  if (random.chance(40)) return filter;
  const path = random.pick([...paths, 'b.a.c', 'a.0', 'b.1.a']);
  const value = generateValue(random, 1);
  const operators = [
    { $exists: random.chance(50) },
    { $ne: value },
    { $eq: random.chance(40) ? null : value },
    { $nin: [value, null] },
    { $in: [value, null] },
    { $not: { $gt: value } },
    { $gte: null },
    { $lt: 2 },
    { $size: random.below(3) },
    { $not: { $elemMatch: { $gt: 0 } } },
    { $regex: 'a' },
  ];
  const atom = { [path]: random.pick(operators) };
  if (random.chance(60)) return atom;
  return { [random.pick(['$and', '$or', '$nor'])]: [atom, filter] };
}

const conditions = (random: Random, most: number): unknown =>
  Array.from({ length: random.below(most) + 1 }, () =>
    random.chance(40) ? { createdBy: { $auth: random.pick(['sub', 'org']) } } : generateFilter(random, 1),
  );

/** Rules of a collection and of some of its fields; generated ones that are refused are everybody's. */
export function generateRules(random: Random): GeneratedRules {
  const rule = (given: unknown): Rule => {
    const parsed = parseRules({ read: given }, '');
    return parsed.ok ? parsed.value.read : { kind: 'public' };
  };
  const read = rule(random.chance(50) ? 'public' : conditions(random, 3));
  const none: Rule = { kind: 'administrators' };
  const guarded = new Set(Array.from({ length: random.below(3) + 1 }, () => random.pick(paths)));
  return {
    rules: { read, create: none, update: { before: none, after: none }, delete: none },
    cipher: undefined,
    fields: [...guarded].map((path) => ({
      path,
      segments: path.split('.'),
      read: rule(random.pick(['public', 'signed-in', [], conditions(random, 2), conditions(random, 2)])),
    })),
  };
}

/** Somebody, or nobody, whose records there may be. */
export const generateCaller = (random: Random): Caller =>
  random.chance(25)
    ? { signedIn: false, administrator: random.chance(10), auth: {} }
    : {
        signedIn: true,
        administrator: random.chance(10),
        auth: { sub: random.pick(['usr_1', 'usr_2', 'usr_3']), roles: [] },
      };
