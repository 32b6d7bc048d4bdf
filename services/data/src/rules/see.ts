import { faults } from '@causeway/contracts';

import type { Collection } from '../collections/collection-registry.ts';
import { bindCondition, usesNow } from '../conditions/bind-condition.ts';
import { compilePredicate } from '../conditions/compile-predicate.ts';
import type { Condition, Operand, Value } from '../conditions/condition.ts';
import { createBudget, TooCostly } from '../conditions/evaluation-budget.ts';
import type { FieldPath } from '../conditions/field-path.ts';
import { demandComputablePlain, demandPlain } from '../encryption/demand-plain.ts';
import { openFields } from '../encryption/seal-fields.ts';
import type { SealedFields } from '../encryption/sealed-fields.ts';
import { encryptedPaths } from '../encryption/sealed-fields.ts';
import { fieldsKey } from '../conditions/field-path.ts';
import type { Spend } from '../conditions/pattern/automaton.ts';
import { redact } from '../fields/redact.ts';
import type { Fields, Shown } from '../records/record.model.ts';
import type { AskedOf, AskedPart } from './asked-of.ts';
import type { Guard } from './guard-condition.ts';
import {
  demandRankable,
  demandSortable,
  demandUnguarded,
  guardCondition,
  GuardRefused,
  isAlways,
  isNever,
  missingMeets,
  missingMeetsOpen,
} from './guard-condition.ts';
import type { Caller, Rule, RuleContext } from './rule.ts';
import { conditionOf, decisionUnits, timelessConditionOf } from './rule.ts';
import { ruleTooCostly } from './rules.errors.ts';

/** A collection, as far as what is seen of it goes. */
export type Seen = Pick<Collection, 'rules' | 'fields' | 'cipher'>;

/** A record, in its stored form. */
interface Stored {
  readonly _id: string;
  readonly fields: Fields;
  readonly sealed?: SealedFields | undefined;
}

/** What a caller sees of records. */
export interface Sight {
  /** Whether nothing is hidden, in no record. */
  readonly isWhole: boolean;
  /** Whether records are shown as they are stored: {@link Sight.show} gives back what it is given. */
  readonly isAsStored: boolean;
  /** Whether it depends on the record what is hidden in it: then it has to be read whole. */
  readonly looksAtRecord: boolean;
  /** The fields that are hidden in a record, whether or not it has them, as paths below its `fields`. */
  hidden(record: Stored): readonly (readonly string[])[];
  /**
   * The record without them, and with what is encrypted.
   *
   * @param fields - of these alone; of all that are seen where nothing is said
   */
  show<R extends Stored>(record: R, fields?: readonly FieldPath[]): Shown<R>;
}

/**
 * What a caller may see of what was asked for: the read rule, and the filter over records as the caller sees them.
 *
 * @param filter - its places filled
 * @param context - for rules
 * @throws GuardRefused where {@link demandSeen} would have refused it
 */
export const visibleCondition = (
  { rules, fields }: Seen,
  caller: Caller,
  filter: Condition<Value>,
  context: RuleContext,
): Condition<Value> => {
  const guards = guardsOf(fields, caller, (rule) => conditionOf(rule, caller, context));
  return {
    kind: 'and',
    branches: [conditionOf(rules.read, caller, context), guardCondition(filter, guards, missingMeets)],
  };
};

/** What a feed sees by, with the time yet to be filled in. */
export interface Vision {
  readonly rule: Condition<Operand>;
  readonly filter: Condition<Operand>;
  readonly guards: readonly Guard<Operand>[];
  /** Opens what is encrypted. */
  readonly seen: Pick<Seen, 'fields' | 'cipher'>;
}

/**
 * What {@link visibleCondition} and {@link createSight} are made of, where one caller looks at many times.
 *
 * @throws GuardRefused where {@link demandSeen} would have refused the filter
 */
export function visionOf({ rules, fields, cipher }: Seen, caller: Caller, filter: Condition<Operand>): Vision {
  const bind = (rule: Rule): Condition<Operand> => timelessConditionOf(rule, caller);
  const guards = guardsOf(fields, caller, bind);
  const conditions = { rule: bind(rules.read), filter: guardCondition(filter, guards, missingMeetsOpen) };
  return { ...conditions, guards, seen: { fields, cipher } };
}

/** What conditions let be seen, as text: the same for the same. */
export const visionKey = ({ rule, filter, guards, seen }: Vision): string =>
  JSON.stringify([rule, filter, guards, encryptedPaths(seen.fields)]);

/**
 * All that decides what a caller sees of what was asked for, as text: the same for all who see the same.
 *
 * @returns undefined where the time decides, too
 * @throws GuardRefused where {@link demandSeen} would have refused the filter
 */
export function timelessSight(collection: Seen, caller: Caller, filter: Condition<Operand>): string | undefined {
  const vision = visionOf(collection, caller, filter);
  const conditions = [vision.rule, vision.filter, ...vision.guards.map(({ condition }) => condition)];
  return conditions.some(usesNow) ? undefined : visionKey(vision);
}

/**
 * Whether a caller sees a field in no record, whatever it holds: to them there is none.
 *
 * @param path - below a record's `fields`
 */
export function isNeverSeen({ fields }: Pick<Seen, 'fields'>, caller: Caller, path: readonly string[]): boolean {
  const guards = guardsOf(fields, caller, (rule) => timelessConditionOf(rule, caller));
  return guards.some(
    ({ segments: [, ...guarded], condition }) =>
      isNever(condition) && guarded.every((segment, at) => segment === path[at]),
  );
}

