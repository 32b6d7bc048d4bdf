import assert from 'node:assert/strict';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { after, before, describe, it, type TestContext } from 'node:test';
import { call } from '../harness/client.ts';
import { defineCollection } from '../harness/collections.ts';
import { eventually } from '../harness/eventually.ts';
import { expectStatus } from '../harness/expectations.ts';
import { admin, type Person, signUp } from '../harness/people.ts';
import { addressOf, childOf, killChild } from '../harness/platform.ts';
import { startSubscriber, type Subscriber } from '../harness/subscriber.ts';
import { assertNothingLost } from './outcome.ts';
import { startResumingFeed } from './resuming-feed.ts';
import { startRevokedToken } from './revoked-token.ts';
import { seed, seededRandom, shuffled } from './seeded-random.ts';
import { profileChanges, records, signUps, startWorkload } from './workload.ts';

const victims = ['mongodb', 'kafka', 'redis', 'auth', 'user', 'data', 'gateway'] as const;
type Victim = (typeof victims)[number];

/** What is promised is 15 s; a bound that fails a test is four times as long, since a machine may be busy. */
const recoveryMs = 60_000;
const longRounds = 5;

const isLong = process.env.CAUSEWAY_TEST_LONG !== undefined;
const random = seededRandom(seed);

describe(`kill -9 under writes (CAUSEWAY_TEST_SEED=${seed})`, () => {
  let subscriber: Subscriber;

  before(() => {
    subscriber = startSubscriber(addressOf('kafka'));
  });
  after(() => subscriber.stop());

  /** Kills all of them at one moment of a working platform, and holds what comes after against what was promised. */
  async function survives(killed: readonly Victim[], context: TestContext): Promise<void> {
    const people = await Promise.all([signUp(), signUp()]);
    await Promise.all(people.map(hasProfile));
    const collection = await defineCollection(await admin());
    const [one, other] = people;
    const revoked = await startRevokedToken(['/v1/auth/account', '/v1/users/me', '/v1/collections']);
    // A round that fails leaves nothing running that would keep the others from being told.
    context.after(() => revoked.stop());
    const sources = [
      signUps,
      profileChanges(one),
      profileChanges(other),
      records(collection, one),
      records(collection, other),
    ];
    const feed = await startResumingFeed(collection, one.accessToken);
    context.after(() => feed.stop());
    const workload = startWorkload(sources);
    context.after(() => workload.stop());
    await workload.progress(3, recoveryMs);

    await wait(random() * 500);
    const before = killed.map((name) => childOf(name));
    const killedAt = performance.now();
    for (const name of killed) killChild(name);
    for (const { name, restarts } of before) {
      await eventually(
        () => {
          const { state, restarts: now } = childOf(name);
          assert.ok(now > restarts && state === 'ready', `${name} is ${state}`);
        },
        { withinMs: recoveryMs },
      );
    }
    const readyAfter = performance.now() - killedAt;
    await workload.progress(3, recoveryMs);
    const writesAfter = performance.now() - killedAt;
    const late = await signUp();
    await eventually(() => hasProfile(late), { withinMs: recoveryMs, everyMs: 100 });
    const effectsAfter = performance.now() - killedAt;

    await workload.settle(recoveryMs);
    await revoked.assertRefused();
    await assertNothingLost(workload, { subscriber, collection, people });
    const recordIds = workload.acknowledged
      .filter(({ write }) => write.kind === 'record')
      .map(({ answer }) => answer.json().id as string);
    await feed.assertToldOnce(recordIds, recoveryMs);
    const provenAfter = performance.now() - killedAt;
    const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
    context.diagnostic(
      `${killed.join(' and ')}: ready again after ${seconds(readyAfter)}, writes of every kind by ${seconds(writesAfter)}, their effects by ${seconds(effectsAfter)}, all accounted for by ${seconds(provenAfter)}; ${workload.acknowledged.length} writes acknowledged`,
    );
  }

  for (const name of shuffled(victims, random)) {
    it(`of ${name} loses nothing that was acknowledged`, (context) => survives([name], context));
  }

  if (isLong) {
    for (let round = 1; round <= longRounds; round += 1) {
      const [one, other] = shuffled(victims, random) as [Victim, Victim];
      it(`of ${one} and ${other} at once, round ${round}`, (context) => survives([one, other], context));
    }
  }
});

async function hasProfile({ accessToken: token }: Person): Promise<void> {
  expectStatus(await call('GET', '/v1/users/me', { token }), 200);
}
