import assert from 'node:assert/strict';
import process from 'node:process';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { TestReplicas } from '@causeway/stack/testing';
import { foldedProperties } from '../../../services/data/src/testing/fold-writer.ts';
import { createRecord, defineCollection } from '../harness/collections.ts';
import { lastingAdmin, lastingToken } from '../harness/lasting-token.ts';
import { signUp } from '../harness/people.ts';
import { startReplicas } from '../harness/replicas.ts';
import { readHistory, timeNow } from './collection-history.ts';
import { startFoldWriters } from './fold-writers.ts';
import { createKiller, type Victim } from './killer.ts';
import { seed, seededRandom as chances, shuffled } from './seeded-random.ts';
import { recoveryMs } from './survives.ts';
import { readRule, startViewSubscriber, type ViewSubscription } from './view-subscriber.ts';

const rounds = process.env.CAUSEWAY_TEST_LONG === undefined ? 1 : 8;

const victims: readonly Victim[] = [
  ...(['data', 'gateway', 'auth', 'user', 'mongodb', 'kafka', 'redis'] as const),
  ...(['data-2', 'gateway-2'] as const),
];

describe(`the view of a feed under kill -9 (CAUSEWAY_TEST_SEED=${seed})`, () => {
  let replicas: TestReplicas;
  before(async () => {
    replicas = await startReplicas();
  });
  after(() => replicas.stop());

  const follow = async (round: number, context: TestContext): Promise<void> => {
    const since = await timeNow();
    const somebody = async () => {
      const person = await signUp();
      return { id: person.id, token: await lastingToken(person, context) };
    };
    const [administrator, ada, bob] = await Promise.all([lastingAdmin(context), somebody(), somebody()]);
    const rules = { read: readRule, create: 'signed-in', update: 'signed-in', delete: 'signed-in' } as const;
    const collection = await defineCollection(administrator(), { properties: foldedProperties, required: [], rules });

    const writers = startFoldWriters(
      collection,
      {
        ...{ token: administrator, authors: [ada.id, bob.id], seed: seed + 100 * round },
        gateways: [undefined, replicas.gateway.url],
      },
      context,
    );

    await writers.progress(20);
    const filter = { n: { $gte: 40 } };
    const root = { id: '', token: administrator };
    const subscriptions: ViewSubscription[] = [
      { name: 'ada', by: ada, snapshot: false },
      { name: 'ada, from a snapshot', by: ada, snapshot: true, over: 'socket' },
      { name: 'ada, of some', by: ada, filter, snapshot: false, over: 'socket' },
      { name: 'ada, of some, from a snapshot', by: ada, filter, snapshot: true },
      { name: 'bob', by: bob, snapshot: false, over: 'socket' },
      { name: 'bob, of some, from a snapshot', by: bob, filter, snapshot: true },
      { name: 'an administrator', by: root, isAdministrator: true, snapshot: true },
    ];
    const subscribers = await Promise.all(
      subscriptions.map((each, index) => {
        // Each begins at one of the gateways, and goes on at the other.
        let turn = index;
        return startViewSubscriber(collection, each, () => (turn++ % 2 === 0 ? undefined : replicas.gateway.url));
      }),
    );
    for (const { feed } of subscribers) context.after(() => feed.stop());
    const killer = createKiller(replicas);
    for (const victim of shuffled(victims, chances(seed + round))) {
      await writers.progress(10);
      await killer.kill(victim);
    }
    await killer.allBack();
    await writers.progress(20);
    await writers.stop();

    // Everybody sees it, and it is the last.
    const json = { status: 'published', author: bob.id, n: 99 };
    const last = await createRecord(collection, administrator(), json);
    await Promise.all(subscribers.map(({ feed }) => feed.tellsOf([last.id], recoveryMs)));
    const history = await readHistory(collection, since, last.id);
    const counts = subscribers.map(({ name, feed, assertViews }) => {
      const views = assertViews(history);
      assert.ok(views > 20, `${name} was told ${views} places`);
      assert.ok(feed.connections() > 1, `${name} was never cut off`);
      return `${views}/${feed.connections()}`;
    });
    assert.ok(
      new Set(history.map(({ time: { t, i } }) => `${t}.${i}`)).size < history.length,
      'no batch was carried out',
    );
    context.diagnostic(`${history.length} changes; places and connections of each subscriber: ${counts.join(', ')}`);
  };

  for (let round = 1; round <= rounds; round += 1) {
    it(`is what the query finds at every cursor, whichever server or service is killed (${round})`, (context) =>
      follow(round, context));
  }
});
