import { isDeepStrictEqual } from 'node:util';

import type { LocatedFault } from '../conditions/located-fault.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import type { Caller } from '../rules/rule.ts';
import type { DeclaredField } from './declared-field.ts';
import { fieldReadOnly, fieldWriteOnce } from './fields.errors.ts';
import { valueAt } from './value-at.ts';

/** Definitions that a write has to keep to. */
interface Definitions {
  readonly fields: readonly DeclaredField[];
  /** The one that is about to come. */
  readonly pending: { readonly fields: readonly DeclaredField[] } | undefined;
}

/**
 * Refuses to change what its definition keeps: read-only fields for those who are no administrators, and what can be written
 * once for everybody.
 *
 * @param before - the record's fields; undefined where it is to be created
 * @param after - the new ones; of a record that is to be created, as they were sent, without defaults
 * @throws Fault `field-read-only`, `field-write-once`
 */
export function demandFieldWrites(
  { fields, pending }: Definitions,
  caller: Pick<Caller, 'administrator'>,
  before: unknown,
  after: unknown,
): void {
  for (const declared of [fields, pending?.fields ?? []]) {
    const changed = declared.filter(
      ({ segments }) => !isDeepStrictEqual(valueAt(before, segments), valueAt(after, segments)),
    );
    const kept = caller.administrator ? [] : changed.filter(({ readOnly }) => readOnly);
    if (kept.length > 0) {
      throw fieldReadOnly({ errors: located(kept, 'read-only', 'Leave this field to administrators.') });
    }
    const written = changed.filter(
      ({ writeOnce, segments }) => writeOnce && (valueAt(before, segments) ?? null) !== null,
    );
    if (written.length > 0) {
      throw fieldWriteOnce({ errors: located(written, 'write-once', 'Leave this value as it is.') });
    }
  }
}

const located = (fields: readonly DeclaredField[], code: string, message: string): LocatedFault[] =>
  fields.map(({ segments }) => ({ pointer: segments.reduce<string>(pointerTo, ''), code, message }));
