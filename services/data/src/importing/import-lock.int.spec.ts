import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';

import type { Fault } from '@causeway/contracts';
import { MongoClient } from 'mongodb';
import type { Db } from 'mongodb';

import { createImportLocks } from './import-lock.ts';

describe('the lock of an import', () => {
  const lockMs = 2_000;
  let db: Db;
  before(async () => {
    const client = await MongoClient.connect(process.env.MONGODB_URL ?? assert.fail('MONGODB_URL is not set'));
    db = client.db(`locks-${randomUUID().slice(0, 8)}`);
  });
  after(async () => {
    await db.dropDatabase();
    await db.client.close();
  });

  const secret = Buffer.from('secret');
  const requestOf = () => ({ principal: 'usr_1', route: 'POST /v1/data/notes', key: randomUUID() });
  const isInUse = ({ code }: Fault): boolean => code === 'idempotency-key-in-use';
  const until = async (what: string, isSo: () => Promise<boolean>): Promise<void> => {
    const end = performance.now() + 20_000;
    while (!(await isSo())) {
      assert.ok(performance.now() < end, what);
      await wait(20);
    }
  };

  it('is held for as long as the import runs, however slowly its lines come', async () => {
    const locks = createImportLocks(db, secret, lockMs);
    const request = requestOf();
    const lock = await locks.lock(request, 'one');
    const end = performance.now() + 2.5 * lockMs;
    while (performance.now() < end) {
      await assert.rejects(locks.lock(request, 'other'), isInUse);
      await wait(20);
    }
    await lock.renew();
    await lock.release(false);
    await (await locks.lock(request, 'other')).release(false);
  });

  it('goes to another run once the process of the first is gone, and is not taken from that one any more', async () => {
    const locks = createImportLocks(db, secret, lockMs);
    const request = requestOf();
    const lost = await locks.lock(request, 'one');
    // As if it had stood still for so long.
    await db.collection('imports').updateMany({ owner: 'one' }, { $set: { owner: 'gone', until: new Date(0) } });
    const other = await locks.lock(request, 'other');
    await assert.rejects(lost.renew(), isInUse);
    await lost.release(true);
    const row = await db.collection('imports').findOne({ owner: 'other' });
    assert.ok(row !== null && row.done === undefined, 'the other one has it still');
    await other.release(true);
  });

  it('has a day from the beginning of each run, whose lines have the ids of the first', async () => {
    const locks = createImportLocks(db, secret, lockMs);
    const request = requestOf();
    const first = await locks.lock(request, 'one');
    await first.release(false);
    const rows = db.collection<{ _id: string; owner?: string; expiresAt: Date }>('imports');
    const _id = Buffer.from(first.key).toString('base64url');
    await rows.updateOne({ _id }, { $set: { expiresAt: new Date(Date.now() + 30_000) } });
    const again = await locks.lock(request, 'two');
    assert.deepEqual(again.startedAt, first.startedAt);
    const hoursLeft = async () => (((await rows.findOne({ _id }))?.expiresAt.getTime() ?? 0) - Date.now()) / 3_600_000;
    assert.ok((await hoursLeft()) > 23);
    await again.release(true);
    await rows.updateOne({ _id }, { $set: { expiresAt: new Date(Date.now() + 30_000) } });
    const afterwards = await locks.lock(request, 'three');
    assert.ok(afterwards.done && (await hoursLeft()) < 1);
    await afterwards.release(true);
  });

  it('ends with its key, and so does the import', async () => {
    const locks = createImportLocks(db, secret, lockMs);
    const lock = await locks.lock(requestOf(), 'one');
    const rows = db.collection<{ _id: string; owner?: string; until: Date }>('imports');
    await rows.updateOne({ owner: 'one' }, { $set: { expiresAt: new Date() } });
    await assert.rejects(lock.renew(), isInUse);
    await until('it is not renewed any more', async () => {
      const row = await rows.findOne({ owner: 'one' });
      return row !== null && row.until < new Date();
    });
    await lock.release(false);
  });
});
