import { recordCreated, recordDeleted, recordUpdated } from '@causeway/contracts';
import { draft } from '@causeway/events';
import type { EventDraft } from '@causeway/events';

import type { RecordDocument, RecordState } from './record.model.ts';

/** The collection that a record is in. */
export interface RecordPlace {
  readonly id: string;
  readonly name: string;
}

const placeOf = ({ id, name }: RecordPlace, recordId: string) => ({ collectionId: id, collection: name, recordId });

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

/** A record has changed. */
export const updated = (place: RecordPlace, before: RecordDocument, { fields, updatedBy }: RecordState): EventDraft =>
  draft(recordUpdated, {
    ...placeOf(place, before._id),
    ...historyOf(before),
    fields,
    ...(updatedBy === undefined ? {} : { updatedBy }),
    before: before.fields,
  });

/**
 * A record has been deleted.
 *
 * @param why - `cascade` where it went with another, to which it referred
 */
export const deleted = (
  place: RecordPlace,
  before: RecordDocument,
  deletedBy: string | undefined,
  why: { readonly reason?: 'cascade' } = {},
): EventDraft =>
  draft(recordDeleted, {
    ...placeOf(place, before._id),
    ...historyOf(before),
    before: before.fields,
    ...(deletedBy === undefined ? {} : { deletedBy }),
    ...why,
  });
