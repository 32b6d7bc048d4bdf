import type { Document } from 'mongodb';
import type { ScalarType, Sort, SortField, SortKey } from './sort.ts';

/** MongoDB's order of the types (BSON comparison order), null and what is missing before them all. */
const typeOrder: readonly ScalarType[] = ['number', 'string', 'boolean', 'time'];

/** The least value of each type: what is at or above it is all of the type, since comparisons stay within a type. */
const leastOfType: Readonly<Record<ScalarType, unknown>> = {
  number: -Infinity,
  string: '',
  boolean: false,
  time: new Date(-8.64e15),
};

/**
 * Compiles "comes after this row" to a MongoDB query: the rows that are equal in the first fields and after it in the
 * next, for each field (keyset pagination).
 *
 * @param sort - The order that the row was read in.
 * @param key - The row's values, one for each field of the sort.
 */
export function compileAfterRow(sort: Sort, key: SortKey): Document {
  const branches = sort.flatMap((field, index) => {
    const after = afterValue(field, key[index] ?? null);
    if (after.length === 0) return [];
    const equal = sort.slice(0, index).map((earlier, at) => ({
      [earlier.path.storage]: { $eq: stored(earlier, key[at] ?? null) },
    }));
    return [{ $and: [...equal, after.length === 1 ? after[0] : { $or: after }] }];
  });
  return branches.length === 0 ? { _id: { $in: [] } } : { $or: branches };
}

/** The alternatives for what comes after a value: the rest of its type, and the types after its. */
function afterValue(field: SortField, value: SortKey[number]): Document[] {
  const { storage } = field.path;
  const types = typeOrder.filter((type) => field.types.has(type));
  const own = typeOf(field, value);
  const position = own === undefined ? -1 : typeOrder.indexOf(own);
  const rest =
    own === undefined ? [] : [{ [storage]: { [field.direction === 1 ? '$gt' : '$lt']: stored(field, value) } }];
  const isAfter = (type: ScalarType): boolean => {
    const distance = typeOrder.indexOf(type) - position;
    return distance * field.direction > 0;
  };
  const others = types.filter(isAfter).map((type) => ({ [storage]: { $gte: leastOfType[type] } }));
  const empty = field.direction === -1 && own !== undefined ? [{ [storage]: { $eq: null } }] : [];
  return [...rest, ...others, ...empty];
}

function typeOf(field: SortField, value: SortKey[number]): ScalarType | undefined {
  if (value === null) return undefined;
  if (field.path.holds === 'time') return 'time';
  return typeof value as 'number' | 'string' | 'boolean';
}

/** The value in its stored form. */
function stored(field: SortField, value: SortKey[number]): unknown {
  return field.path.holds === 'time' && typeof value === 'number' ? new Date(value) : value;
}
