import assert from 'node:assert/strict';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import type { EventEnvelope } from '@causeway/contracts';
import { recordCreated, recordDeleted, recordUpdated } from '@causeway/contracts';
import type { PublishedEvents } from '@causeway/events/testing';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';

import { operatorsType } from '../operators/parse-operators.ts';
import { mergePatchType } from '../records/merge-patch.ts';
import type { Answered } from '../testing/test-data.ts';
import { openFeed } from '../testing/test-feed.ts';
import { openTestPatients, patients } from '../testing/test-patients.ts';
import type { TestPatients } from '../testing/test-patients.ts';

/** What is looked for: in text, and in the base64 in which bytes would be kept. */
const canary = 'CANARY-7f3a91c4-of-an-encrypted-field';
/** What stands beside it, and is found: a look that does not find it has seen nothing. */
const known = 'KNOWN-52d1aa07-of-a-field-like-others';

const forms = (text: string): Buffer[] => [
  Buffer.from(text),
  ...[0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), Buffer.from(text)]).toString('base64');
    return Buffer.from(encoded.slice(Math.ceil((offset * 4) / 3), Math.floor(((offset + text.length) * 8) / 6)));
  }),
];
const [canaries, knowns] = [forms(canary), forms(known)];
const holds = (bytes: Uint8Array, needles: readonly Buffer[]): boolean =>
  needles.some((needle) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(needle));

