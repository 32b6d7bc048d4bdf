import type { AuthName, Operand, Value } from '../../conditions/condition.ts';
import type { FieldPath } from '../../conditions/field-path.ts';
import { cut } from '../../records/record-faults.ts';

/** What each of the caller's values is called. */
export const callersWords: Readonly<Record<AuthName, string>> = {
  sub: 'the caller',
  roles: "the caller's roles",
  org: "the caller's organisation",
  scope: "the caller's scopes",
  client_id: "the caller's client",
  sid: "the caller's session",
};

const longestValue = 60;

/** A value as people read it: JSON, cut where it is long. */
export const describeValue = (value: Value): string =>
  value instanceof Date ? value.toISOString() : cut(JSON.stringify(value), longestValue);

const units: readonly (readonly [string, number])[] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
];

/** A time that lies so far from now: "2 hours ago". */
function describeOffset(offsetMs: number): string {
  const [unit, unitMs] = units.find(([, ms]) => offsetMs % ms === 0) ?? ['second', 1_000];
  const count = Math.abs(offsetMs) / unitMs;
  if (count === 0) return 'now';
  return `${count} ${unit}${count === 1 ? '' : 's'} ${offsetMs < 0 ? 'ago' : 'from now'}`;
}

/**
 * Says what something is compared with.
 *
 * @param path - what is compared; undefined for an element of an array
 */
export function describeOperand(operand: Operand, path: FieldPath | undefined): string {
  switch (operand.kind) {
    case 'value':
      return operand.value === null ? 'null or missing' : describeValue(operand.value);
    case 'auth':
      return callersWords[operand.name];
    case 'now':
      return describeOffset(operand.offsetMs);
    case 'before':
      return operand.path.text === path?.text ? 'what it was' : `what \`${operand.path.text}\` was`;
    case 'follow':
      return 'a record of the collection that it refers to';
  }
}

/** Whether something is compared as a time: then it is later and not more. */
export const isTime = (operand: Operand): boolean =>
  operand.kind === 'now' ||
  (operand.kind === 'before' && operand.path.holds === 'time') ||
  (operand.kind === 'value' && operand.value instanceof Date);

const mostItems = 5;

/** Says what a list holds: `"a", "b" and 3 more`, or what is the caller's. */
export function describeList(operands: readonly Operand[]): string {
  if (operands.length === 0) return 'nothing';
  const items = operands.slice(0, mostItems).map((operand) => describeOperand(operand, undefined));
  const rest = operands.length - items.length;
  return rest === 0 ? items.join(', ') : `${items.join(', ')} and ${rest} more`;
}
