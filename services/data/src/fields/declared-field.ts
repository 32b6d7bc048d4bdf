import type { AuthName } from '../conditions/condition.ts';
import type { Rule } from '../rules/rule.ts';

/** What a field gets at the creation of a record that is sent without it. */
export type FieldDefault =
  | { readonly kind: 'value'; readonly value: unknown }
  /** What is known of the caller; nothing where it is not known. */
  | { readonly kind: 'auth'; readonly name: AuthName }
  /** The time, as text: ISO 8601 in UTC with milliseconds. */
  | { readonly kind: 'now' };

/**
 * What becomes of a reference when the record that it names is deleted: `restrict` has the delete refused, `cascade` has what
 * refers to it deleted too, `null` takes the reference out.
 */
export type OnDelete = 'restrict' | 'cascade' | 'null';

/** A field whose values are ids of records. */
export interface ReferenceOption {
  /** The id of their collection, `col_…`; or {@link ownCollection}. */
  readonly collection: string;
  readonly onDelete: OnDelete;
}

/** Stands for the collection of the definition itself, whose id nobody has before it is made. */
export const ownCollection = 'self';

/** What a definition says of one field, beside its schema. */
export interface DeclaredField {
  /** Dotted, as the administrator wrote it. */
  readonly path: string;
  /** Below a record's `fields`; objects only on the way. */
  readonly segments: readonly string[];
  readonly default?: FieldDefault;
  /** Only administrators may give it a value, and its default. */
  readonly readOnly?: true;
  /** Nobody may change the value that it once has. */
  readonly writeOnce?: true;
  /** It is stored encrypted, and nothing can be found by it. */
  readonly encrypted?: true;
  /** Its values are ids of records that are there. */
  readonly reference?: ReferenceOption;
  /** Who sees it in a record that they see; absent for all of them. To others it is missing. */
  readonly read?: Rule;
  /** Who may give it another value in a record that they may write; absent for those who see it. */
  readonly write?: Rule;
}

/** The dotted paths of the fields that not everybody sees who sees their records; of what is about to come as well. */
export const guardedPaths = (...definitions: readonly (readonly DeclaredField[] | undefined)[]): readonly string[] => [
  ...new Set(
    definitions.flatMap((fields = []) => fields.filter(({ read }) => read !== undefined).map(({ path }) => path)),
  ),
];
