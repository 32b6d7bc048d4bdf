import { recordCreated, recordDeleted, recordUpdated } from '@causeway/contracts';
import { draft } from '@causeway/events';
import type { Beside, EventDraft } from '@causeway/events';

import type { SealedFields } from '../encryption/sealed-fields.ts';
import type { DeclaredField } from '../fields/declared-field.ts';
import { encryptedPaths } from '../encryption/sealed-fields.ts';
import { guardedPaths } from '../fields/declared-field.ts';
import type { RecordDocument, RecordState } from './record.model.ts';

/** What is sealed of a record, as it was and as it is; it goes along with the event as far as MongoDB. */
export interface SealedChange extends Beside {
  readonly before?: SealedFields;
  readonly after?: SealedFields;
}

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
  const encrypted = encryptedPaths(fields, pending?.fields);
  return {
    ...{ collectionId: id, collection: name, recordId },
    ...(guarded.length === 0 ? {} : { guarded: [...guarded] }),
    ...(encrypted.length === 0 ? {} : { encrypted: [...encrypted] }),
  };
};

/** What is sealed goes along for feeds, and is not published. */
const besideOf = (sealed: SealedChange): SealedChange | undefined =>
  sealed.before === undefined && sealed.after === undefined ? undefined : sealed;

const sealedIn = (
  name: 'before' | 'after',
  { sealed }: { readonly sealed?: SealedFields | undefined },
): SealedChange => (sealed === undefined ? {} : { [name]: sealed });

/** Who wrote it first and last. */
const historyOf = ({ createdAt, createdBy, updatedAt, updatedBy }: RecordDocument) => ({
  createdAt: createdAt.toISOString(),
  ...(createdBy === undefined ? {} : { createdBy }),
  beforeUpdatedAt: updatedAt.toISOString(),
  ...(updatedBy === undefined ? {} : { beforeUpdatedBy: updatedBy }),
});

/** A record has been created. */
export const created = (place: RecordPlace, recordId: string, state: RecordState): EventDraft => {
  const { fields, createdBy } = state;
  const data = { ...placeOf(place, recordId), fields, ...(createdBy === undefined ? {} : { createdBy }) };
  return draft(recordCreated, data, besideOf(sealedIn('after', state)));
};

/**
 * A record has changed.
 *
 * @param why - `migration` where a migration has changed it
 */
export const updated = (
  place: RecordPlace,
  before: RecordDocument,
  state: RecordState,
  why: { readonly reason?: 'migration' } = {},
): EventDraft => {
  const { fields, updatedBy } = state;
  const data = {
    ...placeOf(place, before._id),
    ...historyOf(before),
    fields,
    ...(updatedBy === undefined ? {} : { updatedBy }),
    before: before.fields,
    ...why,
  };
  return draft(recordUpdated, data, besideOf({ ...sealedIn('before', before), ...sealedIn('after', state) }));
};

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
  draft(
    recordDeleted,
    {
      ...placeOf(place, before._id),
      ...historyOf(before),
      before: before.fields,
      ...(deletedBy === undefined ? {} : { deletedBy }),
      ...why,
    },
    besideOf(sealedIn('before', before)),
  );
