import { MongoClient } from 'mongodb';
import { addressOf } from '../harness/platform.ts';

/** A row of the log of data's events, as far as it is looked at. */
interface Row {
  readonly event: Readonly<Record<string, unknown>> & { readonly batchid?: string };
}

/**
 * Reads from the log of data what it has of batches.
 *
 * @param ids - of batches
 * @param collections - by name: whatever batches have written there is found, too
 * @returns the attributes of their events by the id of their batch, slot by slot and in the order of each
 */
export async function loggedGroups(
  ids: readonly string[],
  collections: readonly string[],
): Promise<ReadonlyMap<string, readonly Row['event'][]>> {
  const client = await MongoClient.connect(addressOf('mongodb'));
  try {
    const rows = await client
      .db('causeway-data')
      .collection<Row>('events', { readConcern: { level: 'majority' } })
      .find({
        $or: [
          { 'event.batchid': { $in: ids } },
          { 'event.batchid': { $exists: true }, 'event.data.collection': { $in: collections } },
        ],
      })
      .sort({ slot: 1, pos: 1 })
      .project<Row>({ 'event.data': 0 })
      .toArray();
    return Map.groupBy(
      rows.map(({ event }) => event),
      ({ batchid = '' }) => batchid,
    );
  } finally {
    await client.close();
  }
}
