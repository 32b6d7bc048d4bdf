import { compareValues } from '../conditions/bson-order.ts';
import { createBudget, TooCostly } from '../conditions/evaluation-budget.ts';
import type { Spend } from '../conditions/pattern/automaton.ts';
import type { Operator } from './operator.ts';
import { operatorFailed } from './operators.errors.ts';
import type { Found } from './set-at-path.ts';
import { findAt, setAt } from './set-at-path.ts';

/** What the conditions of one patch may take over the elements that they look at: about 40 ms. */
const conditionUnits = 4_000_000;

/** Ends an operator that does not fit what is there. */
type Fail = (code: string, reason: string) => never;

/**
 * Applies operators to a record's fields, all of them or none, with MongoDB's results: `operators-agree.int.spec.ts` holds
 * the two against each other.
 *
 * @param fields - not changed
 * @param operators - of different paths, none within another
 * @returns the new fields
 * @throws Fault `operator-failed` naming the operator that does not fit
 */
export function applyOperators(
  fields: Readonly<Record<string, unknown>>,
  operators: readonly Operator[],
): Record<string, unknown> {
  const result = structuredClone(fields) as Record<string, unknown>;
  const spend = createBudget(conditionUnits);
  for (const operator of operators) {
    const fail: Fail = (code, message) => {
      throw operatorFailed({ errors: [{ pointer: operator.pointer, code, message }] });
    };
    try {
      apply(result, operator, spend, fail);
    } catch (error) {
      if (!(error instanceof TooCostly)) throw error;
      fail('too-costly', 'The condition takes too long over the elements that are there.');
    }
  }
  return result;
}

function apply(fields: Record<string, unknown>, operator: Operator, spend: Spend, fail: Fail): void {
  const { segments } = operator;
  const found = findAt(fields, segments);
  if (operator.name === '$unset') {
    removeFound(found);
    return;
  }
  if (found.kind === 'blocked') fail(found.code, found.reason);
  const value = valueOf(operator, found, spend, fail);
  // A copy: the operator may be applied again after a lost race.
  if (value !== undefined) setAt(fields, segments, structuredClone(value));
}

/** Where nothing can be there is nothing to do. A place in an array is left empty, so that the others keep theirs. */
function removeFound(found: Found): void {
  if (found.kind !== 'there') return;
  if (Array.isArray(found.holder)) found.holder[Number(found.key)] = null;
  else Reflect.deleteProperty(found.holder, found.key);
}

/** The new value of a path; undefined where there is none. */
function valueOf(
  operator: Exclude<Operator, { name: '$unset' }>,
  found: Exclude<Found, { kind: 'blocked' }>,
  spend: Spend,
  fail: Fail,
): unknown {
  const current = found.kind === 'there' ? found.value : undefined;
  switch (operator.name) {
    case '$set':
      return operator.value;
    case '$min':
      return current !== undefined && compareValues(current, operator.value) <= 0 ? current : operator.value;
    case '$max':
      return current !== undefined && compareValues(current, operator.value) >= 0 ? current : operator.value;
    case '$inc':
      return add(current, operator.by, fail);
    case '$push':
      return push(listOf(current, operator, fail) ?? [], operator);
    case '$pull':
      return listOf(current, operator, fail)?.filter((element) => !operator.elements(element, spend));
    case '$addToSet':
      return addToSet(listOf(current, operator, fail) ?? [], operator.values);
  }
}

function listOf(value: unknown, { name }: Operator, fail: Fail): readonly unknown[] | undefined {
  if (value === undefined || Array.isArray(value)) return value;
  return fail('does-not-fit', `${name} is for lists, and another value is there.`);
}

function add(current: unknown, by: number, fail: Fail): number {
  if (current === undefined) return by;
  if (typeof current !== 'number') return fail('does-not-fit', '$inc is for numbers, and another value is there.');
  const sum = current + by;
  const isHeld = Number.isFinite(sum) && (!Number.isInteger(sum) || Number.isSafeInteger(sum));
  return isHeld
    ? sum
    : fail('number-out-of-range', 'The sum would lie beyond ±(2^53 - 1), where numbers are not exact.');
}

function push(list: readonly unknown[], { values, position, slice }: Operator & { readonly name: '$push' }): unknown[] {
  const result = list.toSpliced(position ?? list.length, 0, ...values);
  if (slice === undefined) return result;
  return slice < 0 ? result.slice(slice) : result.slice(0, slice);
}

/** As JSON values are equal that MongoDB holds for equal: an object's members count in their order. */
function addToSet(list: readonly unknown[], values: readonly unknown[]): unknown[] {
  const seen = new Set(list.map((each) => JSON.stringify(each)));
  const added = values.filter((value) => {
    const json = JSON.stringify(value);
    return !seen.has(json) && seen.add(json);
  });
  return [...list, ...added];
}
