import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { openTestUser, type TestUser } from '../testing/test-user.ts';

/** Events that may wait in one document. */
const outboxEvents = 100;

describe('a profile while Kafka is away', () => {
  let world: TestUser;
  before(async () => {
    world = await openTestUser();
  });
  after(() => world.stop());

  it('takes changes as long as none can be lost, is then refused with 503, and goes on when Kafka is back', async () => {
    const { id } = await world.createAccount();
    const change = (bio: string) => world.call('PATCH /v1/users/me', { as: id, body: { bio } });
    assert.equal((await world.call('GET /v1/users/me', { as: id })).status, 200);
    await world.published.waitFor((event) => event.subject === `profile/${id}`, 1);
    world.held.hold();
    const statuses: number[] = [];
    let refused = await change('1');
    for (let turn = 2; refused.status === 200 && turn < 2 * outboxEvents; turn += 1) {
      statuses.push(refused.status);
      refused = await change(String(turn));
    }
    // The event of its creation may not have been pulled when Kafka went away.
    assert.ok(statuses.length === outboxEvents || statuses.length === outboxEvents - 1, `${statuses.length}`);
    assert.deepEqual([refused.status, refused.body.code], [503, 'unavailable']);
    assert.ok(Number(refused.headers.get('retry-after')) > 0);
    // Reads go on, and tell the last change that was taken.
    const read = await world.call('GET /v1/users/me', { as: id });
    assert.deepEqual(
      [read.status, read.body.bio, read.body.revision],
      [200, String(statuses.length), statuses.length + 1],
    );

    world.held.release();
    const all = await world.published.waitFor((event) => event.subject === `profile/${id}`, statuses.length + 1);
    const revisions = [...new Set(all.map(({ sequence }) => Number(sequence)))];
    assert.deepEqual(
      revisions,
      Array.from({ length: statuses.length + 1 }, (_, index) => index + 1),
    );
    const deadline = performance.now() + 60_000;
    let again = await change('again');
    while (again.status === 503 && performance.now() < deadline) again = await change('again');
    assert.equal(again.status, 200);
  });
});
