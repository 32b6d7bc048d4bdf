import { newEventId, type EventEnvelope } from '@causeway/contracts';
import { MongoServerError, type ClientSession, type Db } from 'mongodb';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NoAnswer } from '../recording/outage.ts';
import { AlreadyHandled, createInbox, type HandledStatus } from './inbox.ts';
import { throughOutages } from './outages.ts';
import { createParking } from './parking.ts';

const event = { id: newEventId(), subject: 'note/1', sequence: '0000000000000001' } as EventEnvelope;
const session = {} as unknown as ClientSession;
const error = { name: 'Error', message: 'no' };
const now = (): Date => new Date();

/**
 * A database whose primary has a settled row of the event, until it is rolled back.
 *
 * @param known - what a majority knows of it, at each look
 * @param rolledBackAfter - so many writes have met it
 */
const open = (known: readonly (HandledStatus | undefined)[], rolledBackAfter = Infinity) => {
  let [looks, met, written] = [0, 0, 0];
  const handled = {
    updateOne: () => {
      met += 1;
      if (met > rolledBackAfter) return Promise.resolve((written += 1));
      return Promise.reject(new MongoServerError({ code: 11000, keyPattern: { _id: 1 }, message: 'E11000' }));
    },
    findOne: () => {
      const status = known[Math.min((looks += 1), known.length) - 1];
      return Promise.resolve(status === undefined ? null : { status });
    },
  };
  const lanes = { updateOne: () => Promise.resolve({ matchedCount: 1 }) };
  const db = { collection: (name: string) => (name === 'handled' ? handled : lanes) } as unknown as Db;
  const inbox = createInbox(db, now);
  const transaction = <T>(work: (own: ClientSession) => Promise<T>): Promise<T> => work(session);
  const parking = createParking({ db, inbox, now, transaction });
  return { inbox, parking, written: () => written };
};

const patiently = (work: () => Promise<unknown>) =>
  throughOutages(work, {
    logger: { warn: () => undefined },
    signal: new AbortController().signal,
    pause: () => Promise.resolve(),
  });

void describe('an event that was settled before', () => {
  it('is a duplicate where a majority knows that', async () => {
    for (const status of ['done', 'parked', 'discarded'] as const)
      await assert.rejects(open([status]).inbox.claim('h', event, 1, session), AlreadyHandled);
  });

  it('is waited for until a majority knows that', async () => {
    for (const status of [undefined, 'retrying'] as const)
      await assert.rejects(open([status]).inbox.claim('h', event, 1, session), NoAnswer);
    const { inbox } = open([undefined, 'retrying', 'done']);
    await assert.rejects(
      patiently(() => inbox.claim('h', event, 1, session)),
      AlreadyHandled,
    );
  });

  it('is claimed anew where that is rolled back', async () => {
    const { inbox, written } = open([undefined], 2);
    await patiently(() => inbox.claim('h', event, 1, session));
    assert.equal(written(), 1);
  });

  it('is parked anew, or put behind others anew, where that is rolled back', async () => {
    const parked = open([undefined], 2);
    await patiently(() => parked.parking.park('h', event, 5, error, true));
    assert.equal(parked.written(), 1);
    const joined = open([undefined], 2);
    await patiently(() => joined.parking.join('h', event));
    assert.equal(joined.written(), 1);
    const bytes = open([undefined], 2);
    await patiently(() => bytes.parking.parkBytes('topic/0/1', Buffer.from('x'), error));
    assert.equal(bytes.written(), 1);
  });

  it('stays as it is where a majority knows that, whoever wants to park it', async () => {
    const { parking, written } = open(['done']);
    await parking.park('h', event, 5, error, true);
    assert.equal(await parking.join('h', event), true);
    await parking.parkBytes('topic/0/1', Buffer.from('x'), error);
    assert.equal(written(), 0);
  });
});
