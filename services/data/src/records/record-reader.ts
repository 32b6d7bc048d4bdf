import type { MongoClient } from 'mongodb';

import type { CollectionRegistry } from '../collections/collection-registry.ts';
import { clusterTimeOf } from '../positions/position.ts';
import type { RecordReader } from './read-record.ts';
import type { VisibleRecord } from './record.model.ts';
import { answerRecord, visibleProjection } from './record.model.ts';

/** Reads records from MongoDB, at majority. */
export function createRecordReader({
  registry,
  client,
}: {
  readonly registry: Pick<CollectionRegistry, 'get'>;
  readonly client: MongoClient;
}): RecordReader {
  return {
    async read(collectionId, id, after) {
      const records = registry.get(collectionId)?.records.native;
      const session = after === undefined ? undefined : client.startSession({ causalConsistency: true });
      try {
        if (after !== undefined) session?.advanceOperationTime(after);
        const options = { projection: visibleProjection, ...(session === undefined ? {} : { session }) };
        const record = await records?.findOne<VisibleRecord>({ _id: id }, options);
        if (record === null || record === undefined) return undefined;
        return { record, json: JSON.stringify(answerRecord(record)), position: clusterTimeOf(client) };
      } finally {
        await session?.endSession();
      }
    },
  };
}
