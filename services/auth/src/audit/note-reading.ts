import { auditRead } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { draft, DuplicateKey } from '@causeway/events';
import type { Decision, RecordedCollection, RecordedDocument } from '@causeway/events';

/** What an administrator has last read of others; its `_id` is theirs. */
export interface ReadingDocument extends RecordedDocument {
  readonly what: string;
  readonly about?: string;
}

/** The name of the collection of {@link ReadingDocument}s. */
export const readingsCollection = 'readings';

/** What was read. */
export interface Reading {
  readonly administratorId: string;
  readonly what: 'audit' | 'export' | 'mailbox' | 'mail';
  /** The id that was asked for. */
  readonly about?: string | undefined;
}

/** Records that an administrator reads what others have done, before they are told. Gives the event's id. */
export type NoteReading = (cause: Cause, reading: Reading) => Promise<string>;

/** Makes what records it. */
export const createNoteReading =
  (readings: Pick<RecordedCollection<ReadingDocument>, 'create' | 'update'>): NoteReading =>
  async (cause, { administratorId: _id, what, about }) => {
    const told = { what, ...(about !== undefined && { about }) };
    const decision: Decision<ReadingDocument> = {
      state: told,
      event: draft(auditRead, told),
    };
    const again = async () => (await readings.update(cause, _id, () => decision))?.event?.id;
    const first = async () => {
      try {
        return (await readings.create(cause, { _id, ...decision })).event.id;
      } catch (error) {
        if (!(error instanceof DuplicateKey)) throw error;
        return undefined;
      }
    };
    const id = (await again()) ?? (await first()) ?? (await again());
    if (id === undefined) throw new Error('a reading can neither be changed nor be made');
    return id;
  };
