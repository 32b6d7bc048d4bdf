import { isObject } from '../conditions/plain-value.ts';
import type { DefinitionBefore } from './migration-places.ts';
import type { Step } from './step.ts';
import { kindOf } from './step.ts';

/** How a definition is sent again that was stored. */
export type ShowDefinition = (name: string, before: DefinitionBefore) => Promise<NonNullable<Step['define']>>;

/** What takes names back. */
function renamedBack(operators: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> | undefined {
  const { $rename, ...rest } = operators;
  if (!isObject($rename) || Object.keys(rest).length > 0) return undefined;
  return { $rename: Object.fromEntries(Object.entries($rename).map(([from, to]) => [String(to), from])) };
}

/** Whether a step can be reverted without being told how. */
export function isReversible(step: Step): boolean {
  const own = kindOf(step);
  if (own?.kind === 'define') return true;
  return own?.kind === 'change' && own.change.filter === undefined && renamedBack(own.change.operators) !== undefined;
}

/**
 * What reverts steps that have been made, the last first.
 *
 * @param steps - those that have been made, or begun
 * @param before - what collections were before a step has defined them, by the step
 * @returns undefined where a step cannot be reverted
 */
export async function deriveUndo(
  steps: readonly Step[],
  before: Readonly<Record<string, DefinitionBefore | null>>,
  show: ShowDefinition,
): Promise<readonly Step[] | undefined> {
  if (!steps.every(isReversible)) return undefined;
  const undo: Step[] = [];
  for (const [at, step] of [...steps.entries()].reverse()) {
    const own = kindOf(step);
    if (own?.kind === 'change') {
      const operators = renamedBack(own.change.operators);
      if (operators !== undefined) undo.push({ change: { collection: own.change.collection, operators } });
    }
    if (own?.kind !== 'define') continue;
    const was = before[at];
    // Where it was begun and nothing has been noted yet, nothing has been done.
    if (was === undefined) continue;
    const { collection } = own.define;
    undo.push(was === null ? { drop: { collection } } : { define: await show(collection, was) });
  }
  return undo;
}
