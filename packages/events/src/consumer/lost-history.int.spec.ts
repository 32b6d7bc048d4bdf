import { topicOf } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { draft } from '../recording/recorded-document.ts';
import { slotOf } from '../relay/slot.ts';
import { forgetEvents } from '../testing/forget-events.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';
import { onEvent } from './handler.ts';
import type { HandledRow } from './inbox.ts';
import { unreadable } from './parking.ts';

describe('a consumer that was away for longer than the log is kept', () => {
  let world: TestWorld;
  before(async () => {
    world = await openWorld();
  });
  after(() => world.end());

  it('says what is lost where an administrator sees it, and goes on with what is there', async () => {
    const contracts = noteEvents(world.service);
    const texts: string[] = [];
    const listen = onEvent.transaction({
      name: 'listen',
      on: [contracts.created, contracts.updated],
      handle: ({ data: { text } }) => {
        texts.push(text);
        return Promise.resolve();
      },
    });
    const first = world.replica({ handlers: [listen] });
    const notesOf = (events: typeof first) => events.collection<Note>('notes', { thing: 'note' });
    const creation = { _id: 'n', state: { text: '1' }, event: draft(contracts.created, { text: '1' }) };
    const notes = notesOf(first);
    await first.start();
    await notes.create(testCause(), creation);
    await eventually('the first event', () => (texts.length === 1 ? true : undefined));
    await first.stop();

    const alone = world.replica();
    const others = notesOf(alone);
    await alone.start();
    for (const text of ['2', '3', '4', '5'])
      await others.update(testCause(), 'n', () => ({ state: { text }, event: draft(contracts.updated, { text }) }));
    const slot = slotOf('note/n', 4);
    await eventually('the log', async () => ((await alone.log.read(slot, 1, 10)).length === 5 ? true : undefined));
    const topic = topicOf(world.service);
    const brokers = (process.env.KAFKA_BROKERS ?? '').split(',');
    await forgetEvents({ brokers, topic, groupId: `causeway-${world.service}`, count: 5 });
    // What the log's retention does in five weeks.
    await alone.log.collection.deleteMany({ slot, pos: { $lte: 3 } });
    await alone.stop();

    const again = world.replica({ handlers: [listen] });
    notesOf(again);
    await again.start();
    await eventually('what is there', () => (texts.at(-1) === '5' ? true : undefined));
    assert.deepEqual(texts, ['1', '4', '5']);
    const parked = await again.db.collection<HandledRow>('handled').find({ '_id.handler': unreadable }).toArray();
    assert.deepEqual(
      parked.map(({ _id, status, error }) => [_id.event, status, error?.name]),
      [[`${topic}/${slot}/0`, 'parked', 'HistoryLost']],
    );
  });
});
