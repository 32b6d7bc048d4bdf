import { faults } from '@causeway/contracts';

import type { IndexDefinition } from '../collections/collection.model.ts';
import type { Collection } from '../collections/collection-registry.ts';
import { parsePartialFilter } from '../collections/partial-filter.ts';
import { compilePredicate } from '../conditions/compile-predicate.ts';
import type { Condition, Operand } from '../conditions/condition.ts';
import { createBudget } from '../conditions/evaluation-budget.ts';
import { fieldsKey, parseFieldPath } from '../conditions/field-path.ts';
import { parseCondition } from '../conditions/parse-condition.ts';
import { valueAt } from '../fields/value-at.ts';
import type { Fields } from '../records/record.model.ts';
import type { Caller } from '../rules/rule.ts';
import { keyNotUnique } from './upsert.errors.ts';

/** What tells one record from all others. */
export interface UniqueKey {
  /** The same for the same record. */
  readonly text: string;
  /** What finds it; where the index is a partial one, in the part of the collection that this is about. */
  readonly condition: Condition<Operand>;
  /** Whether an index that refuses a record, by its keys as MongoDB has them, is the one of this key. */
  readonly isOfIndex: (keyPattern: Readonly<Record<string, unknown>>) => boolean;
  /** Whether a record is the one, and not one that has this value among others. */
  readonly isOf: (record: KeyedRecord) => boolean;
}

/** What is looked at of a record. */
export interface KeyedRecord {
  readonly fields: Fields;
  readonly createdBy?: string | undefined;
}

/** What a partial filter may take over one record; it has no patterns. */
const filterUnits = 100_000;

/** Of what the service keeps itself, the one that is known before a record is there. */
const creator = 'createdBy';

/**
 * Finds the unique index of some fields, and what a record has there.
 *
 * @param by - the names of the fields, in any order
 * @param record - as it is about to be stored, defaults included
 * @throws Fault `key-not-unique` where no unique index covers exactly these, or the record would not be in it; `invalid-request`
 *   where the record has no value there that could be looked for
 */
export function keyOf(collection: Collection, caller: Caller, by: readonly string[], record: KeyedRecord): UniqueKey {
  const { indexes } = collection.source;
  const named = [...new Set(by)].toSorted();
  const index = indexes.find((each) => isUnique(each) && isSame(Object.keys(each.keys).toSorted(), named));
  if (index === undefined) throw notUnique(indexes, caller);
  const values = named.map((name) => valueOf(record, name));
  const missing = named.filter((_, at) => !isKey(values[at]));
  if (missing.length > 0) throw unusable(missing);
  const parts = named.map((name, at) => ({ [name]: { $eq: values[at] } }));
  if (!isInIndex(index, record)) throw notUnique(indexes, caller);
  const condition = parseCondition({ $and: index.where === undefined ? parts : [...parts, index.where] }, {});
  // Such as a text that is longer than any that may be looked for.
  if (!condition.ok) throw unusable(named);
  return {
    text: JSON.stringify([named, values]),
    condition: condition.value,
    isOfIndex: (keyPattern) => isSame(Object.keys(keyPattern).toSorted(), named.map(storageOf).toSorted()),
    isOf: (other) => named.every((name, at) => valueOf(other, name) === values[at]),
  };
}

const isUnique = ({ unique }: IndexDefinition): boolean => unique === true;

const isSame = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && some.every((each, at) => each === others[at]);

const isKey = (value: unknown): boolean =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

const storageOf = (name: string): string => {
  const path = parseFieldPath(name, 'record', '');
  return path.ok ? path.value.storage : name;
};

function valueOf({ fields, createdBy }: KeyedRecord, name: string): unknown {
  if (name === creator) return createdBy;
  const path = parseFieldPath(name, 'record', '');
  if (!path.ok) return undefined;
  const [root, ...segments] = path.value.segments;
  return root === fieldsKey ? valueAt(fields, segments) : undefined;
}

function isInIndex({ where }: IndexDefinition, { fields, createdBy }: KeyedRecord): boolean {
  if (where === undefined) return true;
  const filter = parsePartialFilter(where, '');
  if (!filter.ok) return false;
  const meets = compilePredicate(filter.value, createBudget(filterUnits));
  return meets({ fields, ...(createdBy === undefined ? {} : { createdBy }) });
}

const notUnique = (indexes: readonly IndexDefinition[], { administrator }: Caller): Error =>
  keyNotUnique({
    errors: [
      { parameter: 'by', code: 'not-unique', message: 'Name all fields of one unique index that has the record.' },
    ],
    extensions: administrator ? { keys: indexes.filter(isUnique).map(({ keys }) => Object.keys(keys)) } : {},
  });

const unusable = (names: readonly string[]): Error =>
  faults.invalidRequest({
    errors: names.map((name) =>
      name === creator
        ? { parameter: 'by', code: 'invalid-key', message: 'Sign in, to be found by who created a record.' }
        : {
            pointer: `/${name.replaceAll('.', '/')}`,
            code: 'invalid-key',
            message: 'Give a text that is not too long, a number, true or false: the record is found by it.',
          },
    ),
  });
