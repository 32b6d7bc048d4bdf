import type { FieldPath } from './field-path.ts';
import type { Area, Relation } from './geo/geometry.ts';
import type { Pattern } from './pattern.ts';

/** A value that a condition compares with: JSON, or a time where the field holds one. */
export type Value = null | boolean | number | string | Date | readonly Value[] | { readonly [name: string]: Value };

/** What is known of a caller and may stand in a rule as `{"$auth": name}`. */
export type AuthName = 'sub' | 'roles' | 'org' | 'scope' | 'client_id' | 'sid';

/** An operand as written: a value, or a place that is filled when the condition is asked. */
export type Operand =
  | { readonly kind: 'value'; readonly value: Value }
  /** Something of the caller's: `{"$auth": "sub"}`. */
  | { readonly kind: 'auth'; readonly name: AuthName }
  /** The time, or one that lies so far from it: `{"$now": "-24h"}`. */
  | { readonly kind: 'now'; readonly offsetMs: number; readonly holds: FieldPath['holds'] }
  /** What the record had before a change: `{"$before": "author"}`. */
  | { readonly kind: 'before'; readonly path: FieldPath; readonly holds: FieldPath['holds'] }
  | FollowOperand;

/** The ids of those records that a reference may name and that meet a condition: `{"project": {"$follow": {…}}}`. */
export interface FollowOperand {
  readonly kind: 'follow';
  /** The reference. */
  readonly path: FieldPath;
  /** What is asked of the record that it names; bound to the same caller, and without other places. */
  readonly condition: Condition<Operand>;
  /** Where it stands in the definition, which tells it from others there. */
  readonly pointer: string;
}

/** Operators that compare one value with one operand. */
export type Comparison = 'eq' | 'gt' | 'gte' | 'lt' | 'lte';

/**
 * What is asked of the value at a path. `all` holds when each operand is equal to some value there; the others hold when
 * some value there passes, where an array's elements, and the array itself, are values.
 */
export type Atom<O> =
  | { readonly op: Comparison; readonly operand: O }
  | { readonly op: 'in' | 'all'; readonly operands: readonly O[] }
  | { readonly op: 'exists' }
  | { readonly op: 'size'; readonly size: number }
  | { readonly op: 'regex'; readonly pattern: Pattern }
  /** A geometry that lies so. */
  | { readonly op: 'geo'; readonly relation: Relation; readonly area: Area }
  | { readonly op: 'element-passes'; readonly test: ElementTest<O> }
  | { readonly op: 'element-matches'; readonly condition: Condition<O> };

/** What `$elemMatch` asks of one element by itself, when it is given operators and not fields. */
export type ElementTest<O> =
  | { readonly kind: 'all'; readonly tests: readonly ElementTest<O>[] }
  | { readonly kind: 'not'; readonly test: ElementTest<O> }
  | { readonly kind: 'atom'; readonly atom: Atom<O> };

/**
 * The condition tree behind every filter and rule, as parsed (`Condition<Operand>`) or with the caller's values filled in
 * (`Condition<Value>`). An `and` without branches is always true, an `or` without branches never.
 */
export type Condition<O> =
  | { readonly kind: 'and' | 'or' | 'nor'; readonly branches: readonly Condition<O>[] }
  | { readonly kind: 'not'; readonly branch: Condition<O> }
  | { readonly kind: 'field'; readonly path: FieldPath; readonly atom: Atom<O> };

/** The condition that every record meets. */
export const everything: Condition<never> = { kind: 'and', branches: [] };

/** The condition that no record meets. */
export const nothing: Condition<never> = { kind: 'or', branches: [] };
