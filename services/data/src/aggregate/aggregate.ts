import type { Condition, Operand } from '../conditions/condition.ts';
import type { FieldPath } from '../conditions/field-path.ts';
import type { Locate, RecordQuery } from '../queries/asked-query.ts';

/** The bounds of an aggregate, and of what it answers. */
export const aggregateLimits = {
  stages: 10,
  keys: 8,
  fields: 20,
  boundaries: 100,
  lookups: 3,
  /** Rows of the result. */
  rows: 1_000,
  /** Values of one `addToSet`. */
  values: 1_000,
  /** Records that one lookup may bring. */
  lookedUp: 1_000,
  /** Of the result as JSON, in characters. */
  length: 4 * 1_048_576,
} as const;

/** Parts of a calendar that times may be put together by. A week begins on Monday. */
export const calendarUnits = ['hour', 'day', 'week', 'month', 'quarter', 'year'] as const;

/** See {@link calendarUnits}. */
export type CalendarUnit = (typeof calendarUnits)[number];

/** What a key is made of: a value as it is, the boundary that a number lies above, or the beginning of the unit that a time lies in. */
export type Key =
  | { readonly kind: 'value'; readonly path: FieldPath }
  | { readonly kind: 'boundaries'; readonly path: FieldPath; readonly boundaries: readonly number[] }
  | { readonly kind: 'unit'; readonly path: FieldPath; readonly unit: CalendarUnit; readonly timeZone: string };

/** What is made of one field of all rows of a group. */
export const accumulators = ['sum', 'avg', 'min', 'max', 'first', 'last', 'addToSet', 'countDistinct'] as const;

/** How often, or what of a field. */
export type Accumulator =
  { readonly kind: 'count' } | { readonly kind: (typeof accumulators)[number]; readonly path: FieldPath };

/** Puts rows together that have equal keys. */
export interface Group {
  readonly keys: readonly (readonly [name: string, key: Key])[];
  readonly fields: readonly (readonly [name: string, accumulator: Accumulator])[];
}

/** What rows are left, and in which order, once they are put together. */
export interface GroupPhase {
  readonly group: Group;
  readonly match: Condition<Operand> | undefined;
  readonly sort: readonly { readonly path: FieldPath; readonly direction: 1 | -1 }[] | undefined;
  readonly limit: number | undefined;
}

/** Shows the record that a row refers to. */
export interface AskedLookup {
  /** Of the row. */
  readonly path: FieldPath;
  /** The id of the collection that is referred to. */
  readonly target: string;
  readonly as: string;
  /** Undefined for all that is seen of it. */
  readonly fields: readonly FieldPath[] | undefined;
}

/** An aggregate, parsed. */
export interface Aggregate {
  /** Which records it is made of, in which order; of these the first, where there is a limit. */
  readonly query: RecordQuery;
  readonly isSorted: boolean;
  readonly limit: number | undefined;
  readonly phases: readonly GroupPhase[];
  /** Where the parts of the query stand. */
  readonly locate: Locate;
  /** What of a group is answered; undefined where the rows are records. */
  readonly names: readonly string[] | undefined;
  readonly lookups: readonly AskedLookup[];
  /** The fields of records that something is made of, and where they were named. */
  readonly computed: readonly { readonly path: FieldPath; readonly pointer: string }[];
}
