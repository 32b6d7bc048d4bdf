import { recordCreated, recordDeleted, recordUpdated } from '@causeway/contracts';
import type { DataOf, EventEnvelope } from '@causeway/contracts';
import type { Change } from '@causeway/events';
import type { Timestamp } from 'mongodb';

import { definitionIdOf } from '../collections/collection.model.ts';
import type { SealedFields } from '../encryption/sealed-fields.ts';
import type { VisibleRecord } from '../records/record.model.ts';
import type { SealedChange } from '../records/records.events.ts';

/** A committed change of a record, with the record as it was and as it is. */
export interface RecordChange {
  readonly collectionId: string;
  readonly id: string;
  readonly revision: number;
  readonly eventId: string;
  readonly position: Timestamp;
  /** When it was recorded: what `$now` means to whoever is told of it. */
  readonly time: Date;
  /** Others of the same transaction have the same position. */
  readonly inTransaction: boolean;
  /** Absent where the record is new. */
  readonly before: VisibleRecord | undefined;
  /** Absent where the record is gone. */
  readonly after: VisibleRecord | undefined;
}

type Created = EventEnvelope<DataOf<typeof recordCreated>>;
type Updated = EventEnvelope<DataOf<typeof recordUpdated>>;
type Deleted = EventEnvelope<DataOf<typeof recordDeleted>>;

/**
 * Reads a change of the commit stream as one of a record: the event tells both states whole, so that nothing has to be
 * looked up.
 *
 * @returns undefined for what is no record
 */
export function toRecordChange({
  collection,
  id,
  revision,
  event,
  beside,
  clusterTime,
  transaction,
}: Change): RecordChange | undefined {
  const collectionId = definitionIdOf(collection);
  if (collectionId === undefined || event === undefined) return undefined;
  const told = toldBy(event, id, revision, beside);
  if (told === undefined) return undefined;
  return { ...told, collectionId, position: clusterTime, inTransaction: transaction !== undefined };
}

/** What an event tells of a record by itself. */
export type ToldChange = Omit<RecordChange, 'collectionId' | 'position' | 'inTransaction'>;

/**
 * Reads the two states of a record from an event.
 *
 * @param beside - what is encrypted, of which the event says nothing; without it these fields are missing
 * @returns undefined for an event of something else
 */
export function toldBy(
  event: EventEnvelope,
  id: string,
  revision: number,
  beside?: Change['beside'],
): ToldChange | undefined {
  const about = { id, revision, eventId: event.id, time: new Date(event.time) };
  const { before: was, after: is }: SealedChange = beside ?? {};
  switch (event.type) {
    case recordCreated.type:
      return { ...about, before: undefined, after: withSealed(createdRecord(id, event as Created), is) };
    case recordUpdated.type:
      return {
        ...about,
        before: withSealed(earlierRecord(id, revision, event as Updated), was),
        after: withSealed(updatedRecord(id, revision, event as Updated), is),
      };
    case recordDeleted.type:
      return { ...about, before: withSealed(earlierRecord(id, revision, event as Deleted), was), after: undefined };
    default:
      return undefined;
  }
}

const withSealed = (record: VisibleRecord, sealed: SealedFields | undefined): VisibleRecord =>
  sealed === undefined ? record : { ...record, sealed };

const createdRecord = (id: string, { time, data }: Created): VisibleRecord => ({
  _id: id,
  revision: 1,
  fields: data.fields,
  createdAt: new Date(time),
  updatedAt: new Date(time),
  ...(data.createdBy === undefined ? {} : { createdBy: data.createdBy }),
});

const updatedRecord = (id: string, revision: number, { time, data }: Updated): VisibleRecord => ({
  _id: id,
  revision,
  fields: data.fields,
  createdAt: new Date(data.createdAt),
  updatedAt: new Date(time),
  ...(data.createdBy === undefined ? {} : { createdBy: data.createdBy }),
  ...(data.updatedBy === undefined ? {} : { updatedBy: data.updatedBy }),
});

const earlierRecord = (id: string, revision: number, { data }: Updated | Deleted): VisibleRecord => ({
  _id: id,
  revision: revision - 1,
  fields: data.before,
  createdAt: new Date(data.createdAt),
  updatedAt: new Date(data.beforeUpdatedAt),
  ...(data.createdBy === undefined ? {} : { createdBy: data.createdBy }),
  ...(data.beforeUpdatedBy === undefined ? {} : { updatedBy: data.beforeUpdatedBy }),
});
