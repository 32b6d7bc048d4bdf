import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { describe, it } from 'node:test';
import { Agent, request } from 'undici';
import { call } from '../harness/client.ts';
import { eventually } from '../harness/eventually.ts';
import { expectStatus } from '../harness/expectations.ts';
import { signIn, signUp } from '../harness/people.ts';
import { addressOf } from '../harness/platform.ts';

const signIns = 500;
const rounds = process.env.CAUSEWAY_TEST_LONG === undefined ? 1 : 5;

/** For those that are not about signing in, while many do: bounded by far more than they take. */
const patienceMs = 120_000;

describe('five hundred sign-ins at once', () => {
  it('are answered or told when to come again, while all other calls go on', async () => {
    const person = await signUp();
    const token = person.accessToken;
    const agent = new Agent({ connections: signIns });
    const url = new URL('/v1/auth/sign-in', addressOf('gateway'));
    const post = async (): Promise<string> => {
      const body = JSON.stringify({ email: `nobody-${randomUUID()}@example.com`, password: 'not the password' });
      const headers = { 'content-type': 'application/json' };
      const answer = await request(url, { method: 'POST', headers, body, dispatcher: agent, headersTimeout: 120_000 });
      const text = await answer.body.text();
      if (answer.statusCode !== 503) return `${answer.statusCode}`;
      assert.match(String(answer.headers['retry-after']), /^[1-9]\d*$/, text);
      return '503';
    };
    for (let round = 0; round < rounds; round += 1) {
      let isOver = false;
      const flood = Promise.all(Array.from({ length: signIns }, post)).finally(() => (isOver = true));
      let others = 0;
      // Once at least, however fast the flood is over.
      do {
        for (const path of ['/v1/auth/account', '/v1/auth/sessions', '/v1/users/me', '/.well-known/jwks.json']) {
          // A machine with other work may let one call wait for too long: the next one is answered.
          await eventually(async () => expectStatus(await call('GET', path, { token }), 200), { withinMs: patienceMs });
          others += 1;
        }
      } while (!isOver);
      const statuses = new Set(await flood);
      assert.ok(others >= 4);
      // Who waits for too long on a busy machine is told so by the gateway.
      for (const later of ['503', '504']) statuses.delete(later);
      assert.deepEqual([...statuses], ['401'], 'whoever is looked at is refused');
    }
    await agent.close();
    await signIn(person.email, person.password);
  });
});
