import type { Condition, Operand } from '../conditions/condition.ts';
import type { FieldPath } from '../conditions/field-path.ts';

/** A part of what is asked. */
export type AskedPart = 'filter' | 'search' | 'sort';

/** What is asked of a collection. */
export interface AskedOf {
  readonly filter: Condition<Operand>;
  readonly sort?: readonly { readonly path: FieldPath }[];
  readonly ranked?: readonly { readonly path: FieldPath; readonly part: 'filter' | 'search' }[];
}
