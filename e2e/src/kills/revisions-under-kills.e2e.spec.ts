import assert from 'node:assert/strict';
import process from 'node:process';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { TestReplicas } from '@causeway/stack/testing';
import { seededRandom } from '../../../services/data/src/conditions/testing/random.ts';
import { createRecord, defineCollection } from '../harness/collections.ts';
import { eventually } from '../harness/eventually.ts';
import { flushRedis } from '../harness/flush-redis.ts';
import { lastingToken } from '../harness/lasting-token.ts';
import { admin, signUp } from '../harness/people.ts';
import { startReplicas } from '../harness/replicas.ts';
import { cacheReads, type CacheReads } from './cache-reads.ts';
import { createKiller, type Victim } from './killer.ts';
import { createRecordUsers, type Step } from './record-users.ts';
import { createSeenRecords, type SeenRecords } from './seen-records.ts';
import { seed, seededRandom as chances, shuffled } from './seeded-random.ts';
import { recoveryMs } from './survives.ts';

const isLong = process.env.CAUSEWAY_TEST_LONG !== undefined;
const rounds = isLong ? 3 : 1;
const records = 4;
/** At most: who reads on at once is ahead of what a data service has heard of the commits, and its caches do not answer. */
const pauseMs = 150;
const replacePauseMs = 500;

const inUse: readonly CacheReads[] = [
  { cache: 'records', tiers: ['process'] },
  { cache: 'pages', tiers: ['process', 'redis'] },
];
const believed: readonly CacheReads[] = [{ cache: 'records', tiers: ['redis'] }];

/** What is done to the caches; `belief` waits until both data services answer with records that Redis has. */
type Harm = Victim | 'flush' | 'belief';

/**
 * Redis is not believed for half a minute after a data service has begun, or has lost a word to it: the long form waits for it before each harm, the
 * short one once, and does meanwhile what does not put it off.
 */
const harms = (random: () => number): readonly Harm[] =>
  isLong
    ? shuffled<Harm>(
        ['flush', 'gateway', 'data', 'flush', 'redis', 'gateway-2', 'data-2', 'mongodb', 'flush'],
        random,
      ).flatMap((harm) => ['belief', harm])
    : [
        ...shuffled<Harm>(['flush', 'gateway', 'gateway-2'], random),
        'belief',
        ...shuffled<Harm>(['flush', 'data'], random),
        ...shuffled<Harm>(['redis', 'data-2'], random),
      ];

describe(`revisions under kill -9 and flushes of Redis (CAUSEWAY_TEST_SEED=${seed})`, () => {
  let replicas: TestReplicas;
  before(async () => {
    replicas = await startReplicas();
  });
  after(() => replicas.stop());

  /** Resolves once both data services have answered more of each of these. */
  const answered = async (kinds: readonly CacheReads[], isOver: () => boolean): Promise<void> => {
    const once = async (opsUrl: string, kind: CacheReads): Promise<void> => {
      const before = await eventually(() => cacheReads(opsUrl, kind), { withinMs: recoveryMs });
      const more = async (): Promise<void> => {
        if (isOver()) return;
        const now = await cacheReads(opsUrl, kind);
        assert.ok(now > before, `${opsUrl} has answered nothing more than ${before} from ${JSON.stringify(kind)}`);
      };
      await eventually(more, { withinMs: 2 * recoveryMs, everyMs: 100 });
    };
    const urls = [replicas.data.opsUrl, replicas.data.otherOpsUrl];
    await Promise.all(urls.flatMap((opsUrl) => kinds.map((kind) => once(opsUrl, kind))));
  };

  const use = async (round: number, context: TestContext): Promise<void> => {
    const [administrator, person] = await Promise.all([admin(), signUp()]);
    const token = await lastingToken(person, context);
    const collection = await defineCollection(administrator, { properties: { n: { type: 'number' } }, required: [] });
    const created = async () => (await createRecord(collection, token(), { n: 0 })).id;
    const ids = await Promise.all(Array.from({ length: records }, created));
    let isOver = false;
    const over = (): boolean => isOver;
    context.after(() => (isOver = true));

    const everybody: SeenRecords[] = [];
    const goOn = async (name: string, step: Step, { saysSo = true, mostPauseMs = pauseMs } = {}): Promise<void> => {
      const random = seededRandom(seed + 100 * round + everybody.length);
      const seen = createSeenRecords({ name, collection, token, saysSo });
      everybody.push(seen);
      while (!isOver) {
        const beganAt = performance.now();
        await step(seen, { random, gateways: [undefined, replicas.gateway.url] });
        // On a slow machine longer: caches answer who has seen no more than their commit stream has told.
        await wait(random.below(mostPauseMs) + performance.now() - beganAt);
      }
    };
    const { reads, writes, replaces } = createRecordUsers(collection, ids);
    const all = Promise.all([
      goOn('a reader', reads),
      goOn('another reader', reads),
      goOn('a third reader', reads),
      goOn('a reader who does not say what they have seen', reads, { saysSo: false }),
      goOn('a writer', writes),
      goOn('another writer', writes),
      goOn('a third writer', writes),
      goOn('a writer who does not say what they have seen', writes, { saysSo: false }),
      goOn('who replaces', replaces, { mostPauseMs: replacePauseMs }),
    ]);
    all.catch(() => (isOver = true));

    const killer = createKiller(replicas);
    await answered(inUse, over);
    for (const harm of harms(chances(seed + round))) {
      if (over()) break;
      if (harm === 'belief') await answered(believed, over);
      else if (harm === 'flush') await flushRedis();
      else await killer.kill(harm);
      await killer.allBack();
      await answered(inUse, over);
    }
    isOver = true;
    await all;
    for (const { name, looks } of everybody) assert.ok(looks() > 20, `${name} has looked at ${looks()} answers`);
    context.diagnostic(`answers that each has looked at: ${everybody.map(({ looks }) => looks()).join(', ')}`);
  };

  for (let round = 1; round <= rounds; round += 1) {
    it(`never go backwards for who says what they have seen, nor for who does not (${round})`, (context) =>
      use(round, context));
  }
});
