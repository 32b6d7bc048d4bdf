import { Fault, newEventId, type Cause } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { onEvent } from '../consumer/handler.ts';
import { noteEvents, openWorld, type TestWorld } from '../testing/test-events.ts';

describe('a service that has no way to the log of a producer', () => {
  let world: TestWorld;
  before(async () => {
    world = await openWorld();
  });
  after(() => world.end());

  it('says so, and which it is, in place of trying for ever', async () => {
    const { created } = noteEvents('elsewhere');
    const copy = onEvent.projection({
      name: 'copy',
      on: [created],
      collection: 'copies',
      project: ({ subject, data: { text } }) => ({ _id: subject, set: { text } }),
    });
    const { replays, rebuilds, db } = world.replica({ handlers: [copy] });
    assert.ok(replays && rebuilds);
    const admin: Cause = { correlationId: newEventId(), principal: { type: 'app_user', id: 'usr_ADMIN' } };
    const isNamed = (error: unknown): boolean =>
      error instanceof Fault &&
      error.code === 'no-log' &&
      error.status === 422 &&
      error.detail === 'It is the one behind causeway.elsewhere.';
    const since = new Date(0);
    await assert.rejects(replays.extent({ since }), isNamed);
    await assert.rejects(replays.request(admin, { since }), isNamed);
    await assert.rejects(rebuilds.request(admin, 'copy'), isNamed);
    for (const orders of ['replays', 'rebuilds']) assert.equal(await db.collection(orders).countDocuments(), 0);
  });
});
