import { Fault, newEventId, type Cause } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { onEvent, type Handler } from '../consumer/handler.ts';
import type { HandledRow } from '../consumer/inbox.ts';
import type { Events } from '../events.ts';
import { draft } from '../recording/recorded-document.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';
import type { Replay, Replays } from './replays.ts';

const count = 40;

describe('a replay that is stopped', () => {
  let world: TestWorld;
  let contracts: ReturnType<typeof noteEvents>;
  let events: Events;
  /** Handled since they were forgotten: each once, however often its transaction was tried. */
  let again: Set<string>;
  const by = (id: string): Cause => ({ correlationId: newEventId(), principal: { type: 'app_user', id } });
  const since = new Date(0);

  const counting = (name: string): Handler =>
    onEvent.transaction({
      name,
      on: [contracts.created],
      handle({ id }) {
        again.add(`${name} ${id}`);
        return Promise.resolve();
      },
    });
  const replica = async (...names: string[]): Promise<Events> => {
    const made = world.replica({ handlers: names.map(counting) });
    made.collection<Note>('notes', { thing: 'note' });
    await made.start();
    return made;
  };
  const of = (which: Events): Replays => which.replays ?? assert.fail('there are handlers');
  const ended = (which: Events, id: string): Promise<Replay> =>
    eventually(`the end of ${id}`, async () => {
      const replay = await of(which).find(id);
      return replay?.status === 'ended' ? replay : undefined;
    });
  const isEnded = (error: unknown): boolean => error instanceof Fault && error.code === 'replay-ended';

  beforeEach(async () => {
    world = await openWorld();
    contracts = noteEvents(world.service);
    again = new Set();
    events = await replica('late', 'other');
    const notes = events.collection<Note>('notes', { thing: 'note' });
    const event = draft(contracts.created, { text: 'x' });
    for (let index = 0; index < count; index += 1)
      await notes.create(testCause(), { _id: `n${index}`, state: { text: 'x' }, event });
    await eventually('all that is to be replayed', async () => {
      const extent = await of(events).extent({ handler: 'late', since });
      return extent.events >= count && again.size === 2 * count ? true : undefined;
    });
    const handled = events.db.collection<HandledRow>('handled');
    await handled.deleteMany({ '_id.handler': 'late' });
    again = new Set();
    await world.follow();
  });
  afterEach(() => world.end());

  it('ends at the next event, whichever replica is asked, and says who wanted it', async () => {
    const other = await replica('late', 'other');
    const asked = await of(events).request(by('usr_A'), { handler: 'late', since, ratePerSecond: 2 });
    const { id } = asked.replay;
    await eventually('its beginning', () => (again.size > 0 ? true : undefined));
    const stopped = await of(other).requestStop(by('usr_B'), id);
    const before = again.size;
    assert.ok(stopped?.eventId);
    assert.equal(stopped.replay.stopped, true);
    const end = await ended(other, id);
    assert.ok(end.done <= before + 1, `${end.done} were done, ${before} before`);
    assert.deepEqual([end.done, end.stopped], [again.size, true]);
    const told = await eventually('three events', () => {
      const found = world.events().filter(({ subject }) => subject === `replay/${id}`);
      return found.length === 3 ? found : undefined;
    });
    assert.deepEqual(
      told.map(({ type, authid }) => [type, authid]),
      [
        [`${world.service}.replay.requested`, 'usr_A'],
        [`${world.service}.replay.stopped`, 'usr_B'],
        [`${world.service}.replay.ended`, 'usr_A'],
      ],
    );
    await assert.rejects(of(other).requestStop(by('usr_B'), id), isEnded);
    assert.equal(await of(other).requestStop(by('usr_B'), 'rpl_none'), undefined);
    // What it has left can be replayed.
    const rest = await of(other).request(by('usr_A'), { handler: 'late', since, ratePerSecond: 1_000 });
    assert.equal((await ended(other, rest.replay.id)).done, count - end.done);
    await assert.rejects(of(other).requestStop(by('usr_B'), rest.replay.id), isEnded);
  });

  it('ends where nobody is at work on it, since its handler is gone; asked twice, it is told once', async () => {
    const { replay } = await of(events).request(by('usr_A'), { handler: 'late', since, ratePerSecond: 1 });
    await events.stop();
    const next = await replica('other');
    assert.equal((await of(next).find(replay.id))?.status, 'running');
    const [one, two] = await Promise.all([1, 2].map(() => of(next).requestStop(by('usr_B'), replay.id)));
    assert.equal([one, two].filter((each) => each?.eventId !== undefined).length, 1);
    await ended(next, replay.id);
  });
});
