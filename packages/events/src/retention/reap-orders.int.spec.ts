import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Db } from 'mongodb';

import { sampleFlow } from '../health/flow-sampler.ts';
import { onEvent } from '../consumer/handler.ts';
import { draft } from '../recording/recorded-document.ts';
import { defineSaga } from '../saga/saga.ts';
import { eventually, noteEvents, openWorld, type TestWorld } from '../testing/test-events.ts';
import { reapDiscards, reapOrders, reapSagas } from './reap-deleted.ts';

const dayMs = 24 * 3_600_000;
const longAgo = new Date(Date.now() - 60 * dayMs);
const lately = new Date(Date.now() - 30 * dayMs);
const bound = new Date(Date.now() - 37 * dayMs);

interface Row {
  readonly _id: string;
}

describe('what administrators have asked for, and sagas', () => {
  let world: TestWorld;
  before(async () => {
    world = await openWorld();
  });
  after(() => world.end());

  const orders = ['redrives', 'replays', 'rebuilds'] as const;
  const row = (_id: string, state: object, outbox: readonly object[] = []) => ({ _id, revision: 2, outbox, ...state });
  const idsOf = async (db: Db, collection: string): Promise<string[]> =>
    (await db.collection<Row>(collection).find().sort({ _id: 1 }).toArray()).map(({ _id }) => _id);
  /** What may go is called `over`. */
  const fill = async (db: Db, pending: boolean): Promise<void> => {
    const unpublished = pending ? [{ id: 'x', subject: 'y/z' }] : [];
    const untold = (state: object) => (pending ? [row('untold', state, unpublished)] : []);
    for (const collection of orders) {
      const [ended, running] = [{ status: 'ended' }, { status: 'running', handler: 'gone', handlers: ['gone'] }];
      await db
        .collection<Row>(collection)
        .insertMany([
          row('over', { ...ended, updatedAt: longAgo }),
          row('lately', { ...ended, updatedAt: lately }),
          row('running', { ...running, updatedAt: longAgo }),
          ...untold({ ...ended, updatedAt: longAgo }),
        ]);
    }
    await db
      .collection<Row>('discards')
      .insertMany([
        row('over', { updatedAt: longAgo }),
        row('lately', { updatedAt: lately }),
        ...untold({ updatedAt: longAgo }),
      ]);
    await db
      .collection<Row>('stories')
      .insertMany([
        row('over', { endedAt: longAgo }),
        row('lately', { endedAt: lately }),
        row('running', { updatedAt: longAgo }),
        ...untold({ endedAt: longAgo }),
      ]);
  };

  it('stay while they run, while they have something to publish, and for as long as a tombstone', async () => {
    const db = world.client.db(`${world.database}-alone`);
    await fill(db, true);
    for (const collection of orders) {
      for await (const { count } of reapOrders(db, collection, bound)) assert.equal(count, 1);
      assert.deepEqual(await idsOf(db, collection), ['lately', 'running', 'untold']);
    }
    for await (const { count } of reapDiscards(db, bound)) assert.equal(count, 1);
    assert.deepEqual(await idsOf(db, 'discards'), ['lately', 'untold']);
    for await (const { count } of reapSagas(db, 'stories', bound)) assert.equal(count, 1);
    assert.deepEqual(await idsOf(db, 'stories'), ['lately', 'running', 'untold']);
    await db.dropDatabase();
  });

  it('are removed by the leader, and measured', async () => {
    const { created, echoed } = noteEvents(world.service);
    const story = defineSaga<{ readonly status: string }>({
      name: 'story',
      collection: 'stories',
      thing: 'story',
      steps: ({ starts }) => [
        starts(created, {
          id: ({ subject }) => subject,
          decide: () => ({ state: { status: 'told' }, event: draft(echoed, { text: 'x' }) }),
        }),
      ],
    });
    const other = onEvent.transaction({ name: 'other', on: [created], handle: () => Promise.resolve() });
    const events = world.replica({ handlers: [story, other], reapMs: 60 });
    await fill(events.db, false);
    await events.start();
    for (const collection of [...orders, 'discards', 'stories'])
      await eventually(`less of ${collection}`, async () => {
        const left = await idsOf(events.db, collection);
        return left.includes('over') ? undefined : left.includes('lately');
      });
    const { sizes } = await sampleFlow(events.db, [], ['stories']);
    for (const collection of [...orders, 'discards', 'stories', 'timers'])
      assert.ok(sizes.has(collection), `${collection} is measured`);
    assert.equal(sizes.get('stories')?.documents, 2);
  });
});
