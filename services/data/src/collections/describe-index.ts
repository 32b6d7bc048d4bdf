import { createHash } from 'node:crypto';

import type { IndexDescription } from 'mongodb';

import { compileFilter } from '../conditions/compile-filter.ts';
import { parseFieldPath } from '../conditions/field-path.ts';
import type { IndexDefinition } from './collection.model.ts';
import { parsePartialFilter } from './partial-filter.ts';

/** Names of indexes that definitions ask for begin so; others are not ours to remove. */
export const indexPrefix = 'by_';

/**
 * Where MongoDB looks for the language of a record and of each object in it. By its default, `language`, one with such a field
 * would be read by other rules, or refused (17262); this is a name that no field has at any depth (`checkPlainValue`).
 */
const languageOverride = '_bsontype';

/** The storage path of an indexed field. */
const storageOf = (name: string): string => {
  const path = parseFieldPath(name, 'record', '');
  if (!path.ok) throw new TypeError(`${name} was accepted as the key of an index`);
  return path.value.storage;
};

/**
 * An index as MongoDB is told. To a plain one `_id` is added in the direction of the last key, so that it serves sorts by these
 * keys to the end, cursors included; not to a unique one, which it would change, nor to one of words or places, which gives no
 * order.
 */
export function describeIndex(index: IndexDefinition): IndexDescription & { name: string } {
  const { keys, unique = false } = index;
  const own = Object.entries(keys).map(([name, kind]) => [storageOf(name), kind] as const);
  const [last] = own.slice(-1);
  const isPlain = own.every(([, kind]) => typeof kind === 'number');
  const tieBreak = unique || !isPlain || own.some(([path]) => path === '_id') ? [] : [['_id', last?.[1] ?? 1] as const];
  const entries = [...own, ...tieBreak];
  const options = optionsOf(index);
  // A plain one has the name that it always had: by another it would be built anew.
  const identity = Object.keys(options).length === 0 ? [entries, unique] : [entries, unique, options];
  const digest = createHash('sha256').update(JSON.stringify(identity));
  return {
    key: Object.fromEntries(entries),
    name: indexPrefix + digest.digest('hex').slice(0, 24),
    ...(unique ? { unique } : {}),
    ...options,
  };
}

/** What MongoDB is told of an index beside its keys. */
function optionsOf({
  keys,
  where,
  weights = {},
  language = 'none',
}: IndexDefinition): Omit<IndexDescription, 'key' | 'name'> {
  const kinds = Object.values(keys);
  return {
    ...(where === undefined ? {} : { partialFilterExpression: partialFilterOf(where) }),
    ...(kinds.includes('2dsphere') ? { '2dsphereIndexVersion': 3 } : {}),
    ...(kinds.includes('text')
      ? {
          weights: Object.fromEntries(Object.keys(keys).map((name) => [storageOf(name), weights[name] ?? 1])),
          default_language: language,
          language_override: languageOverride,
          textIndexVersion: 3,
        }
      : {}),
  };
}

function partialFilterOf(where: NonNullable<IndexDefinition['where']>): object {
  const parsed = parsePartialFilter(where, '');
  if (!parsed.ok) throw new TypeError('the filter of an index was accepted');
  return compileFilter(parsed.value);
}
