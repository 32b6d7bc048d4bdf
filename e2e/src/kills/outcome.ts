import assert from 'node:assert/strict';
import { call } from '../harness/client.ts';
import { exportRecords } from '../harness/collections.ts';
import { eventually } from '../harness/eventually.ts';
import { expectStatus } from '../harness/expectations.ts';
import type { Person, SignedIn } from '../harness/people.ts';
import type { Subscriber } from '../harness/subscriber.ts';
import type { Workload } from './workload.ts';

/** Where to look for what was written. */
export interface Surroundings {
  readonly subscriber: Subscriber;
  /** Nobody else has written to it. */
  readonly collection: string;
  /** Whose profiles were changed. */
  readonly people: readonly Person[];
}

const withinMs = 60_000;

/** Holds what the platform has now, and what it has told outside, against what it has promised. */
export async function assertNothingLost(workload: Workload, surroundings: Surroundings): Promise<void> {
  const { subscriber } = surroundings;
  const events = workload.acknowledged.flatMap(({ answer }) => answer.events);
  await subscriber.sees(events, withinMs);
  await assertOneRecordEach(workload, surroundings);
  await assertOneAccountEach(workload, surroundings);
  await assertProfilesWhole(workload, surroundings);
  subscriber.assertHealthy();
}

/** Each record that was acknowledged, at once or when it was repeated, is there once, has one event, and nothing else is. */
async function assertOneRecordEach(
  workload: Workload,
  { subscriber, collection, people }: Surroundings,
): Promise<void> {
  const written = workload.acknowledged.filter(({ write }) => write.kind === 'record');
  const stored = await exportRecords(collection, people[0]?.accessToken);
  const shown = (records: readonly { readonly title?: unknown; readonly id: unknown }[]): string[] =>
    records.map(({ title, id }) => `${String(title)} ${String(id)}`).sort();
  assert.deepEqual(
    shown(stored),
    shown(written.map(({ write, answer }) => ({ title: write.mark, id: answer.json().id }))),
  );
  for (const { answer } of written) {
    const id = answer.json().id as string;
    assert.deepEqual(
      subscriber.of(`record/${id}`).map((each) => each.id),
      answer.events,
      `events of record ${id}`,
    );
  }
}

async function assertOneAccountEach(workload: Workload, { subscriber }: Surroundings): Promise<void> {
  const accounts = workload.acknowledged.filter((each) => each.write.kind === 'sign-up');
  const checks = accounts.map(async ({ write, answer }) => {
    const { account, accessToken: token } = answer.json<SignedIn>();
    assert.equal(account.email, write.mark);
    expectStatus(await call('GET', '/v1/auth/account', { token }), 200);
    assert.equal(subscriber.of(`account/${account.id}`).length, 1, `events of ${account.id}`);
    await eventually(
      () => {
        const profile = subscriber.of(`profile/${account.id}`).map((each) => each.type);
        assert.deepEqual(profile, ['user.profile.created'], `the profile of ${account.id}`);
      },
      { withinMs },
    );
  });
  await Promise.all(checks);
}

/** A profile has every change that was acknowledged, and exactly one event for each of its revisions. */
async function assertProfilesWhole(workload: Workload, { subscriber, people }: Surroundings): Promise<void> {
  for (const { id, accessToken: token } of people) {
    await eventually(
      async () => {
        const { revision } = expectStatus(await call('GET', '/v1/users/me', { token }), 200).json<{
          revision: number;
        }>();
        const sequences = subscriber.of(`profile/${id}`).map((each) => Number(each.sequence));
        assert.deepEqual(
          sequences,
          Array.from({ length: revision }, (_, index) => index + 1),
          `profile/${id}`,
        );
      },
      { withinMs },
    );
  }
  const subjects = new Set(people.map(({ id }) => `profile/${id}`));
  const seen = new Set(subscriber.events.filter((each) => subjects.has(each.subject)).map((each) => each.id));
  for (const { write, answer } of workload.acknowledged.filter((each) => each.write.kind === 'profile')) {
    for (const event of answer.events) assert.ok(seen.has(event), `the event of ${write.mark}`);
  }
}
