import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

import { createEvents, createKafka } from '@causeway/events';
import { createLogger } from '@causeway/telemetry';
import { MongoClient } from 'mongodb';

import type { FeedWriter } from '../changes/feed-writer.ts';
import type { SendSnapshot } from '../changes/snapshot/send-snapshot.ts';
import { createSendSnapshot } from '../changes/snapshot/send-snapshot.ts';
import type { SnapshotPlaces } from '../changes/snapshot/snapshot-places.ts';
import type { Collection } from '../collections/collection-registry.ts';
import { createCollectionRegistry } from '../collections/collection-registry.ts';
import { createFieldKeys } from '../encryption/field-keys.ts';
import type { Answered, TestCall, TestData } from './test-data.ts';
import { openTestData, required } from './test-data.ts';

/** A world in which a test sends snapshots by itself, to feeds of its own. */
export interface SnapshotGround {
  readonly data: TestData;
  /** Has an administrator write something. */
  write(methodAndPath: string, body: TestCall['body'], type?: string): Promise<Answered>;
  /** As it is known here once somebody has found it: no commit stream brings what is defined after that. */
  find(collection: string): Promise<Collection>;
  /** Admits every query; its reader has 60 s, or as long as is said. */
  sender(places: SnapshotPlaces, boundMs?: number): SendSnapshot;
  stop(): Promise<void>;
}

/** Opens it, with one replica. */
export async function openSnapshotGround(): Promise<SnapshotGround> {
  const data = await openTestData();
  const fieldKey = randomUUID() + randomUUID();
  const replica = await data.replica({ CAUSEWAY_FIELD_KEY: fieldKey });
  const { token } = await data.person({ roles: ['admin'] });
  const client = await MongoClient.connect(required('MONGODB_URL'));
  const logger = createLogger({ service: 'data', level: 'silent' });
  const brokers = required('KAFKA_BROKERS').split(',');
  const kafka = createKafka({ driver: 'platformatic', brokers, clientId: 'snapshots', logger });
  const events = createEvents({
    service: 'data',
    client,
    database: data.db.databaseName,
    kafka,
    partitions: 2,
    logger,
  });
  const fieldKeys = createFieldKeys(fieldKey);
  const registry = createCollectionRegistry({ fieldKeys, events, db: events.db, logger });
  await registry.start();
  return {
    data,
    async write(methodAndPath, body, type) {
      const answer = await replica.call(methodAndPath, { body, token, ...(type === undefined ? {} : { type }) });
      assert.ok(answer.status < 300, answer.text);
      return answer;
    },
    find: async (name) => (await registry.find(name)) ?? assert.fail('it is not there'),
    sender: (places, boundMs) =>
      createSendSnapshot({
        ...{ client, db: events.db, registry, places, queryTimeoutMs: 5_000, now: () => new Date() },
        ...(boundMs !== undefined && { boundMs }),
        admit: { demand: () => Promise.resolve() },
        cursors: { seal: () => 'sealed' },
      }),
    async stop() {
      await client.close();
      await data.stop();
    },
  };
}

/**
 * Notes what is told: the event, and of a gap why; and the texts with these.
 *
 * @param drained - the reader takes each row
 */
export function createNotingWriter(
  drained: () => Promise<void>,
): FeedWriter & { readonly told: string[]; readonly texts: string[] } {
  const told: string[] = [];
  const texts: string[] = [];
  const listeners: (() => void)[] = [];
  let ended = false;
  return {
    told,
    texts,
    write(message) {
      texts.push(...message.told.flatMap(({ data }) => data ?? []));
      told.push(...message.told.map(({ event = '', data = '' }) => (event === 'gap' ? `${event} ${data}` : event)));
      return true;
    },
    async drained() {
      await drained();
      return true;
    },
    end(message) {
      this.write(message);
      ended = true;
      for (const each of listeners) each();
    },
    get ended() {
      return ended;
    },
    onEnd: (listener) => void listeners.push(listener),
  };
}
