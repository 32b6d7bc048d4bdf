import { faults } from '@causeway/contracts';

import { pointerTo } from '../conditions/located-fault.ts';
import { valueAt } from '../fields/value-at.ts';
import type { DeclaredReference } from './declared-references.ts';

/** A record that is named in a field. */
export interface NamedRecord {
  /** The id of its collection. */
  readonly target: string;
  readonly id: string;
  /** Where it is named, in the fields of the record that names it. */
  readonly pointer: string;
}

/** Ids that one field may hold. */
export const maxIds = 100;

/** The ids at a place, with where each stands; what is no text is none. */
export function idsAt(fields: unknown, segments: readonly string[]): readonly { id: string; pointer: string }[] {
  const value = valueAt(fields, segments);
  const pointer = segments.reduce<string>(pointerTo, '');
  if (typeof value === 'string') return [{ id: value, pointer }];
  if (!Array.isArray(value)) return [];
  return value.flatMap((id: unknown, at) => (typeof id === 'string' ? [{ id, pointer: pointerTo(pointer, at) }] : []));
}

/**
 * The records that a write names anew: those that the record named before, at the same place, are there already.
 *
 * @param before - the record's fields; undefined where it is to be created
 * @param after - the new ones
 * @throws Fault `invalid-request` where a field names too many
 */
export function newlyNamed(
  references: readonly DeclaredReference[],
  before: unknown,
  after: unknown,
): readonly NamedRecord[] {
  return references.flatMap(({ segments, target }) => {
    const ids = idsAt(after, segments);
    if (ids.length > maxIds) {
      const pointer = segments.reduce<string>(pointerTo, '');
      const message = `Name at most ${maxIds} records in one field.`;
      throw faults.invalidRequest({ errors: [{ pointer, code: 'too-many-references', message }] });
    }
    const known = new Set(idsAt(before, segments).map(({ id }) => id));
    return ids.flatMap(({ id, pointer }) => (known.has(id) ? [] : [{ target, id, pointer }]));
  });
}
