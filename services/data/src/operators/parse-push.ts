import type { LocatedFault, Parsed } from '../conditions/located-fault.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import { checkPlainValue, isObject } from '../conditions/plain-value.ts';
import { operandBounds } from './element-condition.ts';
import type { OperatorChange } from './operator.ts';

const maxValues = 1_000;

/** Parses what `$push` adds: one value, or `{"$each": [...], "$position"?, "$slice"?}`. */
export function parsePush(json: unknown, pointer: string): Parsed<OperatorChange> {
  const values = parseValues(json, pointer, ['$position', '$slice']);
  const modifiers = isModified(json) ? json : {};
  const position = parseWhole(modifiers.$position, pointerTo(pointer, '$position'));
  const slice = parseWhole(modifiers.$slice, pointerTo(pointer, '$slice'));
  const faults = [values, position, slice].flatMap((parsed) => (parsed.ok ? [] : parsed.faults));
  if (!values.ok || !position.ok || !slice.ok) return { ok: false, faults };
  return {
    ok: true,
    value: {
      name: '$push',
      values: values.value,
      ...(position.value === undefined ? {} : { position: position.value }),
      ...(slice.value === undefined ? {} : { slice: slice.value }),
    },
  };
}

/** Parses what `$addToSet` adds: one value, or `{"$each": [...]}`. */
export function parseSetMembers(json: unknown, pointer: string): Parsed<OperatorChange> {
  const values = parseValues(json, pointer, []);
  return values.ok ? { ok: true, value: { name: '$addToSet', values: values.value } } : values;
}

const isModified = (json: unknown): json is Readonly<Record<string, unknown>> =>
  isObject(json) && Object.keys(json).some((name) => name.startsWith('$'));

function parseValues(json: unknown, pointer: string, modifiers: readonly string[]): Parsed<readonly unknown[]> {
  const refused = (at: string, code: string, message: string): { ok: false; faults: LocatedFault[] } => ({
    ok: false,
    faults: [{ pointer: at, code, message }],
  });
  if (!isModified(json)) {
    const faults = checkPlainValue(json, pointer, operandBounds);
    return faults.length > 0 ? { ok: false, faults } : { ok: true, value: [json] };
  }
  const known = ['$each', ...modifiers];
  const unknown = Object.keys(json).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    return refused(pointerTo(pointer, unknown), 'unknown-operator', `Use ${known.join(', ')}, or a value.`);
  }
  const at = pointerTo(pointer, '$each');
  const { $each: values } = json;
  if (!Array.isArray(values) || values.length > maxValues) {
    return refused(at, 'invalid-operand', `Give $each an array of at most ${maxValues} values.`);
  }
  const faults = checkPlainValue(values, at, operandBounds);
  return faults.length > 0 ? { ok: false, faults } : { ok: true, value: values };
}

function parseWhole(json: unknown, pointer: string): Parsed<number | undefined> {
  if (json === undefined || (typeof json === 'number' && Number.isSafeInteger(json))) return { ok: true, value: json };
  return { ok: false, faults: [{ pointer, code: 'invalid-operand', message: 'Give a whole number.' }] };
}
