import assert from 'node:assert/strict';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type Answer, call, type CallOptions } from '../harness/client.ts';
import { eventually } from '../harness/eventually.ts';
import { expectProblem, expectStatus } from '../harness/expectations.ts';
import { killAndWait } from '../harness/kill-and-wait.ts';
import { type Person, type SignedIn, signIn, signUp } from '../harness/people.ts';
import { addressOf } from '../harness/platform.ts';
import { startSubscriber, type Subscriber } from '../harness/subscriber.ts';
import { seed, seededRandom } from '../kills/seeded-random.ts';

const victims = ['redis', 'kafka', 'mongodb'] as const;
const rounds = process.env.CAUSEWAY_TEST_LONG === undefined ? 1 : 20;
const patienceMs = 60_000;
const random = seededRandom(seed);
const guarded = ['/v1/auth/account', '/v1/users/me', '/v1/collections'];

/** @returns undefined where there is no answer, or one that says nothing of what came of it */
const attempt = async (method: string, path: string, options: CallOptions): Promise<Answer | undefined> => {
  try {
    const answer = await call(method, path, { ...options, signal: AbortSignal.timeout(5_000) });
    return answer.status >= 500 ? undefined : answer;
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    return undefined;
  }
};

/** What people were told while a server died. */
interface Told {
  /** Ids of events that calls have said that they recorded. */
  readonly events: string[];
  /** Sign-ins that were let in. */
  readonly entered: SignedIn[];
  /** Access and refresh tokens of sessions whose end was confirmed. */
  readonly ended: SignedIn[];
}

/** Signs in, with the wrong password too, and ends sessions, until it is stopped. */
function startPerson(person: Person, told: Told): () => Promise<void> {
  let isStopped = false;
  const { email, password } = person;
  const once = async (): Promise<void> => {
    const wrong = await attempt('POST', '/v1/auth/sign-in', { json: { email, password: `${password} not` } });
    // The wrong one is never right, whatever is away.
    assert.ok(wrong === undefined || [401, 429].includes(wrong.status), wrong?.text);
    const right = await attempt('POST', '/v1/auth/sign-in', { json: { email, password } });
    if (right?.status !== 200) return;
    const signedIn = right.json<SignedIn>();
    told.events.push(...right.events);
    told.entered.push(signedIn);
    const out = await attempt('POST', '/v1/auth/sign-out', { token: signedIn.accessToken });
    if (out?.status !== 204) return;
    told.events.push(...out.events);
    told.ended.push(signedIn);
  };
  const loop = async (): Promise<void> => {
    while (!isStopped) {
      await once();
      await wait(20);
    }
  };
  const running = loop();
  // It is awaited once it is stopped; until then a failure is not nobody's.
  running.catch(() => undefined);
  return () => {
    isStopped = true;
    return running;
  };
}

const isRefused = async (token: string): Promise<void> => {
  for (const path of guarded) assert.equal((await call('GET', path, { token })).status, 401, path);
};

describe(`a server that dies in the middle of signing in and out (CAUSEWAY_TEST_SEED=${seed})`, () => {
  let subscriber: Subscriber;
  before(() => {
    subscriber = startSubscriber(addressOf('kafka'));
  });
  after(() => subscriber.stop());

  for (const victim of victims) {
    it(`lets nobody in who should not be, and loses no event: ${victim}`, async (context) => {
      const told: Told = { events: [], entered: [], ended: [] };
      for (let round = 0; round < rounds; round += 1) {
        const people = await Promise.all(Array.from({ length: 4 }, () => signUp()));
        const stops = people.map((person) => startPerson(person, told));
        context.after(() => Promise.allSettled(stops.map((stop) => stop())));
        const before = told.ended.length;
        await eventually(() => assert.ok(told.ended.length >= before + 2), { withinMs: patienceMs });
        await wait(random() * 500);
        await killAndWait([victim], patienceMs);
        const meanwhile = told.ended.length;
        await eventually(() => assert.ok(told.ended.length >= meanwhile + 2), { withinMs: patienceMs });
        await Promise.all(stops.map((stop) => stop()));
        const [person] = people;
        assert.ok(person);
        // Nobody is locked out by it for good.
        await eventually(() => signIn(person.email, person.password), { withinMs: patienceMs, everyMs: 500 });
      }
      for (const { accessToken, refreshToken } of told.ended.slice(-20)) {
        await eventually(() => isRefused(accessToken), { withinMs: patienceMs });
        const again = await call('POST', '/v1/auth/refresh', { json: { refreshToken } });
        await expectProblem(again, 401, 'invalid-refresh-token');
      }
      await subscriber.sees(told.events, patienceMs);
      subscriber.assertHealthy();
      const live = told.entered.filter((each) => !told.ended.includes(each));
      for (const { accessToken: token } of live.slice(0, 10)) {
        // Whose sign-out was not answered is in or out, and not in between: the same for everybody.
        const answers = await Promise.all(guarded.map((path) => call('GET', path, { token })));
        const statuses = new Set(answers.map(({ status }) => status === 401));
        if (statuses.size > 1) await eventually(() => isRefused(token), { withinMs: patienceMs });
      }
      context.diagnostic(
        `${told.entered.length} were let in, ${told.ended.length} signed out, ${told.events.length} events`,
      );
      expectStatus(await call('GET', '/.well-known/jwks.json'), 200);
    });
  }
});
