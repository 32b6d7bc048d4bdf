import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { newId } from '@causeway/contracts';

import { openTestUser } from './testing/test-user.ts';
import type { TestUser } from './testing/test-user.ts';

describe('user', () => {
  let world: TestUser;
  before(async () => {
    world = await openTestUser();
  });
  after(() => world.stop());

  it('takes no call before it knows which sessions have ended, without Redis too', async () => {
    const { sessionId, event } = await world.endSession(newId('usr'));
    await world.republish(event);
    assert.equal(await world.knowsAtStart(sessionId), true);
    assert.equal(await world.knowsAtStart(newId('ses')), false);
  });
});
