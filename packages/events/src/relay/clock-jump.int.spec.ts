import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';

import type { Events } from '../events.ts';
import { draft } from '../recording/recorded-document.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';

const rounds = 12;
const subjects = 8;

describe('a clock of MongoDB that jumps', () => {
  let world: TestWorld;
  beforeEach(async () => {
    world = await openWorld();
  });
  afterEach(() => world.end());

  it('makes two leaders at worst: the log is dense, and each subject comes first in order', async () => {
    const contracts = noteEvents(world.service);
    // Long leases: whoever leads is sure of it for as long as the test runs, unless something else tells.
    const replicas: Events[] = [world.replica({ leaseMs: 60_000 }), world.replica({ leaseMs: 60_000 })];
    const [first, second] = replicas;
    assert.ok(first && second);
    const notesOf = (events: Events) => events.collection<Note>('notes', { thing: 'note' });
    const [here, there] = [notesOf(first), notesOf(second)];
    await first.start();
    await world.follow();
    for (let index = 0; index < subjects; index += 1) {
      const creation = { _id: `n${index}`, state: { text: '' }, event: draft(contracts.created, { text: '' }) };
      await here.create(testCause(), creation);
    }
    const leases = first.db.collection<{ _id: string; owner: string | null; epoch: number }>('leases');
    const owner = (await leases.findOne())?.owner;
    // To MongoDB every lease has ended: the second replica takes all of them, and the first knows nothing of it.
    await leases.updateMany({}, { $set: { expiresAt: new Date(0) } });
    await first.db.collection('relays').deleteMany({});
    await second.start();
    await eventually('two leaders of everything', async () =>
      (await leases.countDocuments({ owner: { $nin: [owner ?? null, null] } })) === 4 ? true : undefined,
    );

    for (let round = 1; round <= rounds; round += 1) {
      const writes = Array.from({ length: subjects }, (_, index) => {
        const notes = (round + index) % 2 === 0 ? here : there;
        const text = `round ${round}`;
        return notes.update(testCause(), `n${index}`, () => ({
          state: { text },
          event: draft(contracts.updated, { text }),
        }));
      });
      await Promise.all(writes);
    }
    const all = subjects * (rounds + 1);
    await eventually('the log', async () => ((await first.log.collection.countDocuments()) >= all ? true : undefined));
    await eventually('the log on Kafka', () =>
      new Set(world.records.map(({ headers }) => headers.ce_id)).size >= all ? true : undefined,
    );

    const log = await first.log.collection.find().sort({ slot: 1, pos: 1 }).toArray();
    assert.equal(log.length, all);
    for (let slot = 0; slot < 4; slot += 1) {
      const places = log.filter((row) => row.slot === slot).map(({ pos }) => pos);
      assert.deepEqual(
        places,
        places.map((_, index) => index + 1),
      );
    }
    const firsts = Map.groupBy(world.events(), ({ subject }) => subject);
    for (const [subject, events] of firsts) {
      const sequences = events.map(({ sequence }) => Number(sequence));
      assert.deepEqual(
        sequences,
        sequences.map((_, index) => index + 1),
        subject,
      );
    }
  });
});
