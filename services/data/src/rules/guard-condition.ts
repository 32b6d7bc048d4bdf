import { bindCondition } from '../conditions/bind-condition.ts';
import { compilePredicate } from '../conditions/compile-predicate.ts';
import type { Atom, Condition, Operand, Value } from '../conditions/condition.ts';
import { everything, nothing } from '../conditions/condition.ts';
import type { FieldPath } from '../conditions/field-path.ts';
import { positionsOf } from '../conditions/geo/geometry.ts';
import { isWithin } from '../fields/is-within.ts';

/** A field that a caller sees in some records only, or in none. */
export interface Guard<O> {
  /** From the stored document on, with objects only on the way. */
  readonly segments: readonly string[];
  /** Where it is met the field is seen; never {@link isAlways}. */
  readonly condition: Condition<O>;
}

/** What is asked cannot be answered to somebody who does not see all of it, whatever the records are. */
export class GuardRefused extends Error {
  override readonly name = 'GuardRefused';
  readonly code: 'guarded-field' | 'too-many-conditions';

  constructor(code: GuardRefused['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** What the rules of fields may add to one filter: each of its conditions on such a field repeats the field's rule. */
const maxAddedNodes = 10_000;

/** Whether every record meets a condition, whatever it is. */
export function isAlways(condition: Condition<unknown>): boolean {
  switch (condition.kind) {
    case 'and':
      return condition.branches.every(isAlways);
    case 'or':
      return condition.branches.some(isAlways);
    case 'nor':
      return condition.branches.every(isNever);
    case 'not':
      return isNever(condition.branch);
    case 'field':
      return false;
  }
}

/** Whether no record meets a condition, whatever it is. */
export function isNever(condition: Condition<unknown>): boolean {
  switch (condition.kind) {
    case 'and':
      return condition.branches.some(isNever);
    case 'or':
      return condition.branches.every(isNever);
    case 'nor':
      return condition.branches.some(isAlways);
    case 'not':
      return isAlways(condition.branch);
    case 'field':
      return false;
  }
}

/**
 * Makes of a filter one that a record meets as it is stored exactly where the record meets the filter as the caller sees it: without
 * the fields that are hidden there.
 *
 * @param filter - with or without its places filled
 * @param guards - of the caller
 * @param meetsMissing - {@link missingMeets} or {@link missingMeetsOpen}
 * @throws GuardRefused where the filter asks of an object a part of which is guarded, or the rules make it too large
 */
export function guardCondition<O>(
  filter: Condition<O>,
  guards: readonly Guard<O>[],
  meetsMissing: MeetsMissing<O>,
): Condition<O> {
  if (guards.length === 0) return filter;
  const sizes = new Map(guards.map((guard) => [guard, sizeOf(guard.condition)]));
  let added = 0;
  const guardField = (field: FieldCondition<O>): Condition<O> => {
    demandWhole(field.path, guards);
    const own = guards.filter(({ segments }) => isWithin(field.path.segments, segments));
    if (own.length === 0) return field;
    const ifHidden = meetsMissing(field);
    if (own.some(({ condition }) => isNever(condition))) return ifHidden ? everything : nothing;
    for (const guard of own) added += (sizes.get(guard) ?? 0) * (ifHidden ? 2 : 1);
    if (added > maxAddedNodes) {
      const message =
        'Ask less of fields that are shown by rules of their own: each condition on one repeats its rule.';
      throw new GuardRefused('too-many-conditions', message);
    }
    const isSeen: Condition<O> = { kind: 'and', branches: own.map(({ condition }) => condition) };
    const seen: Condition<O> = { kind: 'and', branches: [isSeen, field] };
    return ifHidden ? { kind: 'or', branches: [seen, { kind: 'not', branch: isSeen }] } : seen;
  };
  const guard = (condition: Condition<O>): Condition<O> => {
    switch (condition.kind) {
      case 'and':
      case 'or':
      case 'nor':
        return { kind: condition.kind, branches: condition.branches.map(guard) };
      case 'not':
        return { kind: 'not', branch: guard(condition.branch) };
      case 'field':
        return guardField(condition);
    }
  };
  return guard(filter);
}

type FieldCondition<O> = Extract<Condition<O>, { readonly kind: 'field' }>;

/**
 * Refuses to put records in the order of what is guarded.
 *
 * @throws GuardRefused
 */
export function demandSortable(paths: readonly FieldPath[], guards: readonly Guard<unknown>[]): void {
  for (const path of paths) {
    demandWhole(path, guards);
    if (!guards.some(({ segments }) => isWithin(path.segments, segments))) continue;
    const message = `Sort by other fields: you see \`${path.text}\` by a rule of its own, and not in every record.`;
    throw new GuardRefused('guarded-field', message);
  }
}

/**
 * Refuses to look for words, or for what is near, by a field that is not seen in every record: an index leads to what is hidden as well, and
 * ranks by it. Which field it is is not said: whoever looks for words has named none.
 *
 * @throws GuardRefused
 */
export function demandRankable(path: FieldPath, guards: readonly Guard<unknown>[]): void {
  if (!isGuarded(path, guards)) return;
  const message = 'Leave it out: records would be found by what you do not see in every one of them.';
  throw new GuardRefused('guarded-field', message);
}

/**
 * Refuses to make something of a field that is not seen in every record, or of one that has such a part.
 *
 * @throws GuardRefused
 */
export function demandUnguarded(path: FieldPath, guards: readonly Guard<unknown>[]): void {
  if (!isGuarded(path, guards)) return;
  const message = `Leave \`${path.text}\` out: you see it, or a part of it, by a rule of its own, and not in every record.`;
  throw new GuardRefused('guarded-field', message);
}

const isGuarded = ({ segments }: FieldPath, guards: readonly Guard<unknown>[]): boolean =>
  guards.some((guard) => isWithin(segments, guard.segments) || isWithin(guard.segments, segments));

function demandWhole({ text, segments }: FieldPath, guards: readonly Guard<unknown>[]): void {
  const isTorn = guards.some((guard) => guard.segments.length > segments.length && isWithin(guard.segments, segments));
  if (!isTorn) return;
  const message = `Name the parts of \`${text}\`: you do not see all of it in every record.`;
  throw new GuardRefused('guarded-field', message);
}

/** Whether a record without the field meets what is asked of it. */
export type MeetsMissing<O> = (field: FieldCondition<O>) => boolean;

/** {@link MeetsMissing} of a filter whose places are filled. */
export const missingMeets: MeetsMissing<Value> = (field) => compilePredicate(field, () => undefined)({});

/** {@link MeetsMissing} of a filter with places for the time: to what is missing one time is as good as another. */
export const missingMeetsOpen: MeetsMissing<Operand> = (field) =>
  compilePredicate(bindCondition(field, { at: new Date(0) }), () => undefined)({});

/** How many values an atom holds beside its operator. */
function valuesOf(atom: Atom<unknown>): number {
  if (atom.op === 'in' || atom.op === 'all') return atom.operands.length;
  return atom.op === 'geo' && atom.area.kind === 'geometry' ? positionsOf(atom.area.geometry) : 0;
}

/** How much of a query a condition is. */
function sizeOf(condition: Condition<unknown>): number {
  switch (condition.kind) {
    case 'field':
      return 1 + valuesOf(condition.atom);
    case 'not':
      return 1 + sizeOf(condition.branch);
    case 'and':
    case 'or':
    case 'nor':
      return condition.branches.reduce((sum, branch) => sum + sizeOf(branch), 1);
  }
}
