import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';

import { MongoClient } from 'mongodb';
import type { Db } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import type { RecordDocument } from '../records/record.model.ts';
import type { ExpiredOutcome } from './delete-expired.ts';
import { ensureExpiryIndex } from './expiry-index.ts';
import { createReapExpired } from './reap-expired.ts';

describe('a pass over what has expired', () => {
  let client: MongoClient;
  let db: Db;

  before(async () => {
    client = await MongoClient.connect(process.env.MONGODB_URL ?? '');
    db = client.db(`reap-${randomUUID().slice(0, 8)}`);
  });
  after(async () => {
    await db.dropDatabase();
    await client.close();
  });

  /** Collections with so many records each, all of them over; and a reaper whose deletes are noted. */
  const world = async (
    sizes: readonly number[],
    {
      backlog = () => 0,
      outcomeOf = () => 'deleted' as const,
      written = 1,
      hold = () => true,
      unreadable,
    }: Partial<{
      backlog: () => number;
      outcomeOf: (id: string) => ExpiredOutcome['kind'];
      /** Records that are written with each that goes. */
      written: number;
      hold: () => boolean;
      unreadable: number;
    }> = {},
  ) => {
    await db.collection('collections').deleteMany({});
    const ids = sizes.map((_, at) => `col_${at}_${randomUUID().slice(0, 8)}`);
    for (const [at, id] of ids.entries()) {
      const records = db.collection<RecordDocument>(`records_${id}`);
      await ensureExpiryIndex(records);
      const rows = Array.from({ length: sizes[at] ?? 0 }, (_, n) => ({
        _id: `${at}/${String(n).padStart(4, '0')}`,
        revision: 1,
        expiresAt: new Date(n % 10),
      }));
      if (rows.length > 0) await records.insertMany(rows as unknown as RecordDocument[]);
      await db
        .collection<{ _id: string }>('collections')
        .insertOne({ _id: id, definition: { expiry: {} } } as { _id: string });
    }
    const noted: string[] = [];
    const putOff: string[] = [];
    const reap = createReapExpired({
      events: { db, backlog: () => Promise.resolve(backlog()) },
      registry: {
        reload: (id) => {
          if (unreadable !== undefined && id === ids[unreadable]) return Promise.reject(new Error('unreadable'));
          const native = db.collection<RecordDocument>(`records_${id}`);
          const annotate = async (all: readonly { id: string }[]) => void putOff.push(...all.map((each) => each.id));
          const records = { native, annotate };
          return Promise.resolve({ id, name: id, expiry: { field: 'until' }, records } as unknown as Collection);
        },
      },
      deleteExpired: async (name, id) => {
        noted.push(id);
        const outcome = outcomeOf(id);
        if (outcome === 'deleted') await db.collection<RecordDocument>(`records_${name}`).deleteOne({ _id: id });
        return { kind: outcome, written: outcome === 'deleted' ? written : 0 };
      },
      lease: { hold: () => Promise.resolve(hold()), release: () => Promise.resolve() },
      logger: { error: () => undefined },
    });
    return { reap, noted, putOff };
  };
  const never = new AbortController().signal;

  it('looks at each record once, those too that stay, in the order of their times', async () => {
    const { reap, noted, putOff } = await world([450], {
      outcomeOf: (id) => (id.endsWith('7') ? 'kept' : id.endsWith('8') ? 'passed-over' : 'deleted'),
    });
    await reap(never);
    assert.equal(noted.length, 450);
    assert.equal(new Set(noted).size, 450);
    const times = noted.map((id) => Number(id.slice(-1)));
    // Some side by side: a time may be ahead of its place by as many.
    for (const [at, each] of times.slice(0, -16).entries()) assert.ok(each <= (times[at + 16] ?? 0));
    assert.deepEqual([...new Set(putOff.map((id) => id.slice(-1)))], ['7']);
    assert.equal(putOff.length, 45);
  });

  it('comes to each collection in turn, however much there is in one', async () => {
    const { reap, noted } = await world([1_000, 3]);
    await reap(never);
    assert.equal(noted.length, 1_003);
    const small = noted.flatMap((id, at) => (id.startsWith('1/') ? [at] : []));
    assert.ok(Math.max(...small) < 300, small.join());
  });

  it('waits while others have many events to publish', async () => {
    let pending = 6_000;
    let asked = 0;
    const { reap, noted } = await world([10], {
      backlog: () => {
        asked += 1;
        if (asked === 3) pending = 0;
        if (pending > 0) assert.deepEqual(noted, []);
        return pending;
      },
    });
    await reap(never);
    assert.equal(noted.length, 10);
    assert.ok(asked >= 3);
  });

  it('asks the relay again, and holds the lease, as soon as much has followed from some', async () => {
    let sinceAsked = 0;
    let most = 0;
    let held = 0;
    const { reap, noted } = await world([100], {
      written: 400,
      backlog: () => {
        sinceAsked = 0;
        return 0;
      },
      hold: () => {
        held += 1;
        return true;
      },
      outcomeOf: () => {
        sinceAsked += 400;
        most = Math.max(most, sinceAsked);
        return 'deleted';
      },
    });
    await reap(never);
    assert.equal(noted.length, 100);
    assert.ok(most < 2_000, String(most));
    assert.ok(held >= 25, String(held));
  });

  it('goes no further where the lease is lost within a turn', async () => {
    let held = 0;
    const { reap, noted } = await world([100], { written: 1_000, hold: () => (held += 1) <= 2 });
    await reap(never);
    assert.equal(noted.length, 1);
  });

  it('puts off what is over under a definition alone that is about to come', async () => {
    const { reap, putOff } = await world([3], { outcomeOf: (id) => (id === '0/0001' ? 'undecided' : 'deleted') });
    await reap(never);
    assert.deepEqual(putOff, ['0/0001']);
  });

  it('comes to what can be read where a collection cannot, and to what can go where a record cannot', async () => {
    const { reap, noted, putOff } = await world([5, 5], {
      unreadable: 0,
      outcomeOf: (id) => {
        if (id === '1/0002') throw new Error('cannot');
        return 'deleted';
      },
    });
    await reap(never);
    assert.deepEqual(noted, ['1/0000', '1/0001', '1/0002', '1/0003', '1/0004']);
    assert.deepEqual(putOff, ['1/0002']);
  });

  it('ends when the service does', async () => {
    const stopping = new AbortController();
    const { reap, noted } = await world([100], {
      outcomeOf: () => {
        stopping.abort();
        return 'deleted';
      },
    });
    await reap(stopping.signal);
    assert.ok(noted.length < 100);
  });
});
