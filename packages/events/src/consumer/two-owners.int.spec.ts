import { Fault, type EventEnvelope } from '@causeway/contracts';
import { createLogger } from '@causeway/telemetry';
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';

import { createPersons } from '../erasure/persons.ts';
import { createUnnameErased } from '../erasure/unname-erased.ts';
import type { Events } from '../events.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import { draft } from '../recording/recorded-document.ts';
import { SessionJournal } from '../recording/session-journal.ts';
import { createDoor } from '../testing/door.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';
import { createConsumerMetrics } from './consumer-metrics.ts';
import { createDelivery } from './deliver.ts';
import { createFirstDeliveries } from './first-deliveries.ts';
import { onEvent } from './handler.ts';
import { createInbox, type HandledRow } from './inbox.ts';
import { createParking, type Parking } from './parking.ts';
import { createBatchRunner } from './run-batch.ts';
import { createHandlerRunner } from './run-handler.ts';

interface Tally {
  readonly _id: string;
  readonly effects: number;
}

/** What has become of an event. */
interface Outcome {
  readonly status: HandledRow['status'] | undefined;
  readonly effects: number;
  /** Whether its subject is parked. */
  readonly isClosed: boolean;
}

const done: Outcome = { status: 'done', effects: 1, isClosed: false };
const parked: Outcome = { status: 'parked', effects: 0, isClosed: true };

describe('an event that two owners of its partition hold, one whose handler fails', () => {
  let world: TestWorld;
  let events: Events;
  let notes: RecordedCollection<Note>;
  let contracts: ReturnType<typeof noteEvents>;
  let count = 0;

  before(async () => {
    world = await openWorld();
    contracts = noteEvents(world.service);
    events = world.replica();
    notes = events.collection<Note>('notes', { thing: 'note' });
    await events.start();
    await createInbox(events.db, () => new Date()).createIndexes();
    await events.db.createCollection('lanes');
    await events.db.createCollection('tallies');
  });
  after(() => world.end());

  /**
   * What a replica brings events to handlers with.
   *
   * @param handled - called in the transaction, after the effect: where it throws, the effect is undone
   */
  const owner = (handled: () => void | Promise<void>, beforePark: () => Promise<void> = () => Promise.resolve()) => {
    const { db } = events;
    let attempts = 0;
    const transaction: Events['transaction'] = (work) =>
      events.transaction((session, late) => {
        attempts += 1;
        return work(session, late);
      });
    const now = () => new Date();
    const inbox = createInbox(db, now);
    const journal = new SessionJournal();
    const { signal } = new AbortController();
    const logger = createLogger({ service: 'test', level: 'silent' });
    const lot = createParking({ db, inbox, now, transaction });
    const parking: Parking = {
      ...lot,
      async park(...args) {
        await beforePark();
        await lot.park(...args);
      },
    };
    const unnameErased = createUnnameErased(createPersons(db));
    const runBatch = createBatchRunner({ inbox, journal, transaction, signal, unnameErased });
    const run = createHandlerRunner({ db, inbox, journal, transaction, signal, runBatch, unnameErased });
    const firsts = createFirstDeliveries();
    const deliver = createDelivery({ run, inbox, parking, firsts, logger, metrics: createConsumerMetrics([]), signal });
    const handler = onEvent.transaction({
      name: 'tally',
      on: [contracts.created],
      async handle({ subject }, { session }) {
        const tallies = db.collection<Tally>('tallies');
        await tallies.updateOne({ _id: subject }, { $inc: { effects: 1 } }, { upsert: true, session });
        await handled();
      },
    });
    const turn = { signal, pause: (ms: number) => delay(ms) };
    return {
      deliver: (event: EventEnvelope) => deliver(handler, event, turn),
      parking,
      /** Attempts of transactions so far. */
      attempts: () => attempts,
    };
  };
  const open = new AbortController().signal;
  const someoneAt = (door: ReturnType<typeof createDoor>) =>
    eventually('somebody at the door', () => (door.waiting > 0 ? true : undefined));
  const poison = () => {
    throw new Fault({ code: 'bad', category: 'unprocessable', title: 'Bad', description: '' });
  };
  const record = async (): Promise<EventEnvelope> => {
    count += 1;
    const creation = { _id: `n${count}`, state: { text: 'x' }, event: draft(contracts.created, { text: 'x' }) };
    return (await notes.create(testCause(), creation)).event;
  };
  const outcomeOf = async ({ id, subject }: EventEnvelope): Promise<Outcome> => {
    const rows = await events.db.collection<HandledRow>('handled').find({ '_id.event': id }).toArray();
    assert.ok(rows.length <= 1, 'one row');
    const tally = await events.db.collection<Tally>('tallies').findOne({ _id: subject });
    const lanes = events.db.collection<{ _id: { handler: string; subject: string } }>('lanes');
    const isClosed = (await lanes.findOne({ _id: { handler: 'tally', subject } })) !== null;
    return { status: rows[0]?.status, effects: tally?.effects ?? 0, isClosed };
  };

  it('is done where the other completes it before this one parks it', async () => {
    const door = createDoor();
    const failing = owner(poison, () => door.pass(open));
    const working = owner(() => undefined);
    const event = await record();
    const parking = failing.deliver(event);
    await someoneAt(door);
    await working.deliver(event);
    door.open();
    await parking;
    assert.deepEqual(await outcomeOf(event), done);
  });

  it('is parked where this one parks it before the other begins, which then knows its subject', async () => {
    const failing = owner(poison);
    const working = owner(() => undefined);
    const event = await record();
    await failing.deliver(event);
    assert.ok(!working.parking.isParked('tally', event.subject), 'nobody has told it');
    await working.deliver(event);
    assert.deepEqual(await outcomeOf(event), parked);
    assert.ok(working.parking.isParked('tally', event.subject));
  });

  it('is done where this one parks it while the other has its effect, and has not committed', async () => {
    const door = createDoor();
    const failing = owner(poison, () => door.pass(open));
    const inside = createDoor();
    const working = owner(() => inside.pass(open));
    const event = await record();
    const parking = failing.deliver(event);
    await someoneAt(door);
    const completing = working.deliver(event);
    await someoneAt(inside);
    // It meets the other's claim, which may still be undone: it waits for what becomes of it.
    const before = failing.attempts();
    door.open();
    await eventually('an attempt after the first', () => (failing.attempts() > before + 1 ? true : undefined));
    inside.open();
    await Promise.all([parking, completing]);
    assert.deepEqual(await outcomeOf(event), done);
  });

  it('has one outcome whoever is first', async () => {
    const [failing, working] = [owner(poison), owner(() => undefined)];
    for (let round = 0; round < 20; round += 1) {
      const event = await record();
      const both = round % 2 === 0 ? [failing, working] : [working, failing];
      await Promise.all(both.map(({ deliver }) => deliver(event)));
      const outcome = await outcomeOf(event);
      assert.deepEqual(outcome, outcome.status === 'done' ? done : parked);
    }
  });
});
