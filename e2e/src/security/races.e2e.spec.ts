import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Answer, call } from '../harness/client.ts';
import { eventually } from '../harness/eventually.ts';
import { expectProblem, expectStatus } from '../harness/expectations.ts';
import { flushRedis } from '../harness/flush-redis.ts';
import { killAndWait } from '../harness/kill-and-wait.ts';
import { mailTo } from '../harness/mailbox.ts';
import { type Person, signUp } from '../harness/people.ts';
import { totpCode } from '../harness/totp.ts';
import { verifyAddress } from '../harness/verify-address.ts';

const isLong = process.env.CAUSEWAY_TEST_LONG !== undefined;
const rounds = isLong ? 20 : 2;
const patienceMs = 60_000;
const guarded = ['/v1/auth/account', '/v1/users/me', '/v1/collections'];

interface Pair {
  readonly accessToken: string;
  readonly refreshToken: string;
}

const refresh = (refreshToken: string) => call('POST', '/v1/auth/refresh', { json: { refreshToken } });
const exchange = async (token: string): Promise<Pair> => expectStatus(await refresh(token), 200).json<Pair>();
const times = (count: number, send: () => Promise<Answer>): Promise<Answer[]> =>
  Promise.all(Array.from({ length: count }, send));
const countOf = (answers: readonly Answer[], status: number): number =>
  answers.filter((answer) => answer.status === status).length;
const refusedEverywhere = (token: string): Promise<void> =>
  eventually(
    async () => {
      for (const path of guarded) assert.equal((await call('GET', path, { token })).status, 401, path);
    },
    { withinMs: patienceMs },
  );

interface WithApp extends Person {
  readonly secret: string;
  readonly recoveryCodes: readonly string[];
  /** Has them count among devices that the account knows, which may try more often at once. */
  readonly deviceToken: string;
}

/** Somebody with an authenticator app, whose last code was of the step before this one. */
async function withApp(): Promise<WithApp> {
  const person = await signUp();
  const { accessToken: token } = person;
  const deviceToken = await verifyAddress(person);
  const begun = await call('POST', '/v1/auth/factors/totp', { token, json: {} });
  const { id, secret } = expectStatus(begun, 201).json<{ id: string; secret: string }>();
  const path = `/v1/auth/factors/totp/${id}/confirm`;
  // A code of the step before is no longer taken once this step is over.
  while (30_000 - (Date.now() % 30_000) < 4_000) await delay(30_000 - (Date.now() % 30_000));
  const confirmed = await call('POST', path, { token, json: { code: totpCode(secret, -1) } });
  const { recoveryCodes } = expectStatus(confirmed, 200).json<{ recoveryCodes: string[] }>();
  return { ...person, deviceToken, secret, recoveryCodes };
}

const firstStep = async ({ email, password, deviceToken }: WithApp): Promise<string> => {
  const answer = await call('POST', '/v1/auth/sign-in', { json: { email, password, deviceToken } });
  return expectStatus(answer, 200).json<{ mfaToken: string }>().mfaToken;
};

describe('what may happen once', () => {
  it('is one successor of a refresh token, of fifty at once', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const person = await signUp();
      const answers = await times(50, () => refresh(person.refreshToken));
      const pairs = answers.map((answer) => expectStatus(answer, 200).json<Pair>().refreshToken);
      assert.equal(new Set(pairs).size, 1);
      assert.equal(new Set(answers.flatMap(({ events }) => events)).size, 1, 'and one event');
      const [next = ''] = pairs;
      await exchange(next);
    }
  });

  it('is no refresh beside a revocation: whichever comes first, nothing is good afterwards', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const person = await signUp();
      const { accessToken: token } = person;
      const [out, ...answers] = await Promise.all([
        call('POST', '/v1/auth/sign-out', { token }),
        ...Array.from({ length: 10 }, () => refresh(person.refreshToken)),
      ]);
      expectStatus(out, 204);
      await expectProblem(await refresh(person.refreshToken), 401, 'invalid-refresh-token');
      await refusedEverywhere(token);
      for (const answer of answers.filter(({ status }) => status === 200)) {
        const pair = answer.json<Pair>();
        await refusedEverywhere(pair.accessToken);
        await expectProblem(await refresh(pair.refreshToken), 401, 'invalid-refresh-token');
      }
    }
  });

  const proofs: Readonly<Record<string, (person: WithApp) => object>> = {
    'a code of an authenticator app': ({ secret }) => ({ totp: totpCode(secret) }),
    'a recovery code': ({ recoveryCodes: [code] }) => ({ recoveryCode: code }),
  };
  for (const [what, proofOf] of Object.entries(proofs)) {
    it(`is ${what}, of thirty at once`, async () => {
      for (let round = 0; round < rounds; round += 1) {
        const person = await withApp();
        const { deviceToken } = person;
        // Several first steps, so that it is the code at which they meet.
        const tickets = [await firstStep(person), await firstStep(person)];
        const proof = proofOf(person);
        const answers = await Promise.all(
          Array.from({ length: 30 }, (_, index) => {
            const json = { mfaToken: tickets[index % tickets.length], deviceToken, ...proof };
            return call('POST', '/v1/auth/sign-in/second-factor', { json });
          }),
        );
        assert.equal(countOf(answers, 200), 1, answers.map(({ status }) => status).join());
        assert.ok(answers.every(({ status }) => [200, 401, 404, 429].includes(status)));
        for (const mfaToken of tickets) {
          const json = { mfaToken, deviceToken, ...proof };
          const again = await call('POST', '/v1/auth/sign-in/second-factor', { json });
          assert.ok([401, 404, 429].includes(again.status), `${again.status}`);
        }
      }
    });
  }
});

