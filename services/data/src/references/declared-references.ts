import { fieldsKey } from '../conditions/field-path.ts';
import type { DeclaredField, OnDelete } from '../fields/declared-field.ts';
import { ownCollection } from '../fields/declared-field.ts';

/** A field by which records of one collection refer to those of another, or of their own. */
export interface DeclaredReference {
  /** Below a record's `fields`; objects only on the way. */
  readonly segments: readonly string[];
  /** Where it stands in the stored document. */
  readonly storage: string;
  /** The id of the collection that is referred to. */
  readonly target: string;
  readonly onDelete: OnDelete;
}

/** The ids of the other collections that fields refer to, each once. */
export const targetsOf = (fields: readonly DeclaredField[]): readonly string[] => {
  const targets = fields.flatMap(({ reference }) => (reference === undefined ? [] : [reference.collection]));
  return [...new Set(targets)].filter((target) => target !== ownCollection).sort();
};

/**
 * The references among the fields of a definition.
 *
 * @param id - of its collection
 */
export const referencesIn = (id: string, fields: readonly DeclaredField[]): readonly DeclaredReference[] =>
  fields.flatMap(({ segments, reference }) =>
    reference === undefined
      ? []
      : [
          {
            segments,
            storage: [fieldsKey, ...segments].join('.'),
            target: reference.collection === ownCollection ? id : reference.collection,
            onDelete: reference.onDelete,
          },
        ],
  );

/** The references that records of a collection keep to, with those of the definition that is about to come. */
export function referencesOf({
  id,
  fields,
  pending,
}: {
  readonly id: string;
  readonly fields: readonly DeclaredField[];
  readonly pending: { readonly fields: readonly DeclaredField[] } | undefined;
}): readonly DeclaredReference[] {
  const own = referencesIn(id, fields);
  const isOwn = ({ storage, target }: DeclaredReference): boolean =>
    own.some((each) => each.storage === storage && each.target === target);
  return [
    ...own,
    ...referencesIn(id, pending?.fields ?? [])
      .filter((each) => !isOwn(each))
      // What it says of deletes holds once it has come about.
      .map((each) => ({ ...each, onDelete: 'restrict' as const })),
  ];
}
