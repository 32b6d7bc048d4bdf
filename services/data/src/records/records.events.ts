import { recordCreated, recordDeleted, recordUpdated } from '@causeway/contracts';
import { draft } from '@causeway/events';
import type { EventDraft } from '@causeway/events';

import type { DeclaredField } from '../fields/declared-field.ts';
import { guardedPaths } from '../fields/declared-field.ts';
import type { RecordDocument, RecordState } from './record.model.ts';

/** The collection that a record is in. */
export interface RecordPlace {
  readonly id: string;
  readonly name: string;
  readonly fields: readonly DeclaredField[];
  /** The definition that is about to come. */
  readonly pending: { readonly fields: readonly DeclaredField[] } | undefined;
}

const placeOf = ({ id, name, fields, pending }: RecordPlace, recordId: string) => {
  const guarded = guardedPaths(fields, pending?.fields);
  const own = { collectionId: id, collection: name, recordId };
  return guarded.length === 0 ? own : { ...own, guarded: [...guarded] };
};

/** Who wrote it first and last. */
const historyOf = ({ createdAt, createdBy, updatedAt, updatedBy }: RecordDocument) => ({
  createdAt: createdAt.toISOString(),
  ...(createdBy === undefined ? {} : { createdBy }),
  beforeUpdatedAt: updatedAt.toISOString(),
  ...(updatedBy === undefined ? {} : { beforeUpdatedBy: updatedBy }),
});

/** A record has been created. */
export const created = (place: RecordPlace, recordId: string, { fields, createdBy }: RecordState): EventDraft =>
  draft(recordCreated, { ...placeOf(place, recordId), fields, ...(createdBy === undefined ? {} : { createdBy }) });

/**
 * A record has changed.
 *
 * @param why - `migration` where a migration has changed it
 */
export const updated = (
  place: RecordPlace,
  before: RecordDocument,
  { fields, updatedBy }: RecordState,
  why: { readonly reason?: 'migration' } = {},
): EventDraft =>
  draft(recordUpdated, {
    ...placeOf(place, before._id),
    ...historyOf(before),
    fields,
    ...(updatedBy === undefined ? {} : { updatedBy }),
    before: before.fields,
    ...why,
  });

/**
 * A record has been deleted.
 *
 * @param why - `cascade` where it went with another, to which it referred; `expired` where its time was over; `migration` where a migration
 *   has deleted it
 */
export const deleted = (
  place: RecordPlace,
  before: RecordDocument,
  deletedBy: string | undefined,
  why: { readonly reason?: 'cascade' | 'expired' | 'migration' } = {},
): EventDraft =>
  draft(recordDeleted, {
    ...placeOf(place, before._id),
    ...historyOf(before),
    before: before.fields,
    ...(deletedBy === undefined ? {} : { deletedBy }),
    ...why,
  });
