import type { AuthName, Operand, Value } from './condition.ts';
import type { LocatedFault, Parsed } from './located-fault.ts';
import { pointerTo } from './located-fault.ts';
import type { FieldPath } from './field-path.ts';
import { checkPlainValue } from './plain-value.ts';

/** What each `$auth` name stands for: one text, or a list of them. */
const authKinds: ReadonlyMap<string, { name: AuthName; kind: 'text' | 'list' }> = new Map([
  ['sub', { name: 'sub', kind: 'text' }],
  ['roles', { name: 'roles', kind: 'list' }],
  ['org', { name: 'org', kind: 'text' }],
  ['scope', { name: 'scope', kind: 'list' }],
  ['client_id', { name: 'client_id', kind: 'text' }],
  ['sid', { name: 'sid', kind: 'text' }],
]);

/** Whether a name stands for something of the caller's. */
export const isAuthName = (name: unknown): name is AuthName => typeof name === 'string' && authKinds.has(name);

/** Bounds of one operand's own value; the whole tree's bound on nodes comes on top. */
const operandBounds = { depth: 8, nodes: 1_000 };

/** RFC 3339 with at most milliseconds, which is what the service keeps. */
const timePattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?(?:Z|[+-]\d{2}:\d{2})$/;

/** Where an operand stands and what it may be there. */
export interface OperandPlace {
  readonly pointer: string;
  readonly holds: FieldPath['holds'];
  /** Whether `{"$auth": …}` may stand here. */
  readonly auth: boolean;
}

/** Whether a value is a JSON object, and not an array or null. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a value has the form of a caller's value, `{"$auth": …}`. */
export function isAuthReference(value: unknown): value is { readonly $auth: unknown } {
  return isObject(value) && Object.hasOwn(value, '$auth');
}

/** Reads the operand of an operator that takes one value. */
export function parseOperand(json: unknown, place: OperandPlace): Parsed<Operand> {
  if (isAuthReference(json)) return parseAuth(json, place, 'text');
  if (place.holds === 'time') return parseTime(json, place);
  const faults = checkPlainValue(json, place.pointer, operandBounds);
  // checkPlainValue has seen that this is nothing but JSON.
  return faults.length > 0 ? { ok: false, faults } : { ok: true, value: { kind: 'value', value: json as Value } };
}

/**
 * Reads the operand of `$gt`, `$gte`, `$lt` or `$lte`. Arrays and objects are refused: MongoDB orders them, but an index on
 * the field gives other records than a scan (`{"$gte": [[]]}` on a field that is `[[]]`).
 */
export function parseOrderedOperand(json: unknown, place: OperandPlace): Parsed<Operand> {
  const isOrdered = typeof json !== 'object' || json === null || isAuthReference(json);
  if (isOrdered) return parseOperand(json, place);
  return refused(place, 'invalid-operand', 'Compare with a number, a text, a boolean, a time or null.');
}

/** Reads the operand of an operator that takes a list: an array of operands, or a caller's list. */
export function parseOperands(json: unknown, place: OperandPlace, maxItems: number): Parsed<readonly Operand[]> {
  if (isAuthReference(json)) {
    const list = parseAuth(json, place, 'list');
    return list.ok ? { ok: true, value: [list.value] } : list;
  }
  if (!Array.isArray(json)) return refused(place, 'invalid-operand', 'Give an array of values.');
  if (json.length > maxItems) return refused(place, 'too-many-values', `Give at most ${maxItems} values.`);
  const parsed = json.map((item, index) => parseOperand(item, { ...place, pointer: pointerTo(place.pointer, index) }));
  const faults = parsed.flatMap((each) => (each.ok ? [] : each.faults));
  return faults.length > 0
    ? { ok: false, faults }
    : { ok: true, value: parsed.flatMap((each) => (each.ok ? [each.value] : [])) };
}

function parseAuth(json: { readonly $auth: unknown }, place: OperandPlace, kind: 'text' | 'list'): Parsed<Operand> {
  if (!place.auth) return refused(place, 'unknown-operator', 'Use `$auth` in rules only.');
  const known = typeof json.$auth === 'string' ? authKinds.get(json.$auth) : undefined;
  if (known === undefined || Object.keys(json).length > 1) {
    return refused(place, 'invalid-operand', `Use {"$auth": …} with one of ${[...authKinds.keys()].join(', ')}.`);
  }
  if (known.kind !== kind) {
    const advice = kind === 'text' ? 'is a list: use it as the operand of $in' : 'is one value: put it into an array';
    return refused(place, 'invalid-operand', `\`${known.name}\` ${advice}.`);
  }
  return { ok: true, value: { kind: 'auth', name: known.name } };
}

function parseTime(json: unknown, place: OperandPlace): Parsed<Operand> {
  if (json === null) return { ok: true, value: { kind: 'value', value: null } };
  const time = typeof json === 'string' && timePattern.test(json) ? new Date(json) : undefined;
  if (time === undefined || Number.isNaN(time.getTime())) {
    return refused(place, 'invalid-time', 'Give a time such as "2026-01-31T12:00:00.000Z", to milliseconds at most.');
  }
  return { ok: true, value: { kind: 'value', value: time } };
}

function refused(place: OperandPlace, code: string, message: string): { ok: false; faults: LocatedFault[] } {
  return { ok: false, faults: [{ pointer: place.pointer, code, message }] };
}
