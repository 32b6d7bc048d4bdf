import type { IndexDefinition } from '../../collections/collection.model.ts';
import { parsePartialFilter } from '../../collections/partial-filter.ts';
import type { Condition, Value } from '../../conditions/condition.ts';
import type { ValueOf } from './implies.ts';
import { boundValue, implies } from './implies.ts';

/** An index in the order of its fields, which words and places have none of. */
export interface OrderedIndex {
  readonly keys: Readonly<Record<string, 1 | -1>>;
}

/**
 * The indexes in which all records that meet a condition can be looked for by values and in their order: none of words or of
 * places, and a partial one only where the condition asks for what it holds.
 *
 * @param valueOf - of an operand of the condition
 */
export const servingIndexes = <O>(
  indexes: readonly IndexDefinition[],
  condition: Condition<O>,
  valueOf: ValueOf<O>,
): readonly OrderedIndex[] =>
  indexes.filter((index): index is IndexDefinition & OrderedIndex => {
    const filter = filterOf(index);
    return isOrdered(index) && (filter === undefined || implies(condition, filter, valueOf));
  });

/** Whether an index holds all records that meet a condition. */
export function holdsAll(index: IndexDefinition, condition: Condition<Value>): boolean {
  const filter = filterOf(index);
  return filter === undefined || implies(condition, filter, boundValue);
}

/** The fields of which partial indexes ask a value: whether one serves a query depends on more than how it is asked. */
export const filteredPaths = (indexes: readonly IndexDefinition[]): ReadonlySet<string> =>
  new Set(indexes.flatMap((index) => pathsOf(filterOf(index))));

const isOrdered = ({ keys }: IndexDefinition): boolean => Object.values(keys).every((kind) => typeof kind === 'number');

function filterOf({ where }: IndexDefinition): Condition<Value> | undefined {
  if (where === undefined) return undefined;
  const parsed = parsePartialFilter(where, '');
  return parsed.ok ? parsed.value : undefined;
}

function pathsOf(condition: Condition<Value> | undefined): string[] {
  if (condition === undefined) return [];
  if (condition.kind === 'field') return [condition.path.storage];
  return condition.kind === 'not' ? pathsOf(condition.branch) : condition.branches.flatMap(pathsOf);
}
