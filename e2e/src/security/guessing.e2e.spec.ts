import assert from 'node:assert/strict';
import process from 'node:process';
import { describe, it } from 'node:test';
import { Agent, request } from 'undici';
import { call } from '../harness/client.ts';
import { eventually } from '../harness/eventually.ts';
import { expectStatus } from '../harness/expectations.ts';
import { admin, signUp } from '../harness/people.ts';
import { addressOf } from '../harness/platform.ts';
import { verifyAddress } from '../harness/verify-address.ts';

/** An account takes so many guesses in a row at most, by all paths together. */
const mostLookedAt = 100;
const guesses = 500;
const rounds = process.env.CAUSEWAY_TEST_LONG === undefined ? 1 : 4;

/** This machine has an address for each: whoever guesses comes from many. */
const addresses = Array.from({ length: 100 }, (_, index) => `127.0.${1 + (index % 50)}.${2 + Math.floor(index / 50)}`);

interface Entry {
  readonly type: string;
  readonly outcome: string;
  readonly facts: { readonly count?: number };
  readonly personal: { readonly addresses?: readonly string[] } | null;
}

describe('guessing from many addresses at once', () => {
  it('gets no more than a hundred tries, is told as it was, and stops nobody who was there before', async () => {
    const person = await signUp();
    const { id, email, password } = person;
    const json = { email, password };
    const deviceToken = await verifyAddress(person);
    const agents = addresses.map((localAddress) => new Agent({ connections: 5, localAddress }));
    const url = new URL('/v1/auth/sign-in', addressOf('gateway'));
    const guess = async (index: number): Promise<number> => {
      const body = JSON.stringify({ email, password: `guess number ${index}` });
      const headers = { 'content-type': 'application/json' };
      const dispatcher = agents[index % agents.length];
      assert.ok(dispatcher);
      const answer = await request(url, { method: 'POST', headers, body, dispatcher, headersTimeout: 120_000 });
      const text = await answer.body.text();
      if (answer.statusCode === 429) assert.match(String(answer.headers['retry-after']), /^[1-9]\d*$/);
      else if (answer.statusCode === 401) assert.match(text, /invalid-credentials/);
      else assert.ok([503, 504].includes(answer.statusCode), text);
      return answer.statusCode;
    };
    const statuses: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      statuses.push(...(await Promise.all(Array.from({ length: guesses }, (_, index) => guess(index)))));
    }
    await Promise.all(agents.map((agent) => agent.close()));
    const lookedAt = statuses.filter((status) => status === 401).length;
    // Of these it is not told whether they were looked at.
    const unanswered = statuses.filter((status) => status >= 500).length;
    assert.ok(lookedAt > 0 && lookedAt <= mostLookedAt, `${lookedAt} were looked at`);

    const again = { ...json, deviceToken };
    expectStatus(await call('POST', '/v1/auth/sign-in', { json: again }), 200);

    const token = await admin();
    await eventually(
      async () => {
        const query = { account: id, limit: '200' };
        const { items } = expectStatus(await call('GET', '/v1/auth/audit', { token, query }), 200).json<{
          items: readonly Entry[];
        }>();
        const failed = items.filter(({ type }) => type === 'auth.guard.failed');
        const count = failed.reduce((sum, { facts }) => sum + (facts.count ?? 0), 0);
        const isTold = count >= lookedAt && count <= lookedAt + unanswered;
        assert.ok(isTold, `${lookedAt} were looked at, and nothing else is in the audit: ${count} are`);
        assert.ok(failed.every(({ outcome }) => outcome === 'refused'));
        const from = new Set(failed.flatMap(({ personal }) => personal?.addresses ?? []));
        assert.ok(
          [...from].every((address) => addresses.some((each) => address.endsWith(each))),
          [...from].join(),
        );
        assert.ok(items.some(({ type }) => type === 'auth.guard.cleared'));
      },
      { withinMs: 60_000, everyMs: 500 },
    );
  });
});
