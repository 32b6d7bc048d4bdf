/** What a definition says of one field, beside its schema. */
export interface DeclaredField {
  /** Dotted, as the administrator wrote it. */
  readonly path: string;
  /** Below a record's `fields`; objects only on the way. */
  readonly segments: readonly string[];
  /** Only administrators may give it a value, and its default. */
  readonly readOnly?: true;
  /** Nobody may change the value that it once has. */
  readonly writeOnce?: true;
}
