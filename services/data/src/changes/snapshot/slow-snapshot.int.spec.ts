import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { createEvents, createKafka } from '@causeway/events';
import type { Events } from '@causeway/events';
import { createLogger } from '@causeway/telemetry';
import { MongoClient } from 'mongodb';

import type { Collection } from '../../collections/collection-registry.ts';
import { createCollectionRegistry } from '../../collections/collection-registry.ts';
import { createFieldKeys } from '../../encryption/field-keys.ts';
import { parseFilter } from '../../queries/asked-query.ts';
import { inParameters } from '../../queries/query-parameters.ts';
import { openTestData } from '../../testing/test-data.ts';
import type { TestData } from '../../testing/test-data.ts';
import type { FeedWriter } from '../feed-writer.ts';
import { Feed } from '../feed.ts';
import { createSendSnapshot } from './send-snapshot.ts';
import { createSnapshotPlaces } from './snapshot-places.ts';

const name = 'rows';
const rows = 40;
/** Of a reader who is never so slow that a wait for it ends. */
const rowMs = 50;

/** Takes each row, after a while. */
const createSlowWriter = (takesMs: number): FeedWriter & { readonly told: string[] } => {
  const told: string[] = [];
  const listeners: (() => void)[] = [];
  let ended = false;
  return {
    told,
    write(message) {
      told.push(...message.told.map(({ event = '', data = '' }) => (event === 'gap' ? `${event} ${data}` : event)));
      return true;
    },
    async drained() {
      await delay(takesMs);
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
};

describe('a snapshot whose reader takes it slowly, without ever standing still', () => {
  let data: TestData;
  let client: MongoClient;
  let events: Events;
  let collection: Collection;

  before(async () => {
    data = await openTestData();
    const replica = await data.replica();
    const { token } = await data.person({ roles: ['admin'] });
    const definition = { schema: { properties: { n: { type: 'number' } } }, rules: { read: 'public' } };
    const defined = await replica.call(`PUT /v1/collections/${name}`, { body: definition, token });
    assert.equal(defined.status, 201, defined.text);
    const lines = Array.from({ length: rows }, (_, n) => JSON.stringify({ n })).join('\n');
    const loaded = await replica.call(`POST /v1/data/${name}`, { body: lines, token, type: 'application/x-ndjson' });
    assert.equal(loaded.status, 200, loaded.text);
    client = await MongoClient.connect(process.env.MONGODB_URL ?? '');
    const logger = createLogger({ service: 'data', level: 'silent' });
    const brokers = (process.env.KAFKA_BROKERS ?? '').split(',');
    const kafka = createKafka({ driver: 'platformatic', brokers, clientId: 'slow', logger });
    events = createEvents({ service: 'data', client, database: data.db.databaseName, kafka, partitions: 2, logger });
    const registry = createCollectionRegistry({ fieldKeys: createFieldKeys(undefined), events, db: events.db, logger });
    await registry.start();
    collection = (await registry.find(name)) ?? assert.fail('it is not there');
  });
  after(async () => {
    await client.close();
    await data.stop();
  });

  const send = async (boundMs: number | undefined) => {
    const places = createSnapshotPlaces({ limit: 1 });
    const sendSnapshot = createSendSnapshot({
      ...{ client, db: events.db, places, queryTimeoutMs: 5_000, now: () => new Date() },
      ...(boundMs !== undefined && { boundMs }),
      admit: { demand: () => Promise.resolve() },
      cursors: { seal: () => 'sealed' },
    });
    const writer = createSlowWriter(rowMs);
    const feed = new Feed({
      ...{ collection, token: undefined, filter: parseFilter(undefined, inParameters), writer, snapshots: true },
      caller: { signedIn: false, administrator: false, auth: {} },
      beginCursors: () => 'cursor',
    });
    const place = await sendSnapshot(feed, { notBefore: undefined, place: undefined });
    // The only place there is, which would be waited for.
    (await places.take(AbortSignal.timeout(1)))();
    return { told: writer.told, place, feed };
  };

  it('is told whole in time', async () => {
    const { told, place, feed } = await send(undefined);
    assert.deepEqual(told, [...Array.from({ length: rows }, () => 'current'), 'ready']);
    assert.notEqual(place, undefined);
    assert.equal(feed.hasEnded(), false);
  });

  it('ends with a gap where the time is up, and gives its place back', async () => {
    const { told, place, feed } = await send(500);
    assert.equal(told.at(-1), 'gap {"reason":"slow"}');
    assert.ok(!told.includes('ready') && told.length < rows, told.join());
    assert.deepEqual([place, feed.hasEnded()], [undefined, true]);
  });
});
