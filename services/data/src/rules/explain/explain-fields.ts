import { createBudget } from '../../conditions/evaluation-budget.ts';
import { pointerTo } from '../../conditions/located-fault.ts';
import type { SeenChange } from '../../fields/check-field-rights.ts';
import { touchedFields } from '../../fields/check-field-rights.ts';
import type { DeclaredField } from '../../fields/declared-field.ts';
import type { Judged } from '../../records/judge-record.ts';
import type { Caller, Rule } from '../rule.ts';
import type { ExplainedAccess } from './explain-access.ts';
import { explanationUnits, refusedBy } from './explain-access.ts';
import type { Decider } from './explain-rule.ts';
import { explainRule } from './explain-rule.ts';

/** What a rule of a field says. */
export interface ExplainedField {
  /** Dotted. */
  readonly path: string;
  readonly rule: 'read' | 'write';
  readonly holds: boolean;
  readonly decidedBy: Pick<Decider, 'pointer' | 'words'>;
}

/** What is explained beside the access to the record. */
export interface AskedFields {
  readonly fields: readonly DeclaredField[];
  readonly caller: Caller;
  /** By which the rules are judged. */
  readonly record: Judged;
  /** What is to become of the record; undefined where it is read. */
  readonly change: SeenChange | undefined;
  readonly at: Date;
}

/**
 * Explains which fields of a record somebody sees that they may see; or which of those that a change touches they may write, which
 * refuses it where there is one that they may not.
 *
 * @param access - to the record
 * @throws Fault `rule-too-costly`
 */
export function explainFields(
  access: ExplainedAccess,
  { fields, caller, record, change, at }: AskedFields,
): ExplainedAccess & { readonly fields?: readonly ExplainedField[] } {
  if (!access.allowed) return access;
  const spend = createBudget(explanationUnits);
  const explain = (field: DeclaredField, rule: Rule): Decider & { readonly holds: boolean } => {
    const name = change !== undefined && field.write !== undefined ? 'write' : 'read';
    const pointer = pointerTo(pointerTo('/fields', field.path), name);
    const { holds, decidedBy } = explainRule({ rule, pointer, caller, document: record, context: { at }, spend });
    return { ...decidedBy, holds };
  };
  if (change === undefined) {
    const seen = fields.flatMap((field) =>
      field.read === undefined ? [] : [shownOf(field, 'read', explain(field, field.read))],
    );
    return seen.length === 0 ? access : { ...access, fields: seen };
  }
  const touched = touchedFields(fields, caller, change, record, { at }).flatMap(({ field, rule, mayWrite }) => {
    if (rule === undefined) return [];
    const found = explain(field, rule);
    const words = 'it is not seen, and kept as it is';
    return [{ field, decider: found.holds === mayWrite ? found : { pointer: found.pointer, words, holds: mayWrite } }];
  });
  if (touched.length === 0) return access;
  const shown = touched.map(({ field, decider }) => shownOf(field, 'write', decider));
  const refusing = touched.find(({ decider }) => !decider.holds);
  if (refusing === undefined) return { ...access, fields: shown };
  return { ...refusedBy(403, refusing.decider, access.clauses), fields: shown };
}

const shownOf = (
  { path }: DeclaredField,
  rule: ExplainedField['rule'],
  { holds, pointer, words }: Decider & { readonly holds: boolean },
): ExplainedField => ({ path, rule, holds, decidedBy: { pointer, words } });
