import type { LocatedFault } from '../conditions/located-fault.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import type { DeclaredField } from './declared-field.ts';
import { valueOf } from './default-of.ts';

/**
 * Checks that the schema takes the defaults. What a caller brings is not known yet.
 *
 * @param declared - what the definition says of fields
 * @param validate - of the definition's schema
 * @param pointer - where `fields` stands, for the faults
 */
export function checkDefaults(
  declared: readonly DeclaredField[],
  validate: (fields: unknown) => readonly LocatedFault[],
  pointer: string,
): LocatedFault[] {
  return declared.flatMap(({ path, segments, default: given }) => {
    if (given === undefined || given.kind === 'auth') return [];
    const value = valueOf(given, { auth: {} }, new Date(0));
    const record = segments.reduceRight<unknown>((inner, segment) => ({ [segment]: inner }), value);
    const place = segments.reduce<string>(pointerTo, '');
    // What else such a record lacks says nothing of the default.
    return validate(record)
      .filter((fault) => fault.pointer === place || fault.pointer.startsWith(`${place}/`))
      .map((fault) => ({
        ...fault,
        pointer: `${pointerTo(pointerTo(pointer, path), 'default')}${fault.pointer.slice(place.length)}`,
      }));
  });
}
