import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { draft } from '../recording/recorded-document.ts';
import { slotOf } from '../relay/slot.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';

const minuteMs = 60_000;

describe('the time of what is logged', () => {
  let world: TestWorld;
  let count = 0;
  beforeEach(async () => {
    world = await openWorld();
  });
  afterEach(() => world.end());

  /** Has a leader whose clock is so far off log an event, and gives where a part of the log since a time begins, and ends. */
  const logged = async (offMs: number) => {
    const events = world.replica({ now: () => new Date(Date.now() + offMs) });
    const notes = events.collection<Note>('notes', { thing: 'note' });
    await events.start();
    count += 1;
    const state = { text: 'x' };
    // Of one subject all: they are in one slot.
    const contract = draft(count === 1 ? noteEvents(world.service).created : noteEvents(world.service).updated, state);
    if (count === 1) await notes.create(testCause(), { _id: 'one', state, event: contract });
    else await notes.update(testCause(), 'one', () => ({ state, event: contract }));
    const slot = slotOf('note/one', 4);
    const { to } = await eventually('a row', async () => {
      const whole = await events.log.extent({ slot });
      return whole.to === count ? whole : undefined;
    });
    await events.stop();
    return { to, since: async (since: number) => (await events.log.extent({ slot, since: new Date(since) })).from };
  };

  it('is the database’s, whatever its leaders take for now: a replay since then misses nothing', async () => {
    const before = Date.now();
    await logged(0);
    await logged(-5 * minuteMs);
    await logged(5 * minuteMs);
    const { to, since } = await logged(-5 * minuteMs);
    assert.equal(to, 4);
    assert.equal(await since(before), 1, 'a slow leader’s rows are in it');
    assert.equal(await since(Date.now() + minuteMs), 5, 'and a fast one’s not in what is to come');
  });
});
