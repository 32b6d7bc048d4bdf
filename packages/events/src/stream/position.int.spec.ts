import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { Timestamp } from 'mongodb';

import { openWorld, type TestWorld } from '../testing/test-events.ts';
import { clusterTimeOf } from './position.ts';

describe('the time that MongoDB has told a client', () => {
  let world: TestWorld;
  before(async () => {
    world = await openWorld();
  });
  after(() => world.end());

  const told = (): Timestamp => clusterTimeOf(world.client) ?? assert.fail('nothing was told');
  const write = async (): Promise<Timestamp> => {
    const session = world.client.startSession({ causalConsistency: true });
    await world.client.db(world.database).collection('others').insertOne({}, { session });
    await session.endSession();
    return session.operationTime ?? assert.fail('no time of a write');
  };

  it('is at or after each write, and does not fall back where an earlier answer comes late', async () => {
    const first = await write();
    assert.ok(told().greaterThanOrEqual(first));
    const second = await write();
    assert.ok(told().greaterThanOrEqual(second));
    // As the driver does where it reads an answer that was made before.
    const { topology } = world.client as unknown as { readonly topology: { clusterTime: object | undefined } };
    topology.clusterTime = { ...topology.clusterTime, clusterTime: first };
    assert.ok(told().greaterThanOrEqual(second));
    topology.clusterTime = undefined;
    assert.ok(told().greaterThanOrEqual(second));
    const third = await write();
    assert.ok(told().greaterThanOrEqual(third) && third.greaterThan(second));
  });
});
