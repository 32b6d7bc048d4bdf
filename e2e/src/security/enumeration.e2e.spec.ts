import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { before, describe, it } from 'node:test';
import { apiDocument, call } from '../harness/client.ts';
import { newEmail, type Person, signUp } from '../harness/people.ts';

/** Calls that take an address from whoever says it, with what they take beside. */
const calls: readonly (readonly [path: string, more: Readonly<Record<string, unknown>>])[] = [
  ['/v1/auth/sign-in', { password: 'not the password' }],
  ['/v1/auth/email/verification', {}],
  ['/v1/auth/password/reset', {}],
  ['/v1/auth/sign-in/link', {}],
];
const rounds = process.env.CAUSEWAY_TEST_LONG === undefined ? 2 : 5;

/** Different each time, whoever asks. */
const changing = new Set(['date', 'ratelimit', 'x-request-id', 'causeway-event', 'traceparent', 'causeway-position']);

describe('whether an address has an account', () => {
  let person: Person;
  before(async () => {
    person = await signUp();
  });

  for (const [path, more] of calls) {
    it(`is not told by ${path}: words and headers are the same`, async (context) => {
      const { document } = await apiDocument();
      if (document.paths[path] === undefined) {
        context.skip('there is no such call here');
        return;
      }
      for (let round = 0; round < rounds; round += 1) {
        const shown: unknown[] = [];
        for (const email of [person.email, newEmail()]) {
          const answer = await call('POST', path, {
            json: { email, ...more },
            headers: { 'x-request-id': randomUUID() },
          });
          const { requestId: _id, ...body } = answer.json();
          const fixed = Object.entries(answer.headers).filter(([name]) => !changing.has(name));
          shown.push({
            ...{ status: answer.status, body, events: answer.events.length },
            headers: Object.fromEntries(fixed.sort()),
            names: Object.keys(answer.headers).sort(),
          });
        }
        assert.deepEqual(shown[0], shown[1]);
      }
    });
  }
});
