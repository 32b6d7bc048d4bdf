import type { Collection } from '../collections/collection-registry.ts';

/** The bounds of what one answer may show beside its records. */
export const expandLimits = {
  /** Paths that one query may name. */
  paths: 10,
  /** References that one path may follow. */
  levels: 3,
  /** Records that may be looked for. */
  records: 1_000,
  /** Of all that is shown, as JSON, in characters; what is shown twice counts twice. */
  length: 4 * 1_048_576,
} as const;

/** Under what a record is answered with those that it refers to; users' names do not begin so. */
export const expandName = '_expand';

/** A reference whose records are shown beside the one that names them. */
export interface Expansion {
  /** Of the field, as the definition has it: the name in `_expand`. */
  readonly name: string;
  /** From the records that were asked for: `project.owner`. */
  readonly path: string;
  /** Below a record's `fields`. */
  readonly segments: readonly string[];
  /** Where it stands in the stored document. */
  readonly storage: string;
  /** Whose records it names; undefined where the caller sees none of these: it is shown as if it named nothing. */
  readonly target: Collection | undefined;
  /** What is shown beside these in turn. */
  readonly inner: readonly Expansion[];
}