describe('the value of an encrypted field', () => {
  let world: TestPatients;
  let published: PublishedEvents;
  let name: string;
  let collectionId: string;

  before(async () => {
    world = await openTestPatients();
    published = await world.data.published();
    const properties = { ...patients.schema.properties, copied: patients.schema.properties.ssn };
    const fields = { ...patients.fields, copied: { encrypted: true } };
    ({ name, id: collectionId } = await world.define({
      ...patients,
      schema: { ...patients.schema, properties },
      fields,
    }));
    await workWith(name);
  });
  after(() => world.data.stop());

  const isOfDefinition = ({ data }: EventEnvelope): boolean => {
    const { collectionId: of, definition } = data as Readonly<Record<string, unknown>>;
    return of === collectionId && definition !== undefined;
  };

  /** All that is done with a value. */
  async function workWith(of: string): Promise<void> {
    const whole = { name: known, ssn: canary, visits: 1, tags: [canary], contact: { city: 'c', phone: canary } };
    const ok = (answer: Answered): Answered => {
      assert.ok(answer.status < 300, answer.text);
      return answer;
    };
    const key = { 'idempotency-key': 'a-key' };
    const [made] = [
      ok(await world.call(`POST /v1/data/${of}`, { body: whole, headers: key })),
      ok(await world.call(`POST /v1/data/${of}`, { body: whole, headers: key })),
    ];
    const id = String(made.body.id);
    const path = `/v1/data/${of}/${id}`;
    const feed = await openFeed(world.replica, of, { token: world.ada.token, snapshot: true });
    await feed.until('the result', () => feed.blocks.some(({ event }) => event === 'ready'));
    ok(await world.call(`PATCH ${path}`, { body: { ssn: `${canary}!` }, type: mergePatchType }));
    ok(await world.call(`PATCH ${path}`, { body: { $push: { tags: canary } }, type: operatorsType }));
    const operations = [{ op: 'update', collection: of, id, merge: { contact: { phone: `${canary}?` } } }];
    ok(await world.call('POST /v1/batch', { body: { operations } }));
    ok(await world.call(`POST /v1/data/${of}`, { body: JSON.stringify(whole), type: 'application/x-ndjson' }));
    ok(await world.call(`PATCH /v1/data/${of}?filter=%7B%7D`, { body: { ssn: canary }, type: mergePatchType }));
    const steps = [{ change: { collection: of, operators: { $copy: { ssn: 'copied' } } } }];
    ok(await world.call('POST /v1/migrations', { body: { name: '0001-canary', steps } }));
    const isMade = async (): Promise<boolean> =>
      String(ok(await world.call('GET /v1/migrations/0001-canary')).body.status) === 'applied';
    const bound = performance.now() + 60_000;
    while (!(await isMade())) {
      assert.ok(performance.now() < bound, 'the migration does not come to an end');
      await delay(50);
    }
    // Refused, too.
    const wrong = await world.call(`POST /v1/data/${of}`, { body: { ...whole, ssn: canary.repeat(3) } });
    assert.equal(wrong.status, 400);
    assert.ok(!wrong.text.includes(canary), wrong.text);
    ok(await world.call(`DELETE ${path}`));
    await feed.count(5);
    assert.ok(JSON.stringify(feed.blocks).includes(canary));
    feed.close();
    await published.waitFor(({ type, subject }) => type === recordDeleted.type && subject === `record/${id}`);
    await published.waitFor(isOfDefinition);
  }

  it('is nowhere in MongoDB, nor in its oplog', async () => {
    const client = await MongoClient.connect(process.env.MONGODB_URL ?? '');
    try {
      const found = new Set<string>();
      const lookIn = async (where: string, documents: AsyncIterable<unknown>): Promise<number> => {
        let seen = 0;
        for await (const bytes of documents as AsyncIterable<Uint8Array>) {
          if (holds(bytes, canaries)) found.add(where);
          if (holds(bytes, knowns)) seen += 1;
        }
        return seen;
      };
      let seen = 0;
      for (const { name: of } of await world.data.db.listCollections({}, { nameOnly: true }).toArray()) {
        const rows = client.db(world.data.db.databaseName).collection(of).find({}, { raw: true });
        seen += await lookIn(of, rows);
      }
      assert.ok(seen > 0, 'nothing was looked at');
      const ns = { $regex: `^${world.data.db.databaseName}\\.` };
      const entries = client.db('local').collection('oplog.rs');
      const own = { $or: [{ ns }, { 'o.applyOps.ns': ns }] };
      assert.ok((await lookIn('the oplog', entries.find(own, { raw: true }))) > 0, 'no oplog was looked at');
      assert.deepEqual([...found], []);
    } finally {
      await client.close();
    }
  });

  it('is in no event, which say that it is left out', async () => {
    const types = new Set<string>([recordCreated, recordUpdated, recordDeleted].map(({ type }) => type));
    const all = published.all as readonly (EventEnvelope & { readonly data: Readonly<Record<string, unknown>> })[];
    const own = all.filter(({ type, data }) => types.has(type) && data.collectionId === collectionId);
    assert.ok(own.length >= 7, `${own.length} events`);
    for (const event of own) {
      const text = Buffer.from(JSON.stringify(event));
      assert.ok(!holds(text, canaries) && holds(text, knowns), text.toString());
      assert.deepEqual(event.data.encrypted, [...Object.keys(patients.fields), 'copied']);
      assert.ok(!Object.hasOwn(event, 'beside'), text.toString());
    }
    assert.ok(!holds(Buffer.from(JSON.stringify(published.all)), canaries));
    // Nor is it there sealed, in Kafka or in the log: that goes no further than its document.
    const log = world.data.db.collection('events', { readConcern: { level: 'majority' } });
    assert.ok((await log.countDocuments({ 'event.type': recordUpdated.type })) > 0);
    assert.equal(await log.countDocuments({ 'event.beside': { $exists: true } }), 0);
    // Nor are its keys, not even encrypted ones.
    const defined = all.filter(isOfDefinition);
    assert.ok(defined.length > 0 && !JSON.stringify(defined).includes('"sealed"'));
  });

  it('is nowhere in Redis', async () => {
    const redis = new Redis(process.env.REDIS_URL ?? '');
    try {
      /** Whether what stands beside it has come there: Redis is trusted once this process has run for a while. */
      const look = async (): Promise<boolean> => {
        const id = await world.create(name, { name: known, ssn: canary });
        const path = `/v1/data/${name}/${id}`;
        const position = (await world.call(`GET ${path}`)).headers.get('causeway-position') ?? '';
        for (const what of [path, path, `/v1/data/${name}`, `/v1/data/${name}?fields=ssn,name`]) {
          const { text } = await world.call(`GET ${what}`, { headers: { 'causeway-after': position } });
          assert.ok(text.includes(canary), text);
        }
        let isKnown = false;
        for (const key of await redis.keys(`${world.data.redisPrefix}*`)) {
          const isHash = (await redis.type(key)) === 'hash';
          const bytes = Buffer.from(isHash ? JSON.stringify(await redis.hgetall(key)) : ((await redis.get(key)) ?? ''));
          assert.ok(!holds(bytes, canaries), key);
          isKnown ||= holds(bytes, knowns);
        }
        return isKnown;
      };
      const bound = performance.now() + 120_000;
      while (!(await look())) {
        assert.ok(performance.now() < bound, 'nothing is kept there that could be looked at');
        await delay(500);
      }
    } finally {
      redis.disconnect();
    }
  });
});
