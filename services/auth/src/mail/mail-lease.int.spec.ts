import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { openTestAuth } from '../testing/test-auth.ts';
import type { TestAuth } from '../testing/test-auth.ts';
import { createMailLeases } from './mail-lease.ts';

describe('the lease of a mail', () => {
  let world: TestAuth;
  before(async () => {
    world = await openTestAuth();
  });
  after(() => world.stop());

  it('is had by one of any number of replicas, and then by the next', async () => {
    const leases = createMailLeases(world.db);
    const takes = await Promise.all(Array.from({ length: 10 }, () => leases.take('mal_1')));
    const [giveBack, ...others] = takes.filter((each) => each !== undefined);
    assert.ok(giveBack !== undefined);
    assert.deepEqual(others, []);
    assert.equal(await leases.take('mal_1'), undefined);
    await giveBack();
    assert.ok((await leases.take('mal_1')) !== undefined);
  });

  it('of a replica that died is over after a minute, by the time of the server; that replica gives back nothing', async () => {
    const leases = createMailLeases(world.db);
    const late = await leases.take('mal_2');
    const rows = world.db.collection<{ _id: string; until: Date }>('mail-leases');
    const row = await rows.findOne({ _id: 'mal_2' });
    const leftMs = (row?.until.getTime() ?? 0) - Date.now();
    assert.ok(leftMs > 30_000 && leftMs < 90_000, `${leftMs} ms`);
    await rows.updateOne({ _id: 'mal_2' }, { $set: { until: new Date(Date.now() - 1) } });
    assert.ok((await leases.take('mal_2')) !== undefined);
    await late?.();
    assert.equal(await leases.take('mal_2'), undefined);
    await leases.forget(['mal_1', 'mal_2']);
    assert.equal(await rows.countDocuments({}), 0);
  });
});
