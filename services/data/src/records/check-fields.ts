import type { LocatedFault } from '../conditions/located-fault.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import { reservedNames } from '../conditions/field-path.ts';
import { checkPlainValue, isDangerousName } from '../conditions/plain-value.ts';

/** Bounds of a record beside its size. MongoDB stores at most 100 levels, of which the stored form takes two. */
const recordBounds = { depth: 32, nodes: 100_000 };

/**
 * Checks what no schema can allow a record: names that the service keeps itself or that no path reaches, numbers and
 * texts that would not come back as they were sent, and depth.
 *
 * @param json - The fields that a client sent, as `JSON.parse` gave them.
 * @returns All faults, by JSON pointer into the fields.
 */
export function checkFields(json: unknown): LocatedFault[] {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    return [{ pointer: '', code: 'invalid-record', message: 'Send the fields as a JSON object.' }];
  }
  const faults = Object.keys(json).flatMap((name): LocatedFault[] => {
    const message = refuseName(name);
    return message === undefined ? [] : [{ pointer: pointerTo('', name), code: 'reserved-name', message }];
  });
  return [...faults, ...checkPlainValue(json, '', recordBounds)];
}

function refuseName(name: string): string | undefined {
  if (reservedNames.has(name)) return `Leave \`${name}\` out: the service keeps it itself.`;
  if (name === '') return 'Rename the field: its name is empty.';
  if (name.startsWith('_')) return 'Rename the field: names do not begin with `_`.';
  return isDangerousName(name) && name !== '__proto__' ? `Rename the field: \`${name}\` is not allowed.` : undefined;
}
