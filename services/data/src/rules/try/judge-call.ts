import { isDeepStrictEqual } from 'node:util';

import { missingOf } from '../../conditions/bind-condition.ts';
import { applyDefaults } from '../../fields/apply-defaults.ts';
import { encryptedIn } from '../../encryption/sealed-fields.ts';
import type { DeclaredField } from '../../fields/declared-field.ts';
import type { SeenChange } from '../../fields/check-field-rights.ts';
import { fieldRights, touchedFields } from '../../fields/check-field-rights.ts';
import { redact } from '../../fields/redact.ts';
import { valueAt } from '../../fields/value-at.ts';
import type { Fields } from '../../records/record.model.ts';
import { explainAccess, stepsOf } from '../explain/explain-access.ts';
import { explainFields } from '../explain/explain-fields.ts';
import type { Rule } from '../rule.ts';
import { decide, ruleFor } from '../rule.ts';
import { createSight } from '../see.ts';
import type { Reason } from './changes.ts';
import type { PastCall } from './past-calls.ts';
import type { Side, Sides } from './sides.ts';

/** What a definition says of a call; `unknown` where that depends on what is not known of the caller. */
export type Verdict = 'allowed' | 'refused' | 'unknown';

/**
 * Judges a call that was made as if it were made under a definition.
 *
 * @throws Fault `rule-too-costly`
 */
export function judgeCall(side: Side, call: PastCall): Verdict {
  const { action, caller, record, changed, at } = call;
  let isKnown = true;
  for (const { judgement, rules, document, before } of stepsOf(
    { rules: side.rules, pending: undefined },
    action,
    record,
    changed,
  )) {
    const rule = ruleFor(rules, judgement);
    if (decide(rule, caller, document, { at, before })) continue;
    if (!dependsOnUnknown(rule, call)) return 'refused';
    isKnown = false;
  }
  if (action !== 'delete') {
    const touched = touchedFields(side.fields, caller, changeSeen(side, call), record, { at });
    for (const { rule, mayWrite } of touched) {
      if (mayWrite) continue;
      if (rule === undefined || !dependsOnUnknown(rule, call)) return 'refused';
      isKnown = false;
    }
  }
  return isKnown ? 'allowed' : 'unknown';
}

/**
 * Whether it depends on what is encrypted how a call would be answered: an event does not say whether it was written.
 *
 * @throws Fault `rule-too-costly`
 */
export function isOfEncrypted({ present, tried }: Sides, { action, caller, record, at }: PastCall): boolean {
  if (action === 'delete') return false;
  const writable = ({ fields, cipher }: Side): readonly string[] => {
    const encrypted = encryptedIn(fields);
    if (encrypted.length === 0) return [];
    const hidden = action === 'create' ? [] : createSight({ fields, cipher }, caller, { at }).hidden(record);
    const rightsOf = fieldRights(fields, caller, hidden, record, { at });
    return encrypted.filter((field) => rightsOf(field).mayWrite).map(({ path }) => path);
  };
  return !isDeepStrictEqual(writable(present), writable(tried));
}

/** Why a call would be allowed under a definition, or refused. */
export function reasonOfCall(side: Side, call: PastCall): Reason {
  const { action, caller, record, changed, at } = call;
  const access = explainAccess({ rules: side.rules, pending: undefined }, { action, caller, record, changed, at });
  const change = action === 'delete' ? undefined : changeSeen(side, call);
  const { because, decidedBy } =
    change === undefined ? access : explainFields(access, { fields: side.fields, caller, record, change, at });
  return { because, decidedBy };
}

/** Whether a rule that does not hold might, if more were known of the caller. */
const dependsOnUnknown = (rule: Rule, { isStranger, caller: { auth } }: PastCall): boolean =>
  isStranger && rule.kind === 'alternatives' && rule.alternatives.some((each) => missingOf(each, auth) !== undefined);

/** What the caller has changed of what they would have seen: what was hidden and is as it was they have left alone. */
function changeSeen(side: Side, { action, caller, record, changed, at }: PastCall): SeenChange {
  if (action === 'create' || changed === undefined) {
    return { before: undefined, after: sentAs(side, caller, record.fields, at), hidden: [] };
  }
  const hidden = createSight(side, caller, { at }).hidden(record);
  const kept = hidden.filter((path) => isDeepStrictEqual(valueAt(record.fields, path), valueAt(changed.fields, path)));
  return { before: redact(record.fields, hidden), after: redact(changed.fields, kept), hidden };
}

/** A default is of the time at which a call came in; its event is of the time at which it was written. */
const nearMs = 5_000;

/** The fields of a creation as they may have been sent: without what is as its default would be. */
function sentAs({ fields: declared }: Side, caller: PastCall['caller'], made: Fields, at: Date): Fields {
  const ruled = declared.filter((field) => field.default !== undefined);
  const bare = redact(
    made,
    ruled.map(({ segments }) => segments),
  );
  const filled = applyDefaults(declared, bare, caller, at);
  const isDefault = ({ segments, default: own }: DeclaredField): boolean => {
    const value = valueAt(made, segments);
    if (own?.kind !== 'now') return isDeepStrictEqual(value, valueAt(filled, segments));
    return typeof value === 'string' && Math.abs(Date.parse(value) - at.getTime()) < nearMs;
  };
  return redact(
    made,
    ruled.filter(isDefault).map(({ segments }) => segments),
  );
}
