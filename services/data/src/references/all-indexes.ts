import type { Definition, IndexDefinition } from '../collections/collection.model.ts';
import { isObject } from '../conditions/plain-value.ts';

/** Whether all records with a value at a path are found by an index. */
const leadsTo = ({ keys, where }: IndexDefinition, path: string): boolean => {
  const [first] = Object.entries(keys);
  return where === undefined && first?.[0] === path && typeof first[1] === 'number';
};

/**
 * The indexes that a collection has: those that its definition gives, and one for each reference that none of them leads to, by which a delete
 * finds what refers to a record.
 */
export function allIndexesOf({ indexes, fields = {} }: Definition): readonly IndexDefinition[] {
  const paths = Object.entries(fields).flatMap(([path, options]) =>
    isObject(options) && options.reference !== undefined ? [path] : [],
  );
  const lacking = paths.filter((path) => !indexes.some((index) => leadsTo(index, path)));
  return [...indexes, ...lacking.map((path) => ({ keys: { [path]: 1 as const } }))];
}
