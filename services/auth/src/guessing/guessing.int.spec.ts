import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import { altered } from '@causeway/service/testing';
import { Redis } from 'ioredis';

import { cuttableProxy } from '../testing/cuttable-proxy.ts';
import { openCountedGuesses } from '../testing/counted-guesses.ts';
import type { CountedGuesses } from '../testing/counted-guesses.ts';
import { openTestAuth, password, randomEmail, signUp } from '../testing/test-auth.ts';
import type { Answered, Person, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { markVerified } from '../testing/test-links.ts';
import { delayOf, guessRules } from './guess-rules.ts';

const wrong = 'not the password';

describe('guessing passwords', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let ada: Person;
  let counted: CountedGuesses;
  const post = (email: string, typed: string, replica = auth, headers: Record<string, string> = {}) =>
    replica.call('POST /v1/auth/sign-in', { body: { email, password: typed }, headers });
  /** Wrong passwords, one after the other. */
  const guess = async (email: string, times: number, replica = auth): Promise<Answered[]> => {
    const answers: Answered[] = [];
    for (let index = 0; index < times; index += 1) answers.push(await post(email, wrong, replica));
    return answers;
  };
  const statuses = (answers: readonly Answered[]) => answers.map(({ status }) => status);

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica({ GUESSES_PER_BLOCK: '100000', GUESSES_OVERALL: '100000' });
    counted = await openCountedGuesses(world);
  });
  beforeEach(async () => {
    ada = await signUp(auth);
  });
  after(async () => {
    counted.stop();
    await world.stop();
  });

  it('is answered alike for an address that somebody has and one that nobody has', async () => {
    const nobody = randomEmail();
    const told: { readonly body: Record<string, unknown>; readonly headers: string[] }[] = [];
    for (const email of [ada.email, nobody]) {
      assert.deepEqual(statuses(await guess(email, 5)), [401, 401, 401, 401, 401]);
      await counted.prolong(email);
      const refused = await post(email, wrong);
      const { requestId: _id, ...body } = refused.body;
      assert.equal(refused.status, 429);
      assert.match(refused.headers.get('retry-after') ?? '', /^[1-9]\d?$/);
      told.push({ body, headers: [...refused.headers.keys()].sort() });
    }
    assert.equal(told[0]?.body.code, 'too-many-attempts');
    assert.deepEqual(told[0], told[1]);
  });

  it('does not find the right password either while one has to wait, and disturbs nobody else', async () => {
    await guess(ada.email, 5);
    await counted.prolong(ada.email);
    assert.equal((await post(ada.email, password)).status, 429);
    const bob = await signUp(auth);
    assert.equal((await post(bob.email, password)).status, 200);
  });

  it('lets a device in that its owner has used before, and not for another account', async () => {
    await markVerified(world, ada);
    const answer = await auth.call('POST /v1/auth/sign-in', { body: { email: ada.email, password } });
    const deviceToken = String(answer.body.deviceToken);
    await guess(ada.email, 5);
    await counted.prolong(ada.email);
    const bob = await signUp(auth);
    await guess(bob.email, 5);
    await counted.prolong(bob.email);
    const from = (email: string, device: string, headers: Record<string, string> = {}) =>
      auth.call('POST /v1/auth/sign-in', {
        body: { email, password, ...(device === '' ? {} : { deviceToken: device }) },
        headers,
      });
    assert.equal((await from(bob.email, deviceToken)).status, 429);
    assert.equal((await from(ada.email, altered(deviceToken))).status, 429);
    assert.equal((await from(ada.email, '')).status, 429);
    assert.equal((await from(ada.email, '', { cookie: `causeway-device=${deviceToken}` })).status, 200);
    await guess(ada.email, 6);
    assert.equal((await from(ada.email, deviceToken)).status, 200);
  });

  it('counts an address however it is written', async () => {
    await guess(ada.email, 3);
    await guess(ada.email.toUpperCase(), 2);
    await counted.prolong(ada.email);
    assert.equal((await post(ada.email, wrong)).status, 429);
  });

  it('is forgotten once the owner has signed in', async () => {
    await guess(ada.email, 4);
    assert.equal((await post(ada.email, password)).status, 200);
    assert.deepEqual(statuses(await guess(ada.email, 5)), [401, 401, 401, 401, 401]);
  });

  it('gets no more tries by many at once, from many addresses and at several replicas', async () => {
    const other = await world.replica({ GUESSES_PER_BLOCK: '100000', GUESSES_OVERALL: '100000' });
    const answers = await Promise.all(
      Array.from({ length: 500 }, (_, index) => {
        const replica = index % 2 === 0 ? auth : other;
        const ip = `198.51.${Math.floor(index / 250)}.${(index % 250) + 1}`;
        return post(ada.email, wrong, replica, { 'x-forwarded-for': ip, ...replica.service.internalHeaders });
      }),
    );
    const looked = answers.filter(({ status }) => status !== 429);
    assert.ok(looked.length <= 100, `${looked.length}`);
    assert.deepEqual(statuses(looked), Array<number>(looked.length).fill(401));
    await other.stop();
  });

  it('is counted by address block too, whoever is guessed', async () => {
    const narrow = await world.replica({ GUESSES_PER_BLOCK: '3' });
    const from = (ip: string) => ({ 'x-forwarded-for': ip, ...narrow.service.internalHeaders });
    const site = (host: number) => from(`2001:db8:77:1::${host}`);
    for (let host = 1; host <= 3; host += 1) {
      assert.equal((await post(ada.email, password, narrow, site(host))).status, 200, 'who gets in is not counted');
    }
    for (let host = 1; host <= 3; host += 1) {
      assert.equal((await post(randomEmail(), wrong, narrow, site(host))).status, 401);
    }
    const refused = await post(ada.email, password, narrow, site(4));
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers.get('retry-after')) <= 900);
    assert.equal((await post(ada.email, password, narrow, from('2001:db8:77:2::1'))).status, 200);
    await narrow.stop();
  });

  it('is bounded without Redis', async () => {
    const proxy = await cuttableProxy(process.env.REDIS_URL ?? assert.fail('REDIS_URL is not set'));
    const alone = await world.replica({ REDIS_URL: `redis://127.0.0.1:${proxy.port}` });
    await guess(ada.email, 3, alone);
    proxy.cut();
    const { strangers } = guessRules({ perBlock: 1, overall: 1 });
    let [held, tookAt] = [3, performance.now()];
    for (;;) {
      const began = performance.now();
      const { status } = await post(ada.email, wrong, alone);
      if (status === 429) break;
      assert.equal(status, 401);
      // However slow the machine: no place is had before the pause that those before it have brought is over.
      assert.ok(performance.now() - tookAt >= delayOf(strangers, held), `a place was had too soon after ${held}`);
      [held, tookAt] = [held + 1, began];
    }
    assert.ok(held >= 5, 'the first five cost no pause');
    proxy.mend();
    await alone.stop();
    await proxy.stop();
  });

  it('leaves no address in Redis that anybody could read', async () => {
    await guess(ada.email, 1);
    const redis = new Redis(process.env.REDIS_URL ?? assert.fail('REDIS_URL is not set'));
    const prefix = world.db.databaseName;
    const keys = (await redis.keys(`${prefix}:*`)).filter((key) => key.includes('guesses'));
    redis.disconnect();
    assert.ok(keys.length >= 2);
    for (const key of keys) {
      const rest = key.slice(prefix.length);
      assert.match(rest, /^:\{guesses\}:(overall|(strangers|mailed|known|proven|block):[\w-]{22})$/);
    }
  });
});
