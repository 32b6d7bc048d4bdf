import { faults } from '@causeway/contracts';

import { isObject } from '../conditions/plain-value.ts';
import type { LocatedFault } from '../conditions/located-fault.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import { ownCollection } from '../fields/declared-field.ts';

type FieldsJson = Readonly<Record<string, unknown>>;

/** Replaces the collection of each reference; what is no reference is left to `parseFields`. */
function mapTargets(fields: FieldsJson, change: (collection: string, path: string) => string): FieldsJson {
  const mapped = Object.entries(fields).map(([path, options]): [string, unknown] => {
    const reference = isObject(options) ? options.reference : undefined;
    if (!isObject(options) || !isObject(reference) || typeof reference.collection !== 'string') return [path, options];
    const { onDelete, ...rest } = reference;
    // What is the default is not stored.
    const way = onDelete === undefined || onDelete === 'restrict' ? {} : { onDelete };
    const collection = change(reference.collection, path);
    return [path, { ...options, reference: { ...rest, collection, ...way } }];
  });
  return Object.fromEntries(mapped);
}

const targetNames = (fields: FieldsJson): readonly string[] => {
  const names = new Set<string>();
  mapTargets(fields, (collection) => {
    names.add(collection);
    return collection;
  });
  return [...names];
};

/**
 * Puts ids in place of the names that an administrator gives references: the stored form, which outlives a name.
 *
 * @param name - of the collection that is defined
 * @param fields - as sent
 * @param idOf - of another collection, by its name
 * @throws Fault `invalid-request` naming each reference to a collection that is not there
 */
export async function storeTargets(
  name: string,
  fields: FieldsJson,
  idOf: (name: string) => Promise<string | undefined>,
): Promise<FieldsJson> {
  const ids = new Map<string, string | undefined>();
  for (const each of targetNames(fields)) ids.set(each, each === name ? ownCollection : await idOf(each));
  const errors: LocatedFault[] = [];
  const stored = mapTargets(fields, (collection, path) => {
    const id = ids.get(collection);
    if (id !== undefined) return id;
    const pointer = ['fields', path, 'reference', 'collection'].reduce<string>(pointerTo, '');
    errors.push({ pointer, code: 'unknown-collection', message: 'There is no such collection. Define it first.' });
    return collection;
  });
  if (errors.length > 0) throw faults.invalidRequest({ errors });
  return stored;
}

/**
 * Shows a definition's fields: names in place of ids.
 *
 * @param name - of the collection itself
 * @param names - of the others, by id
 */
export const showTargets = (name: string, fields: FieldsJson, names: ReadonlyMap<string, string>): FieldsJson =>
  mapTargets(fields, (id) => (id === ownCollection ? name : (names.get(id) ?? id)));