/**
 * Refuses what cannot be asked by who does not see every field, before anything is looked at: the answer says nothing of records.
 *
 * @param asked - the filter, with or without its places filled, the fields of the order, and those by whose words or places records are
 *   ranked
 * @param place - says where each was sent
 * @throws Fault `invalid-request`
 */
export function demandSeen(
  { fields }: Pick<Seen, 'fields'>,
  caller: Caller,
  asked: AskedOf,
  place: (part: AskedPart) => { readonly parameter?: string; readonly pointer?: string },
): void {
  const guards = guardsOf(fields, caller, (rule) => timelessConditionOf(rule, caller));
  const demand = (part: AskedPart, ask: () => unknown): void => placed(place(part), ask);
  demandPlain(fields, asked, place);
  demand('filter', () => guardCondition(asked.filter, guards, missingMeetsOpen));
  const { sort = [], ranked = [] } = asked;
  demand('sort', () =>
    demandSortable(
      sort.map(({ path }) => path),
      guards,
    ),
  );
  for (const { path, part } of ranked) demand(part, () => demandRankable(path, guards));
}

/**
 * Refuses to make something of fields for who does not see them in every record, whatever the records are.
 *
 * @throws Fault `invalid-request`
 */
export function demandComputable(
  { fields }: Pick<Seen, 'fields'>,
  caller: Caller,
  asked: readonly { readonly path: FieldPath; readonly pointer: string }[],
): void {
  demandComputablePlain(fields, asked);
  const guards = guardsOf(fields, caller, (rule) => timelessConditionOf(rule, caller));
  for (const { path, pointer } of asked) placed({ pointer }, () => demandUnguarded(path, guards));
}

/** Says where what is refused was sent. */
function placed(place: { readonly parameter?: string; readonly pointer?: string }, ask: () => unknown): void {
  try {
    ask();
  } catch (error) {
    if (!(error instanceof GuardRefused)) throw error;
    const { code, message } = error;
    throw faults.invalidRequest({ errors: [{ ...place, code, message }] });
  }
}

/**
 * What a caller sees of the records of a collection.
 *
 * @returns its functions throw Fault `rule-too-costly`
 */
export function createSight(
  { fields, cipher }: Pick<Seen, 'fields' | 'cipher'>,
  caller: Caller,
  context: RuleContext,
): Sight {
  const guards = guardsOf(fields, caller, (rule) => conditionOf(rule, caller, context));
  let budget: Spend;
  const hiddenIn = compileHidden(guards, (units) => budget(units));
  const hidden: Sight['hidden'] = (record) => {
    budget = createBudget(decisionUnits);
    try {
      return hiddenIn(record);
    } catch (error) {
      throw error instanceof TooCostly ? ruleTooCostly({ cause: error }) : error;
    }
  };
  return {
    isWhole: guards.length === 0,
    isAsStored: guards.length === 0 && encryptedPaths(fields).length === 0,
    looksAtRecord: guards.some(({ condition }) => !isNever(condition)),
    hidden,
    show: (record, asked) =>
      showWithout({ fields, cipher }, record, guards.length === 0 ? [] : hidden(record), asked?.flatMap(belowFields)),
  };
}

/**
 * Shows one record.
 *
 * @throws Fault `rule-too-costly`
 */
export const show = <R extends Stored>(
  collection: Pick<Seen, 'fields' | 'cipher'>,
  caller: Caller,
  record: R,
  context: RuleContext,
): Shown<R> => createSight(collection, caller, context).show(record);

/**
 * Compiles which fields are hidden in a record, for {@link showWithout}.
 *
 * @param spend - is told of the work of patterns
 */
export function compileHidden(
  guards: readonly Guard<Value>[],
  spend: Spend,
): (record: Stored) => readonly (readonly string[])[] {
  const compiled = guards.map(({ segments, condition }) => ({
    path: segments.slice(1),
    isSeen: compilePredicate(condition, spend),
  }));
  return (record) => compiled.filter(({ isSeen }) => !isSeen(record)).map(({ path }) => path);
}

/** {@link compileHidden}'s guards at a time. */
export const guardsAt = (guards: readonly Guard<Operand>[], at: Date): readonly Guard<Value>[] =>
  guards.map(({ segments, condition }) => ({ segments, condition: bindCondition(condition, { at }) }));

/** The path of a field below a record's `fields`; none where it is one of the service's own. */
const belowFields = ({ segments: [root, ...segments] }: FieldPath): readonly (readonly string[])[] =>
  root === fieldsKey ? [segments] : [];

/** A record without what is hidden in it, and with what is encrypted, of that with what is wanted alone where that is said. */
export function showWithout<R extends Stored>(
  seen: Pick<Seen, 'fields' | 'cipher'>,
  record: R,
  hidden: readonly (readonly string[])[],
  wanted?: readonly (readonly string[])[],
): Shown<R> {
  if (hidden.length === 0 && record.sealed === undefined) return record as Shown<R>;
  // Nothing is there of the fields where nothing of them was asked for.
  const { fields = {} } = record as Partial<R>;
  return { ...record, fields: redact(openFields(seen, { ...record, fields }, { hidden, wanted }), hidden) } as Shown<R>;
}

/** A record as it is shown to who sees all of it, in a collection in which nothing is encrypted. */
export const showWhole = <R extends Stored>(record: R): Shown<R> => record as Shown<R>;

function guardsOf<O>(fields: Seen['fields'], caller: Caller, bind: (rule: Rule) => Condition<O>): readonly Guard<O>[] {
  if (caller.administrator) return [];
  return fields.flatMap(({ segments, read }) => {
    if (read === undefined) return [];
    const condition = bind(read);
    return isAlways(condition) ? [] : [{ segments: [fieldsKey, ...segments], condition }];
  });
}
