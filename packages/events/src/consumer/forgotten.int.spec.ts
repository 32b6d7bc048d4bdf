import { newEventId, redactedSchema, topicOf, type Cause, type EventEnvelope } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import type { Events } from '../events.ts';
import { toBinary } from '../envelope/binary-mode.ts';
import { draft } from '../recording/recorded-document.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import { slotOf } from '../relay/slot.ts';
import { retentionPeriods } from '../retention/retention-periods.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';
import { onEvent } from './handler.ts';
import type { HandledRow } from './inbox.ts';

const dayMs = 24 * 3_600_000;
const { tooOldMs } = retentionPeriods();

describe('an event that is older than the inbox remembers', () => {
  let world: TestWorld;
  let events: Events;
  let notes: RecordedCollection<Note>;
  /** As it came from the service, and what the copies of it are made of. */
  let sample: EventEnvelope;
  /** What each handler was given. */
  const calls: string[] = [];
  const admin: Cause = { correlationId: newEventId(), principal: { type: 'app_user', id: 'usr_ADMIN' } };

  before(async () => {
    world = await openWorld();
    const contracts = noteEvents(world.service);
    const on = [contracts.created, contracts.updated] as const;
    const note = (handler: string, event: EventEnvelope): Promise<void> => {
      calls.push(`${handler} ${event.id}`);
      return Promise.resolve();
    };
    const handlers = [
      onEvent.transaction({ name: 'effect', on, handle: (event) => note('effect', event) }),
      onEvent.external({ name: 'mail', order: 'commutative', on, handle: (event) => note('mail', event) }),
      onEvent.transaction({ name: 'fresh', on, handle: (event) => note('fresh', event) }),
      onEvent.projection({
        name: 'copy',
        on,
        collection: 'copies',
        project: ({ subject, data }) => ({ _id: subject, set: { text: data.text } }),
      }),
    ];
    // The service has had all but one of them for a year.
    const since = new Date(Date.now() - 365 * dayMs);
    const declared = world.client.db(world.database).collection<{ _id: string; since: Date }>('handlers');
    await declared.insertMany(['effect', 'mail', 'copy'].map((_id) => ({ _id, since })));
    events = world.replica({ handlers });
    notes = events.collection<Note>('notes', { thing: 'note' });
    await events.start();
    const data = { text: 'x' };
    ({ event: sample } = await notes.create(testCause(), {
      _id: 'sample',
      state: data,
      event: draft(contracts.created, data),
    }));
  });
  after(() => world.end());

  const rowOf = (handler: string, event: string) =>
    events.db.collection<HandledRow>('handled').findOne({ _id: { handler, event } });
  const settled = (handler: string, event: string, status: string) =>
    eventually(`${handler} ${status}`, async () => {
      const row = await rowOf(handler, event);
      return row?.status === status ? row : undefined;
    });
  const arrive = async (subject: string, ageMs: number, sequence = 1): Promise<EventEnvelope> => {
    const time = new Date(Date.now() - ageMs).toISOString();
    const event = { ...sample, id: newEventId(), subject, time, sequence: String(sequence).padStart(16, '0') };
    await send(event);
    return event;
  };
  const send = async (event: EventEnvelope): Promise<void> => {
    const producer = await world.kafka.producer();
    await producer.send([{ topic: topicOf(world.service), partition: slotOf(event.subject, 4), ...toBinary(event) }]);
    await producer.close();
  };

  it('is parked, not run, where its effect is not guarded by its sequence', async () => {
    const old = await arrive('note/old', tooOldMs + 60_000);
    const effect = await settled('effect', old.id, 'parked');
    const mail = await settled('mail', old.id, 'parked');
    for (const row of [effect, mail]) {
      assert.deepEqual([row.error?.name, row.attempts, row.payload?.id], ['TooOld', 0, old.id]);
    }
    const copy = await eventually('a copy', () =>
      events.db
        .collection<{ _id: string }>('copies')
        .findOne({ _id: 'note/old' })
        .then((found) => found ?? undefined),
    );
    assert.equal(copy._id, 'note/old');
    assert.ok(!calls.includes(`effect ${old.id}`) && !calls.includes(`mail ${old.id}`));
    // What is ordered stays in order; what is not goes on.
    const young = await arrive('note/old', 0, 2);
    await settled('effect', young.id, 'parked');
    await settled('mail', young.id, 'done');
    // Others go on.
    await settled('effect', (await arrive('note/other', 0)).id, 'done');
  });

  it('is settled without effect where it was redacted, and no subject waits for it', async () => {
    const time = new Date(Date.now() - tooOldMs - 60_000).toISOString();
    const old = { ...sample, id: newEventId(), subject: 'note/redacted', time, dataschema: redactedSchema, data: {} };
    await send(old);
    await settled('effect', old.id, 'discarded');
    const young = await arrive('note/redacted', 0, 2);
    await settled('effect', young.id, 'done');
  });

  it('is run where nothing can have been forgotten: by a handler that is new', async () => {
    const old = await arrive('note/fresh', 300 * dayMs);
    await settled('fresh', old.id, 'done');
    assert.ok(calls.includes(`fresh ${old.id}`));
  });

  it('is run up to the very age that the inbox remembers', async () => {
    const old = await arrive('note/just', tooOldMs - 60_000);
    await settled('effect', old.id, 'done');
  });

  it('is a duplicate like any other where the inbox knows it still', async () => {
    const old = { ...sample, id: newEventId(), subject: 'note/known', time: new Date(0).toISOString() };
    const at = new Date();
    const rows = ['effect', 'mail'].map((handler) => ({
      _id: { handler, event: old.id },
      status: 'done' as const,
      at,
    }));
    await events.db.collection<HandledRow>('handled').insertMany(rows);
    await send(old);
    // Behind it on the same partition.
    await settled('effect', (await arrive('note/known', 0, 2)).id, 'done');
    assert.ok(!calls.includes(`effect ${old.id}`));
  });

  it('is handled once it is redriven, or given up', async () => {
    const redrives = events.redrives ?? assert.fail('there are handlers');
    const old = await arrive('note/back', tooOldMs + dayMs);
    const gone = await arrive('note/gone', tooOldMs + dayMs);
    for (const event of [old, gone]) await settled('effect', event.id, 'parked');
    await redrives.request(admin, { handler: 'effect', eventId: old.id, scope: 'event' });
    await settled('effect', old.id, 'done');
    assert.ok(calls.includes(`effect ${old.id}`));
    await redrives.discard(admin, { handler: 'effect', eventId: gone.id }, 'it had its effect last year');
    await settled('effect', gone.id, 'discarded');
    for (const subject of ['note/back', 'note/gone']) {
      await settled('effect', (await arrive(subject, 0, 2)).id, 'done');
    }
  });
});
