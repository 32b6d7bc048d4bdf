import type { LocatedFault } from '../conditions/located-fault.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import { isObject } from '../conditions/plain-value.ts';
import type { Condition, Operand } from '../conditions/condition.ts';
import { encryptedAskedBy, encryptedField } from '../encryption/check-encrypted.ts';
import { overlap } from '../encryption/sealed-fields.ts';

/** Operators whose operands are values of fields, or may tell of them. */
const telling: ReadonlySet<string> = new Set(['$set', '$min', '$max', '$push', '$addToSet', '$pull', '$default']);

/** The dotted paths that the `fields` of a definition, as they are sent or stored, have encrypted. */
export const encryptedOf = (fields: Readonly<Record<string, unknown>> = {}): readonly string[] =>
  Object.entries(fields).flatMap(([path, options]) => (isObject(options) && options.encrypted === true ? [path] : []));

/**
 * Finds where a step says what an encrypted field is to hold: a migration is kept as it was sent, and told by its events.
 *
 * @param operators - of the step, as they were sent
 * @param encrypted - the dotted paths of the collection's encrypted fields
 * @param pointer - where the operators stand, for the faults
 */
export function toldInClear(operators: unknown, encrypted: readonly string[], pointer: string): LocatedFault[] {
  if (!isObject(operators)) return [];
  return Object.entries(operators).flatMap(([name, operands]) => {
    if (!telling.has(name) || !isObject(operands)) return [];
    const paths = Object.keys(operands).filter((path) =>
      encrypted.some((each) => overlap(each.split('.'), path.split('.'))),
    );
    return paths.map((path): LocatedFault => {
      const message = `\`${path}\` is stored encrypted: a migration, which is kept and told as it is sent, does not say what it holds.`;
      return { pointer: pointerTo(pointerTo(pointer, name), path), code: encryptedField, message };
    });
  });
}

/** Finds what the filter of a step asks for that is encrypted. */
export const askedInClear = (
  filter: Condition<Operand>,
  encrypted: readonly string[],
  pointer: string,
): LocatedFault[] => {
  const fields = encrypted.map((path) => ({ segments: path.split('.') }));
  return encryptedAskedBy(filter, fields).map((path) => {
    const message = `\`${path}\` is stored encrypted, or a part of it is: no record can be found by it.`;
    return { pointer, code: encryptedField, message };
  });
};
