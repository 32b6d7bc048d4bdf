import { BSON } from 'mongodb';
import type { ClientSession } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import type { RecordDocument } from '../records/record.model.ts';
import { batchTooLarge } from './batch.errors.ts';

/** The records of a batch, as its operations so far leave them. */
export interface WorkingRecords {
  get(collection: Collection, id: string): RecordDocument | undefined;
  /** All of one collection. */
  of(collection: Collection): readonly RecordDocument[];
  put(collection: Collection, document: RecordDocument): void;
  remove(collection: Collection, id: string): void;
  /** One of a collection by its id; null where the batch has deleted it, undefined where it has not read it. */
  asLeft(collectionId: string, id: string): RecordDocument | null | undefined;
}

/** What a batch may read: as much as goes into memory beside other batches, outboxes included. */
const maxReadBytes = 32 * 1_048_576;

/**
 * Reads the records that a batch names, in its snapshot.
 *
 * @param named - their ids, by collection
 * @throws Fault `batch-too-large`
 */
export async function readWorking(
  named: ReadonlyMap<Collection, ReadonlySet<string>>,
  session: ClientSession,
): Promise<WorkingRecords> {
  const records = new Map<string, RecordDocument>();
  const gone = new Set<string>();
  const keyOf = (collection: Collection, id: string): string => `${collection.id}/${id}`;
  let bytes = 0;
  for (const [collection, ids] of named) {
    const found = collection.records.native.find({ _id: { $in: [...ids] } }, { session, batchSize: 100 });
    for await (const document of found) {
      bytes += BSON.calculateObjectSize(document);
      if (bytes > maxReadBytes) {
        throw batchTooLarge({ detail: 'The records that it names are too large together. Send it in several.' });
      }
      records.set(keyOf(collection, document._id), document);
    }
  }
  return {
    get: (collection, id) => records.get(keyOf(collection, id)),
    of: ({ id }) => [...records].flatMap(([key, document]) => (key.startsWith(`${id}/`) ? [document] : [])),
    put: (collection, document) => void records.set(keyOf(collection, document._id), document),
    remove(collection, id) {
      const key = keyOf(collection, id);
      records.delete(key);
      gone.add(key);
    },
    asLeft(collectionId, id) {
      const key = `${collectionId}/${id}`;
      return gone.has(key) ? null : records.get(key);
    },
  };
}
