import { faults } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MongoNetworkError } from 'mongodb';

import { HeldUp } from '../recording/held-up.ts';
import { Contended, OutOfTime } from '../recording/out-of-time.ts';
import { createPatience, throughOutages, type Patience, type WaitedFor } from './outages.ts';

const away = new MongoNetworkError('gone');
const heldUp = faults.unavailable({ cause: new HeldUp('the outbox is full') });
const wrong = new Error('wrong');

/** Does what fails with these errors, one after the other, and then works. */
const through = async (errors: readonly Error[], waitsFor?: Patience) => {
  const left = [...errors];
  const pauses: number[] = [];
  const waits: WaitedFor[] = [];
  let warnings = 0;
  const done = throughOutages(
    () => {
      const error = left.shift();
      return error === undefined ? Promise.resolve('done') : Promise.reject(error);
    },
    {
      logger: { warn: () => void (warnings += 1) },
      signal: new AbortController().signal,
      pause: (ms) => Promise.resolve(void pauses.push(ms)),
      ...(waitsFor === undefined ? {} : { waitsFor }),
      onWait: (why) => void waits.push(why),
    },
  );
  const outcome = await done.catch((error: unknown) => error);
  return { outcome, pauses, waits, warnings };
};

describe('an outage', () => {
  it('is sat out with pauses that grow up to a bound, counted each time and told now and then', async () => {
    const { outcome, pauses, waits, warnings } = await through(Array.from({ length: 25 }, () => away));
    assert.equal(outcome, 'done');
    assert.equal(waits.length, 25);
    assert.ok(waits.every((why) => why === 'mongodb'));
    assert.equal(warnings, 3);
    assert.ok((pauses[0] ?? 0) <= 100 && pauses.every((ms) => ms <= 2_000));
    assert.ok((pauses.at(-1) ?? 0) >= 1_000);
  });

  it('is not whatever else fails', async () => {
    const { outcome, waits } = await through([away, wrong]);
    assert.equal(outcome, wrong);
    assert.deepEqual(waits, ['mongodb']);
  });
});

describe('what others write at the same time', () => {
  it('is waited for too, but not a handler that is slow by itself', async () => {
    const contended = new Contended('others came first');
    assert.deepEqual((await through([contended], createPatience(60_000))).waits, ['conflicts']);
    assert.equal((await through([contended], createPatience(0))).outcome, contended);
    const slow = new OutOfTime('slow');
    assert.equal((await through([slow], createPatience())).outcome, slow);
  });
});

describe('what is held up by what is not published', () => {
  it('is waited for by those who say so, for as long as their patience lasts', async () => {
    const patient = await through([heldUp, away, heldUp], createPatience(60_000));
    assert.equal(patient.outcome, 'done');
    assert.deepEqual(patient.waits, ['relay', 'mongodb', 'relay']);
    assert.equal((await through([heldUp], createPatience(0))).outcome, heldUp);
    assert.equal((await through([heldUp])).outcome, heldUp);
  });

  it('is a fault that says so, and no other of its kind', () => {
    const patience = createPatience();
    assert.equal(patience(heldUp), 'relay');
    assert.equal(patience(faults.unavailable()), undefined);
    assert.equal(patience(faults.unavailable({ cause: wrong })), undefined);
  });
});
