import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import type { Events } from '../events.ts';
import { heldKafka, type HeldKafka } from '../testing/held-kafka.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';
import { limits } from './limits.ts';
import { draft } from './recorded-document.ts';
import type { RecordedCollection } from './recorded-collection.ts';

/** Three of them are more than an outbox may hold. */
const largeText = 'x'.repeat(1_500_000);
const tooMuch = { code: 'unavailable', status: 503, retryAfterS: 5 };

describe('a document whose events cannot be published', () => {
  let world: TestWorld;
  let held: HeldKafka;
  let events: Events;
  let notes: RecordedCollection<Note>;
  let contracts: ReturnType<typeof noteEvents>;
  before(async () => {
    world = await openWorld();
    contracts = noteEvents(world.service);
    held = heldKafka(world.kafka);
    events = world.replica({ kafka: held.kafka });
    notes = events.collection<Note>('notes', { thing: 'note', reusableIds: true });
    await events.start();
    await world.follow();
  });
  after(async () => {
    held.release();
    await world.end();
  });

  const create = (id: string, text = id) =>
    notes.create(testCause(), { _id: id, state: { text }, event: draft(contracts.created, { text }) });
  const touch = (id: string, text: string) =>
    notes.update(testCause(), id, () => ({ state: { text }, event: draft(contracts.updated, { text }) }));
  const remove = (id: string) => notes.delete(testCause(), id, () => draft(contracts.deleted, {}));
  const sequencesOf = (id: string): number[] => [
    ...new Set(
      world
        .events()
        .filter(({ subject }) => subject === `note/${id}`)
        .map(({ sequence }) => Number(sequence)),
    ),
  ];
  /** All that was acknowledged arrives, in order, and the document takes changes again. */
  const recovers = async (id: string, revision: number, again: () => Promise<unknown>) => {
    held.release();
    const all = Array.from({ length: revision }, (_, index) => index + 1);
    await eventually(`${revision} events of ${id}`, () => (sequencesOf(id).length >= revision ? true : undefined));
    assert.deepEqual(sequencesOf(id), all);
    await eventually(`${id} taking changes`, () =>
      again().then(
        () => true,
        () => undefined,
      ),
    );
  };

  it('takes so many, then refuses changes and its end, and goes on when Kafka is back', async () => {
    held.hold();
    await create('many');
    for (let turn = 2; turn <= limits.outboxEvents; turn += 1) await touch('many', `turn ${turn}`);
    await assert.rejects(touch('many', 'too much'), tooMuch);
    await assert.rejects(remove('many'), tooMuch);
    const stored = await notes.native.findOne({ _id: 'many' });
    assert.deepEqual([stored?.revision, stored?.text], [limits.outboxEvents, `turn ${limits.outboxEvents}`]);
    // Only this one: others are taken.
    await create('other');
    await recovers('many', limits.outboxEvents, () => touch('many', 'again'));
  });

  it('takes so many bytes', async () => {
    held.hold();
    await create('large', largeText);
    await touch('large', largeText);
    await touch('large', largeText);
    await assert.rejects(touch('large', 'x'), tooMuch);
    await recovers('large', 3, () => touch('large', 'again'));
  });

  it('is refused under its old id, where that is deleted and created without end', async () => {
    held.hold();
    let revision = 0;
    const endless = async (): Promise<never> => {
      for (;;) {
        await create('name');
        revision += 1;
        await remove('name');
        revision += 1;
      }
    };
    await assert.rejects(endless(), tooMuch);
    assert.equal(revision, limits.outboxEvents);
    await recovers('name', limits.outboxEvents, () => create('name'));
  });
});
