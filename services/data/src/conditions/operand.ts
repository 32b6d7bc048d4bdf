import type { Operand, Value } from './condition.ts';
import type { Parsed } from './located-fault.ts';
import { pointerTo } from './located-fault.ts';
import { checkPlainValue } from './plain-value.ts';
import type { OperandPlace } from './reference.ts';
import { isReference, parseReference, refused } from './reference.ts';

/** Bounds of one operand's own value; the whole tree's bound on nodes comes on top. */
const operandBounds = { depth: 8, nodes: 1_000 };

/** RFC 3339 with at most milliseconds, which is what the service keeps. */
const timePattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?(?:Z|[+-]\d{2}:\d{2})$/;

/** Reads the operand of an operator that takes one value. */
export function parseOperand(json: unknown, place: OperandPlace): Parsed<Operand> {
  if (isReference(json)) return parseReference(json, place, 'one');
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
  const isOrdered = typeof json !== 'object' || json === null || isReference(json);
  if (isOrdered) return parseOperand(json, place);
  return refused(place, 'invalid-operand', 'Compare with a number, a text, a boolean, a time or null.');
}

/** Reads the operand of an operator that takes a list: an array of operands, or a caller's list. */
export function parseOperands(json: unknown, place: OperandPlace, maxItems: number): Parsed<readonly Operand[]> {
  if (isReference(json)) {
    const list = parseReference(json, place, 'list');
    return list.ok ? { ok: true, value: [list.value] } : list;
  }
  if (!Array.isArray(json)) return refused(place, 'invalid-operand', 'Give an array of values.');
  if (json.length > maxItems) return refused(place, 'too-many-values', `Give at most ${maxItems} values.`);
  const parsed = json.map((item, index) => parseItem(item, { ...place, pointer: pointerTo(place.pointer, index) }));
  const faults = parsed.flatMap((each) => (each.ok ? [] : each.faults));
  return faults.length > 0
    ? { ok: false, faults }
    : { ok: true, value: parsed.flatMap((each) => (each.ok ? [each.value] : [])) };
}

const parseItem = (json: unknown, place: OperandPlace): Parsed<Operand> =>
  isReference(json) ? parseReference(json, place, 'item') : parseOperand(json, place);

function parseTime(json: unknown, place: OperandPlace): Parsed<Operand> {
  if (json === null) return { ok: true, value: { kind: 'value', value: null } };
  const time = typeof json === 'string' && timePattern.test(json) ? new Date(json) : undefined;
  if (time === undefined || Number.isNaN(time.getTime())) {
    return refused(place, 'invalid-time', 'Give a time such as "2026-01-31T12:00:00.000Z", to milliseconds at most.');
  }
  return { ok: true, value: { kind: 'value', value: time } };
}
