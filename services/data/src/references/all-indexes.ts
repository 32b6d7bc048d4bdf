import type { Definition, IndexDefinition } from '../collections/collection.model.ts';
import { isObject } from '../conditions/plain-value.ts';

/** Whether all records with a value at a path are found by an index. */
const leadsTo = ({ keys, where }: IndexDefinition, path: string): boolean => {
  const [first] = Object.entries(keys);
  return where === undefined && first?.[0] === path && typeof first[1] === 'number';
};

const referencePaths = ({ fields = {} }: Definition): readonly string[] =>
  Object.entries(fields).flatMap(([path, options]) =>
    isObject(options) && options.reference !== undefined ? [path] : [],
  );

/** Those of {@link allIndexesOf} that lead to what refers to a record. */
export const referenceIndexesOf = (definition: Definition): readonly IndexDefinition[] => {
  const paths = referencePaths(definition);
  return allIndexesOf(definition).filter(
    (index) => index.unique !== true && paths.some((path) => leadsTo(index, path)),
  );
};

/**
 * The indexes that a collection has: those that its definition gives, and one for each reference that none of them leads to, by which a delete
 * finds what refers to a record.
 */
export function allIndexesOf(definition: Definition): readonly IndexDefinition[] {
  const { indexes } = definition;
  const lacking = referencePaths(definition).filter((path) => !indexes.some((index) => leadsTo(index, path)));
  return [...indexes, ...lacking.map((path) => ({ keys: { [path]: 1 as const } }))];
}
