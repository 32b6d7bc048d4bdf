import { faults } from '@causeway/contracts';
import { BSON, MongoInvalidArgumentError, MongoNetworkError, MongoServerError } from 'mongodb';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { MalformedEvent } from '../envelope/binary-mode.ts';
import { RevisionMismatch } from '../recording/errors.ts';
import { OutOfTime } from '../recording/out-of-time.ts';
import { isOutage, NoAnswer } from '../recording/outage.ts';
import { isPoison, toHandlingError } from './error-categories.ts';

const server = (code: number, labels: readonly string[] = []): MongoServerError =>
  new MongoServerError({ message: `code ${code}`, code, errorLabels: [...labels] });

const transient = (error: MongoNetworkError): MongoNetworkError => {
  error.addErrorLabel('TransientTransactionError');
  return error;
};

const tooLarge = (): unknown => {
  try {
    return Buffer.alloc(4).writeInt32LE(0, 8);
  } catch (error) {
    return error;
  }
};

describe('an error of a handler', () => {
  const cases: readonly (readonly [string, unknown, 'outage' | 'poison' | 'passing'])[] = [
    ['a connection that broke', new MongoNetworkError('gone'), 'outage'],
    ['a member that is no primary', server(10107), 'outage'],
    ['a member that goes down', server(91), 'outage'],
    ['a primary that stepped down during a write', server(189, ['RetryableWriteError']), 'outage'],
    ['a connection that broke in a transaction', transient(new MongoNetworkError('gone')), 'outage'],
    ['a commit of which nobody knows', server(64, ['UnknownTransactionCommitResult']), 'outage'],
    ['a server that does not answer', new NoAnswer('late'), 'outage'],
    ['a fault that hides an outage', faults.unavailable({ cause: new MongoNetworkError('gone') }), 'outage'],
    ['a document that its collection refuses', server(121), 'poison'],
    ['a document over 16 MiB', server(10334), 'poison'],
    ['a document over what the driver can send', tooLarge(), 'poison'],
    ['a statement that MongoDB does not know', server(9), 'poison'],
    ['a document that is no BSON', new BSON.BSONError('circular'), 'poison'],
    ['a call that the driver refuses', new MongoInvalidArgumentError('operators'), 'poison'],
    ['bytes that are no event', new MalformedEvent('what?'), 'poison'],
    ['a fault that stays', faults.unprocessable(), 'poison'],
    ['a write conflict', server(112, ['TransientTransactionError']), 'passing'],
    ['a transaction that somebody has ended', server(251, ['TransientTransactionError']), 'passing'],
    ['an attempt that is out of time', new OutOfTime('slow', { cause: server(112) }), 'passing'],
    ['a fault that passes', faults.conflict(), 'passing'],
    ['a service that is away', faults.unavailable(), 'passing'],
    ['a unique index', server(11000), 'passing'],
    ['a revision that moved on', new RevisionMismatch(3), 'passing'],
    ['a fetch that nobody answers', new TypeError('fetch failed'), 'passing'],
    ['anything else', new Error('odd'), 'passing'],
    ['what is no error', 'odd', 'passing'],
  ];
  for (const [what, error, expected] of cases) {
    it(`is ${expected}: ${what}`, () => {
      const category = isOutage(error) ? 'outage' : isPoison(error) ? 'poison' : 'passing';
      assert.equal(category, expected);
    });
  }

  it('is kept without the values that MongoDB quotes', () => {
    const message = 'E11000 duplicate key error index: email_1 dup key: { email: "ada@example.org" }';
    const error = new MongoServerError({ message, code: 11000, keyPattern: { email: 1 }, keyValue: { email: 'ada' } });
    const kept = toHandlingError(error);
    assert.equal(kept.name, 'DuplicateKey');
    assert.ok(!kept.message.includes('ada'));
  });
});
