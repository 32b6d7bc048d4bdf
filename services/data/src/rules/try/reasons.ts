import { Fault } from '@causeway/contracts';

import { createBudget } from '../../conditions/evaluation-budget.ts';
import { pointerTo } from '../../conditions/located-fault.ts';
import type { DeclaredField } from '../../fields/declared-field.ts';
import { isWithin } from '../../fields/is-within.ts';
import type { VisibleRecord } from '../../records/record.model.ts';
import type { AskedAccess } from '../explain/explain-access.ts';
import { explainAccess, explanationUnits } from '../explain/explain-access.ts';
import { explainRule } from '../explain/explain-rule.ts';
import type { Caller } from '../rule.ts';
import type { Reason } from './changes.ts';
import type { Side } from './sides.ts';

/** Why somebody may do something under a definition, or may not; nothing where that takes too long to say. */
export const reasonOf = ({ rules }: Side, asked: AskedAccess): Reason | undefined =>
  unlessTooCostly(() => {
    const { because, decidedBy } = explainAccess({ rules, pending: undefined }, asked);
    return { because, decidedBy };
  });

/** Why somebody sees a field, or may write it, or not. */
export function reasonOfField(
  { fields }: Side,
  { path, segments }: Pick<DeclaredField, 'path' | 'segments'>,
  name: 'read' | 'write',
  { caller, record, at }: { readonly caller: Caller; readonly record: VisibleRecord; readonly at: Date },
): Reason | undefined {
  const explain = (field: DeclaredField): { readonly holds: boolean; readonly reason: Reason } | undefined => {
    const own = name === 'write' && field.write !== undefined ? 'write' : 'read';
    const rule = field[own];
    if (rule === undefined) return undefined;
    const pointer = pointerTo(pointerTo('/fields', field.path), own);
    const spend = createBudget(explanationUnits);
    const { holds, decidedBy } = explainRule({ rule, pointer, caller, document: record, context: { at }, spend });
    const { words, fails } = decidedBy;
    const because = `${holds ? 'Seen' : 'Hidden'}: ${decidedBy.pointer}${fails === undefined ? `: ${words}` : ` fails at: ${fails.words}`}.`;
    const said = name === 'read' ? because : because.replace('Seen', 'Writable').replace('Hidden', 'Kept');
    return { holds, reason: { because: said, decidedBy: { pointer: decidedBy.pointer, words } } };
  };
  return unlessTooCostly(() => {
    // What hides an object hides what is in it.
    const around = name === 'read' ? fields.filter((field) => isAround(field.segments, segments)) : [];
    const all = [...around, ...fields.filter((field) => field.path === path)].flatMap((field) => explain(field) ?? []);
    const free = { because: 'No rule of the field has a say any more.', decidedBy: null };
    return (all.find(({ holds }) => !holds) ?? all.at(-1))?.reason ?? free;
  });
}

const isAround = (outer: readonly string[], path: readonly string[]): boolean =>
  outer.length < path.length && isWithin(path, outer);

/** Nothing where it takes too long to say. */
export function unlessTooCostly<T>(explain: () => T): T | undefined {
  try {
    return explain();
  } catch (error) {
    if (error instanceof Fault && error.code === 'rule-too-costly') return undefined;
    throw error;
  }
}
