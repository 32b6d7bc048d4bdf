import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { notTaken } from './smtp-transport.ts';

/** As nodemailer tells it. */
const judged = (code: string, command?: string, responseCode?: number) => {
  const told = Object.assign(new Error('550 no ada@example.com here'), { code, command, responseCode });
  const { reason, forGood, detail } = notTaken(told);
  return [reason, forGood, detail];
};

describe('why a mail was not taken', () => {
  it('is for good where the server refuses the mail itself', () => {
    assert.deepEqual(judged('EENVELOPE', 'RCPT TO', 550), ['answer-550', true, undefined]);
    assert.deepEqual(judged('EMESSAGE', 'DATA', 554), ['answer-554', true, undefined]);
    assert.deepEqual(judged('EENVELOPE', 'API'), ['no-such-address', true, undefined]);
  });

  it('passes where the server says later, or refuses us', () => {
    assert.deepEqual(judged('EENVELOPE', 'RCPT TO', 451), ['answer-451', false, undefined]);
    assert.deepEqual(judged('EAUTH', 'AUTH PLAIN', 535), ['answer-535', false, undefined]);
    assert.deepEqual(judged('EENVELOPE', 'MAIL FROM', 553), ['answer-553', false, undefined]);
    assert.deepEqual(judged('ECONNECTION', 'CONN', 554), ['answer-554', false, undefined]);
  });

  it('passes where nobody answers, and only then the network is quoted', () => {
    const text = '550 no ada@example.com here';
    assert.deepEqual(judged('ESOCKET', 'CONN'), ['no-connection', false, text]);
    assert.deepEqual(judged('ETIMEDOUT', 'CONN'), ['no-answer', false, text]);
    assert.deepEqual(judged('SOMETHING'), ['not-sent', false, text]);
    assert.deepEqual([notTaken(undefined).reason, notTaken('x').forGood], ['not-sent', false]);
  });
});
