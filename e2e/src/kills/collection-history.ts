import assert from 'node:assert/strict';
import { MongoClient, type Timestamp } from 'mongodb';
import { recordsCollection } from '../../../services/data/src/collections/collection.model.ts';
import { eventually } from '../harness/eventually.ts';
import { addressOf } from '../harness/platform.ts';

const withinMs = 60_000;

/** The fields of a record. */
export type Fields = Readonly<Record<string, unknown>>;

/** One revision of a record. */
export interface HistoricChange {
  /** When it was committed: what has one time was committed together. */
  readonly time: Timestamp;
  readonly recordId: string;
  readonly revision: number;
  /** Absent of a delete. */
  readonly fields?: Fields;
}

/** A row of the log of data's events, as far as it is looked at. */
interface Row {
  readonly event: {
    readonly subject: string;
    readonly sequence: string;
    readonly data: { readonly fields?: Fields };
  };
}

interface Stored {
  readonly _id: string;
  readonly revision: number;
}

/** The time of MongoDB's last operation. */
export async function timeNow(): Promise<Timestamp> {
  return withMongodb(async (client) => {
    const { operationTime } = (await client.db('admin').command({ ping: 1 })) as { operationTime: Timestamp };
    return operationTime;
  });
}

/** Does some work with a connection of its own to MongoDB. */
export async function withMongodb<T>(work: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = await MongoClient.connect(addressOf('mongodb'));
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/**
 * Reads what has become of a collection's records: when, from MongoDB's own order of commits, and what, from the log of events, which has to have
 * one event for each of these commits' revisions, and no other.
 *
 * @param since - before the first of them
 * @param last - a record that was created once everybody else had stopped
 * @returns the changes in the order of their commits
 */
export const readHistory = (collection: string, since: Timestamp, last: string): Promise<readonly HistoricChange[]> =>
  withMongodb(async (client) => {
    const db = client.db('causeway-data');
    const definition = await db.collection<{ _id: string; name: string }>('collections').findOne({ name: collection });
    const definitionId = definition?._id ?? assert.fail(`${collection} is not defined`);
    const commits: Omit<HistoricChange, 'fields'>[] = [];
    const stream = db.collection<Stored>(recordsCollection(definitionId)).watch([], { startAtOperationTime: since });
    const revisions = new Map<string, number>();
    try {
      for await (const change of stream) {
        if (!('documentKey' in change) || change.clusterTime === undefined) continue;
        const recordId = change.documentKey._id;
        let revision: number | undefined;
        if (change.operationType === 'delete') revision = (revisions.get(recordId) ?? 0) + 1;
        else if (change.operationType === 'update') revision = change.updateDescription.updatedFields?.revision;
        else if (change.operationType === 'insert') revision = change.fullDocument.revision;
        // What the relay takes out of an outbox is no change of the record.
        if (revision === undefined) continue;
        revisions.set(recordId, revision);
        commits.push({ time: change.clusterTime, recordId, revision });
        if (recordId === last) break;
      }
    } finally {
      await stream.close();
    }
    const log = db.collection<Row>('events', { readConcern: { level: 'majority' } });
    return eventually(
      async () => {
        const rows = await log
          .find({ 'event.data.collectionId': definitionId, 'event.subject': /^record\// })
          .toArray();
        const told = new Map<string, Fields | undefined>(
          rows.map(({ event }) => [`${event.subject} ${Number(event.sequence)}`, event.data.fields] as const),
        );
        const known = new Set(commits.map(({ recordId, revision }) => `record/${recordId} ${revision}`));
        assert.equal(known.size, commits.length, 'a revision was committed twice');
        assert.deepEqual(
          [...known].filter((each) => !told.has(each)),
          [],
          'commits without an event in the log',
        );
        assert.deepEqual(
          [...told.keys()].filter((each) => !known.has(each)),
          [],
          'events of what was never committed',
        );
        assert.equal(told.size, rows.length, 'an event is twice in the log');
        return commits.map((commit): HistoricChange => {
          const fields = told.get(`record/${commit.recordId} ${commit.revision}`);
          return fields === undefined ? commit : { ...commit, fields };
        });
      },
      { withinMs },
    );
  });

/** What a query finds at one time after another. */
export interface QueryOverTime {
  /** @param time - not before that of the call before @returns revisions by record */
  at(time: Timestamp): ReadonlyMap<string, number>;
}

/** @param sees - whether the query finds a record with these fields */
export function queryOverTime(history: readonly HistoricChange[], sees: (fields: Fields) => boolean): QueryOverTime {
  const found = new Map<string, number>();
  let next = 0;
  return {
    at(time) {
      for (let change = history[next]; change?.time.lessThanOrEqual(time) === true; change = history[next]) {
        const { recordId, revision, fields } = change;
        if (fields !== undefined && sees(fields)) found.set(recordId, revision);
        else found.delete(recordId);
        next += 1;
      }
      return found;
    },
  };
}
