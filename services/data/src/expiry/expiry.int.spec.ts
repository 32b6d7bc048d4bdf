import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import type { EventEnvelope } from '@causeway/contracts';
import { MongoClient } from 'mongodb';

import type { RecordDocument } from '../records/record.model.ts';
import { openTestData } from '../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../testing/test-data.ts';
import { openFeed } from '../testing/test-feed.ts';
import { createReaperLease } from './reaper-lease.ts';

const open = { read: 'public', create: 'public', update: 'public', delete: 'public' } as const;
const time = { type: ['string', 'null'], format: 'date-time' };
const schema = {
  properties: {
    n: { type: 'number' },
    until: time,
    other: time,
    to: { type: ['string', 'null'] },
    slug: { type: 'string' },
  },
};
const mergePatch = 'application/merge-patch+json';
const hourMs = 3_600_000;
/** What MongoDB takes for now: the clocks of the replicas are ten minutes ahead. */
const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();
const past = '2020-01-01T00:00:00Z';

describe('records that expire', () => {
  let data: TestData;
  let replica: TestReplica;
  let other: TestReplica;
  let admin: Person;
  let ada: Person;

  before(async () => {
    data = await openTestData({ now: () => new Date(Date.now() + 600_000) });
    replica = await data.replica({ EXPIRY_INTERVAL: '200ms' });
    other = await data.replica({ EXPIRY_INTERVAL: '200ms' });
    admin = await data.person({ roles: ['admin', 'member'] });
    ada = await data.person();
  });
  after(() => data.stop());

  const newName = (): string => `c${randomUUID().slice(0, 8)}`;
  const define = async (more: object = {}, name = newName()): Promise<{ name: string; id: string }> => {
    const body = { schema, rules: open, ...more };
    const answer = await replica.call(`PUT /v1/collections/${name}`, { body, token: admin.token });
    assert.ok(answer.status < 300, answer.text);
    return { name, id: String(answer.body.id) };
  };
  const expiring = (more: object = {}, name?: string) => define({ expiry: { field: 'until' }, ...more }, name);
  const made = async ({ name }: { name: string }, body: object = {}, to = replica): Promise<string> => {
    const answer = await to.call(`POST /v1/data/${name}`, { body, token: ada.token });
    assert.equal(answer.status, 201, answer.text);
    return String(answer.body.id);
  };
  const patch = (name: string, id: string, body: object, to = replica): Promise<Answered> =>
    to.call(`PATCH /v1/data/${name}/${id}`, { body, type: mergePatch, token: ada.token });
  const read = (name: string, id: string): Promise<Answered> =>
    replica.call(`GET /v1/data/${name}/${id}`, { token: ada.token });
  const stored = ({ id }: { id: string }) => data.db.collection<RecordDocument>(`records_${id}`);
  const eventually = async <T>(what: string, look: () => Promise<T | undefined>): Promise<T> => {
    const deadline = performance.now() + 60_000;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      assert.ok(performance.now() < deadline, `waited in vain for ${what}`);
      await delay(20);
    }
  };
  /** Waits until nothing else is there. */
  const left = (collection: { id: string }, ids: readonly string[]): Promise<true> =>
    eventually(`${ids.length} that are left`, async () => {
      const rows = await stored(collection)
        .find({}, { projection: { _id: 1 } })
        .toArray();
      const there = rows.map(({ _id }) => _id).sort();
      for (const id of ids) assert.ok(there.includes(id), `${id} has gone`);
      return there.length === ids.length ? true : undefined;
    });
  const deletions = async ({ id }: { id: string }): Promise<EventEnvelope[]> => {
    const rows = await data.db
      .collection<{ _id: string; event: EventEnvelope }>('events')
      .find({ 'event.type': 'data.record.deleted', 'event.data.collectionId': id })
      .toArray();
    return rows.map(({ event }) => event);
  };

  it('go after their time, each once, however they were written, with an event that says why', async () => {
    const collection = await expiring({
      indexes: [{ keys: { slug: 1 }, unique: true, where: { slug: { $exists: true } } }],
    });
    const { name } = collection;
    const feed = await openFeed(replica, name, { token: ada.token });
    const staying = [
      await made(collection),
      await made(collection, { until: null }),
      await made(collection, { until: inMs(hourMs) }),
      // Over by the clocks of the replicas, not by MongoDB's.
      await made(collection, { until: inMs(300_000) }),
    ];
    const going = [
      await made(collection, { until: past }),
      await made(collection, { until: '2020-01-01t10:00:00+05:30' }, other),
      await made(collection, { until: inMs(500) }),
    ];
    const changed = await made(collection, { until: inMs(hourMs) });
    assert.equal((await patch(name, changed, { until: past })).status, 200);
    const lines = Array.from({ length: 30 }, (_, n) => JSON.stringify({ n, until: past })).join('\n');
    const imported = await replica.call(`POST /v1/data/${name}`, {
      body: lines,
      type: 'application/x-ndjson',
      token: ada.token,
    });
    assert.equal(imported.body.created, 30, imported.text);
    const operations = [
      { op: 'create', collection: name, fields: { until: past } },
      { op: 'create', collection: name, fields: { until: past }, as: 'saved' },
      { op: 'create', collection: name, fields: { n: 1 }, as: 'doomed' },
    ];
    const batch = await replica.call('POST /v1/batch', { body: { operations }, token: ada.token });
    assert.equal(batch.status, 200, batch.text);
    const upserted = await replica.call(`PUT /v1/data/${name}?by=slug`, {
      body: { slug: 'a', until: past },
      token: ada.token,
    });
    assert.equal(upserted.status, 201, upserted.text);
    const plain = (batch.body.results as unknown as { id: string }[])[2]?.id ?? '';
    const total = going.length + 1 + 30 + 2 + 1;
    await left(collection, [...staying, plain]);
    const events = await eventually('their events', async () => {
      const found = await deletions(collection);
      return found.length >= total ? found : undefined;
    });
    assert.equal(events.length, total);
    assert.equal(new Set(events.map(({ subject }) => subject)).size, total);
    for (const { authtype, authid, data: told } of events) {
      const { reason, deletedBy } = told as { reason?: string; deletedBy?: string };
      assert.deepEqual([authtype, authid, reason, deletedBy], ['system', undefined, 'expired', undefined]);
    }
    await feed.until(
      'deletes in the feed',
      () => feed.told().filter(({ event }) => event === 'deleted').length === total,
    );
    feed.close();
    // Nothing of it is seen: `expiresAt` of the service's own is no field.
    assert.equal((await read(name, staying[2] ?? '')).body.expiresAt, undefined);
    const filter = encodeURIComponent(JSON.stringify({ expiresAt: { $exists: true } }));
    const list = await replica.call(`GET /v1/data/${name}?filter=${filter}`, { token: admin.token });
    assert.deepEqual(list.body.items, []);
  });

  it('stay where their time was moved meanwhile, and are looked at again at the new one', async () => {
    const collection = await expiring();
    const until = inMs(hourMs);
    const saved = [await made(collection, { until }), await made(collection, { until: null }), await made(collection)];
    // As the reaper would find it that looked before the change.
    await stored(collection).updateMany({}, { $set: { expiresAt: new Date(0) } });
    await eventually('the times of now', async () => {
      const rows = await stored(collection)
        .find({ expiresAt: new Date(0) })
        .toArray();
      return rows.length === 0 ? true : undefined;
    });
    const rows = await stored(collection).find().toArray();
    assert.deepEqual(
      saved.map((id) => rows.find(({ _id }) => _id === id)?.expiresAt?.toISOString()),
      [until, undefined, undefined],
    );
    assert.deepEqual(new Set(rows.map(({ revision }) => revision)), new Set([1]));
  });

  it('are saved by whoever moves their time before they go, and by nobody after', async () => {
    const collection = await expiring();
    const ids = await Promise.all(
      Array.from({ length: 60 }, (_, n) => made(collection, { n, until: inMs(2_000) }, n % 2 ? other : replica)),
    );
    const saved: string[] = [];
    await Promise.all(
      ids.map(async (id, n) => {
        await delay(n * 50);
        const answer = await patch(collection.name, id, { until: inMs(hourMs) }, n % 3 ? other : replica);
        assert.ok(answer.status === 200 || answer.status === 404, answer.text);
        if (answer.status === 200) saved.push(id);
      }),
    );
    await left(collection, saved);
  });

  it('are those too that were there before their definition said so, while others are written', async () => {
    const collection = await define();
    const { name } = collection;
    // More than are filled in together; few of them go, each by a transaction of its own.
    const lines = Array.from({ length: 1_200 }, (_, n) =>
      JSON.stringify({ n, ...(n % 60 === 0 ? { until: past } : n % 60 === 1 ? { other: past } : { until: null }) }),
    );
    const body = lines.join('\n');
    const imported = await replica.call(`POST /v1/data/${name}`, {
      body,
      type: 'application/x-ndjson',
      token: ada.token,
    });
    assert.equal(imported.body.created, 1_200, imported.text);
    const change = { isOver: false };
    const writing = (async () => {
      for (let n = 0; !change.isOver && n < 40; n += 1)
        await made(collection, { until: past, slug: 'beside' }, n % 2 ? other : replica);
    })();
    await expiring({}, name).finally(() => (change.isOver = true));
    await writing;
    await eventually('those that are over', async () =>
      (await stored(collection).countDocuments({ 'fields.until': past })) === 0 ? true : undefined,
    );
    assert.equal(await stored(collection).countDocuments(), 1_180);
    // By another field now, for the others.
    await define({ expiry: { field: 'other' } }, name);
    await eventually('those that are over', async () =>
      (await stored(collection).countDocuments({ 'fields.other': past })) === 0 ? true : undefined,
    );
    assert.equal(await stored(collection).countDocuments(), 1_160);
    await define({}, name);
    assert.ok(!(await stored(collection).indexes()).some((index) => index.name === 'expiry'));
    const shown = await replica.call(`GET /v1/collections/${name}`, { token: admin.token });
    assert.equal(shown.body.expiry, undefined);
  });

  it('take with them what refers to them, and stay where that keeps them, while others go', async () => {
    const collection = await expiring();
    const cascading = await define({
      fields: { to: { reference: { collection: collection.name, onDelete: 'cascade' } } },
    });
    const keeping = await define({
      fields: { to: { reference: { collection: collection.name, onDelete: 'restrict' } } },
    });
    const kept = await made(collection, { until: inMs(hourMs) });
    const going = await made(collection, { until: inMs(hourMs) });
    const along = await made(cascading, { to: going });
    const keeper = await made(keeping, { to: kept });
    for (const id of [kept, going]) assert.equal((await patch(collection.name, id, { until: past })).status, 200);
    await left(collection, [kept]);
    assert.equal((await read(cascading.name, along)).status, 404);
    // Of two subjects: neither is in the log for the other's being there.
    const deletionOf = (what: string, of: { id: string }) => eventually(what, async () => (await deletions(of))[0]);
    const event = await deletionOf('its event', cascading);
    const own = await deletionOf('the event of what it referred to', collection);
    const { reason, parentEvent } = event.data as { reason?: string; parentEvent?: string };
    assert.deepEqual([reason, parentEvent, event.batchid], ['cascade', own.id, own.batchid]);
    await eventually('a later look', async () => {
      const row = await stored(collection).findOne({ _id: kept });
      return row?.expiresAt !== undefined && row.expiresAt.getTime() > Date.now() ? true : undefined;
    });
    // Once nothing refers to it any more, it goes; a write of it is enough for that to be seen at once.
    assert.equal((await replica.call(`DELETE /v1/data/${keeping.name}/${keeper}`, { token: ada.token })).status, 204);
    await patch(collection.name, kept, { n: 1 });
    await left(collection, []);
  });

  it('keep their time through changes that nobody asked for', async () => {
    const eve = await data.person();
    const target = await define();
    const collection = await expiring({ fields: { to: { reference: { collection: target.name, onDelete: 'null' } } } });
    const until = inMs(hourMs);
    const to = await made(target);
    const answer = await replica.call(`POST /v1/data/${collection.name}`, { body: { until, to }, token: eve.token });
    const id = String(answer.body.id);
    assert.equal((await replica.call(`DELETE /v1/data/${target.name}/${to}`, { token: ada.token })).status, 204);
    const kept = async () => (await stored(collection).findOne({ _id: id }))?.expiresAt?.toISOString();
    assert.equal(await kept(), until);
    await data.erase(eve.id, 'requested');
    await eventually('a record without a name', async () => {
      const row = await stored(collection).findOne({ _id: id });
      return row?.createdBy === undefined ? true : undefined;
    });
    assert.equal(await kept(), until);
  });

  it('are refused where their time is none, and so is a definition that names something else', async () => {
    const { name } = await expiring();
    const refused = await replica.call(`POST /v1/data/${name}`, { body: { until: 'tomorrow' }, token: ada.token });
    const { errors = [] } = refused.body as { errors?: { pointer: string }[] };
    assert.deepEqual([refused.status, errors.map(({ pointer }) => pointer)], [400, ['/until']]);
    const shown = await replica.call(`GET /v1/collections/${name}`, { token: admin.token });
    assert.deepEqual(shown.body.expiry, { field: 'until' });
    for (const [expiry, pointer] of [
      [{ field: 'n' }, '/expiry/field'],
      [{ field: 'until', ttl: 5 }, '/expiry/ttl'],
      ['until', '/expiry'],
    ] as const) {
      const body = { schema, expiry };
      const answer = await replica.call(`PUT /v1/collections/${newName()}`, { body, token: admin.token });
      const own = answer.body as { errors?: { pointer: string }[] };
      assert.equal(answer.status, 400, answer.text);
      assert.ok(
        (own.errors ?? []).some((each) => each.pointer === pointer),
        answer.text,
      );
    }
  });

  it('go on going where a replica has gone', async () => {
    const collection = await expiring();
    await other.stop();
    await made(collection, { until: past });
    await left(collection, []);
    other = await data.replica({ EXPIRY_INTERVAL: '200ms' });
  });

  it('are looked for by one replica at a time', async () => {
    const client = await MongoClient.connect(process.env.MONGODB_URL ?? '');
    const db = client.db(`lease-${randomUUID().slice(0, 8)}`);
    try {
      const [one, two] = [createReaperLease(db), createReaperLease(db)];
      assert.deepEqual([await one.hold(), await two.hold(), await one.hold()], [true, false, true]);
      await two.release();
      assert.equal(await two.hold(), false);
      await one.release();
      assert.deepEqual([await two.hold(), await one.hold()], [true, false]);
      // Whose replica has died.
      await db.collection('jobs').updateOne({}, { $set: { until: new Date(0) } });
      assert.deepEqual([await one.hold(), await two.hold()], [true, false]);
    } finally {
      await db.dropDatabase();
      await client.close();
    }
  });
});
