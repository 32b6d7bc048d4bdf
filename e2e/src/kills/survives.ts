import type { TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { defineCollection } from '../harness/collections.ts';
import { admin, profileOf, signUp } from '../harness/people.ts';
import type { Subscriber } from '../harness/subscriber.ts';
import { assertNothingLost } from './outcome.ts';
import { startResumingFeed } from './resuming-feed.ts';
import { startRevokedToken } from './revoked-token.ts';
import { profileChanges, records, signUps, startWorkload } from './workload.ts';

/** What is promised is 15 s; a bound that fails a test is four times as long, since a machine may be busy. */
export const recoveryMs = 60_000;

/** What is done to a working platform. */
export interface Harm {
  /** For the report. */
  readonly name: string;
  /** Does it, and resolves when everything runs again. */
  readonly harm: () => Promise<void>;
  /** From 0 to 1: when, within half a second. */
  readonly moment: number;
  readonly subscriber: Subscriber;
}

/** Does harm at one moment of a working platform, and holds what comes after against what was promised. */
export async function survives({ name, harm, moment, subscriber }: Harm, context: TestContext): Promise<void> {
  const people = await Promise.all([signUp(), signUp()]);
  await Promise.all(people.map(profileOf));
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
  const feeds = await Promise.all([
    startResumingFeed(collection, { token: one.accessToken }),
    startResumingFeed(collection, { token: one.accessToken, over: 'socket' }),
  ]);
  for (const feed of feeds) context.after(() => feed.stop());
  const workload = startWorkload(sources);
  context.after(() => workload.stop());
  await workload.progress(3, recoveryMs);

  await wait(moment * 500);
  const killedAt = performance.now();
  await harm();
  const readyAfter = performance.now() - killedAt;
  await workload.progress(3, recoveryMs);
  const writesAfter = performance.now() - killedAt;
  await profileOf(await signUp());
  const effectsAfter = performance.now() - killedAt;

  await workload.settle(recoveryMs);
  await revoked.assertRefused();
  await assertNothingLost(workload, { subscriber, collection, people });
  const recordIds = workload.acknowledged
    .filter(({ write }) => write.kind === 'record')
    .map(({ answer }) => answer.json().id as string);
  await Promise.all(feeds.map((feed) => feed.assertToldOnce(recordIds, recoveryMs)));
  const provenAfter = performance.now() - killedAt;
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  context.diagnostic(
    `${name}: ready again after ${seconds(readyAfter)}, writes of every kind by ${seconds(writesAfter)}, their effects by ${seconds(effectsAfter)}, all accounted for by ${seconds(provenAfter)}; ${workload.acknowledged.length} writes acknowledged`,
  );
}
