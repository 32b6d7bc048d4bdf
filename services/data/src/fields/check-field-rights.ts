import { isDeepStrictEqual } from 'node:util';

import { pointerTo } from '../conditions/located-fault.ts';
import { isContainer } from '../conditions/values-at.ts';
import type { Caller, Rule, RuleContext } from '../rules/rule.ts';
import { decide } from '../rules/rule.ts';
import type { DeclaredField } from './declared-field.ts';
import { fieldForbidden } from './fields.errors.ts';
import { isWithin } from './is-within.ts';
import { valueAt } from './value-at.ts';

/** Definitions that a write has to keep to. */
interface Definitions {
  readonly fields: readonly DeclaredField[];
  /** The one that is about to come. */
  readonly pending: { readonly fields: readonly DeclaredField[] } | undefined;
}

/** What somebody makes of fields, as they see them. */
export interface SeenChange {
  /** As the caller saw them; undefined where the record is to be created. */
  readonly before: unknown;
  /** As the caller sent them, or as a patch has made them of what was seen. */
  readonly after: unknown;
  /** What was not seen, whether or not it is there. */
  readonly hidden: readonly (readonly string[])[];
}

/** What is hidden stays as it is unless the caller gives it a value, or takes away the object that it is in. */
function isTouched({ before, after, hidden }: SeenChange, segments: readonly string[]): boolean {
  if (!isDeepStrictEqual(valueAt(before, segments), valueAt(after, segments))) return true;
  if (!hidden.some((each) => isWithin(segments, each))) return false;
  const around = segments.slice(0, -1);
  return around.length > 0 && isContainer(valueAt(before, around)) && !isContainer(valueAt(after, around));
}

/** Whether a change gives a value to what the caller does not see. */
export const writesHidden = ({ after, hidden }: SeenChange): boolean =>
  hidden.some((segments) => valueAt(after, segments) !== undefined);

/** A field that somebody wants to change, and whether they may. */
export interface TouchedField {
  readonly field: DeclaredField;
  /** Undefined where everybody may who may write the record. */
  readonly rule: Rule | undefined;
  readonly mayWrite: boolean;
}

/**
 * What somebody may make of single fields of a record, whichever they change.
 *
 * @param hidden - from them, in the record
 * @param record - by which the rules of fields are judged: as it is, or as it is to be created; in its stored form
 * @returns it throws Fault `rule-too-costly`
 */
export function fieldRights(
  declared: readonly DeclaredField[],
  caller: Caller,
  hidden: SeenChange['hidden'],
  record: object,
  context: RuleContext,
): (field: DeclaredField) => TouchedField {
  const kept = declared.filter(
    ({ readOnly, writeOnce, reference }) => readOnly === true || writeOnce === true || reference !== undefined,
  );
  const isHidden = ({ segments }: DeclaredField): boolean => hidden.some((each) => isWithin(segments, each));
  // Whether it is left as it is, or names what it named before, depends on what it holds: nobody's business who does not see it.
  const isKept = (field: DeclaredField): boolean =>
    isHidden(field) && kept.some(({ segments }) => isWithin(field.segments, segments));
  return (field) => {
    const rule = field.write ?? field.read;
    const mayWrite = !isKept(field) && (rule === undefined || decide(rule, caller, record, context));
    return { field, rule, mayWrite: caller.administrator || mayWrite };
  };
}

/**
 * The fields that a change touches, of those that a definition says something of.
 *
 * @param record - as {@link fieldRights} takes it
 * @throws Fault `rule-too-costly`
 */
export const touchedFields = (
  declared: readonly DeclaredField[],
  caller: Caller,
  change: SeenChange,
  record: object,
  context: RuleContext,
): readonly TouchedField[] =>
  declared
    .filter(({ segments }) => isTouched(change, segments))
    .map(fieldRights(declared, caller, change.hidden, record, context));

/**
 * Refuses to change fields that somebody may not write. Whoever does not see a field is answered the same whatever it holds.
 *
 * @param record - as {@link touchedFields} takes it
 * @throws Fault `field-forbidden`, `rule-too-costly`
 */
export function demandFieldRights(
  { fields, pending }: Definitions,
  caller: Caller,
  change: SeenChange,
  record: object,
  context: RuleContext,
): void {
  for (const declared of [fields, pending?.fields ?? []]) {
    const refused = touchedFields(declared, caller, change, record, context).filter(({ mayWrite }) => !mayWrite);
    if (refused.length === 0) continue;
    const message = 'Leave this field as it is: it is for others to write.';
    const errors = refused.map(({ field: { segments } }) => ({
      pointer: segments.reduce<string>(pointerTo, ''),
      code: 'forbidden-field',
      message,
    }));
    throw fieldForbidden({ errors });
  }
}