describe('a mailed link, of thirty at once', () => {
  const tokenTo = async (email: string, subject: RegExp, page: string): Promise<string> => {
    const { links } = await mailTo(email, subject);
    const link = links.find((each) => each.includes(`/account/${page}/`)) ?? assert.fail(links.join());
    return link.slice(link.lastIndexOf('/') + 1);
  };
  /** Statuses that have no place here: whoever meets the others in MongoDB may be told to come again. */
  const odd = (answers: readonly Answer[]): string =>
    answers.flatMap(({ status }) => ([200, 404, 503].includes(status) ? [] : [status])).join();

  it('sets one password', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const { email } = await signUp();
      expectStatus(await call('POST', '/v1/auth/password/reset', { json: { email } }), 202);
      const token = await tokenTo(email, /password/, 'reset');
      const chosen = Array.from({ length: 30 }, () => `password-${randomUUID()}`);
      const answers = await Promise.all(
        chosen.map((password) => call('POST', '/v1/auth/password/reset/confirm', { json: { token, password } })),
      );
      assert.deepEqual([countOf(answers, 200), odd(answers)], [1, '']);
      const { deviceToken } = answers.find(({ status }) => status === 200)!.json<{ deviceToken: string }>();
      const enter = (password = '') => call('POST', '/v1/auth/sign-in', { json: { email, password, deviceToken } });
      expectStatus(await enter(chosen[answers.findIndex(({ status }) => status === 200)]), 200);
      await expectProblem(
        await enter(chosen[answers.findIndex(({ status }) => status !== 200)]),
        401,
        'invalid-credentials',
      );
      const again = { token, password: `password-${randomUUID()}` };
      await expectProblem(await call('POST', '/v1/auth/password/reset/confirm', { json: again }), 404, 'link-invalid');
    }
  });

  it('signs in once', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const { email } = await signUp();
      expectStatus(await call('POST', '/v1/auth/sign-in/link', { json: { email } }), 202);
      const token = await tokenTo(email, /sign/i, 'link');
      const redeem = () => call('POST', '/v1/auth/sign-in/link/redeem', { json: { token } });
      const answers = await times(30, redeem);
      assert.deepEqual([countOf(answers, 200), odd(answers)], [1, '']);
      await expectProblem(await redeem(), 404, 'link-invalid');
    }
  });
});

describe('a refresh token that was exchanged twice over', () => {
  const harms = {
    'after auth has been started anew': () => killAndWait(['auth'], patienceMs),
    'after Redis has forgotten everything': flushRedis,
  };
  for (const [when, harm] of Object.entries(harms)) {
    it(`is refused ${when}, and ends its session`, async () => {
      const person = await signUp();
      const second = await exchange(person.refreshToken);
      const third = await exchange(second.refreshToken);
      await harm();
      // So that no try is the one that works, and has no answer: auth is there by then.
      const { email, password } = person;
      await eventually(
        async () => expectStatus(await call('POST', '/v1/auth/sign-in', { json: { email, password } }), 200),
        {
          withinMs: patienceMs,
          everyMs: 250,
        },
      );
      await eventually(async () => expectProblem(await refresh(person.refreshToken), 401, 'refresh-reused'), {
        withinMs: patienceMs,
        everyMs: 250,
      });
      await expectProblem(await refresh(third.refreshToken), 401, 'invalid-refresh-token');
      await refusedEverywhere(third.accessToken);
    });
  }
});
