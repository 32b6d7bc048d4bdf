import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { Redis } from 'ioredis';

import { cuttableProxy } from '../testing/cuttable-proxy.ts';
import type { GuessCounters, Guesser, Place, Taking } from './counters.ts';
import { guessRules } from './guess-rules.ts';
import type { GuessRules } from './guess-rules.ts';
import { createLocalCounters } from './local-counters.ts';
import { createRedisCounters } from './redis-counters.ts';

const url = process.env.REDIS_URL ?? assert.fail('REDIS_URL is not set');
const logger = { warn: () => undefined };

/** Numbers that a test gets through. */
const small: GuessRules = {
  strangers: { places: 6, delaysMs: [0, 0, 0, 0, 50] },
  mailed: { places: 3, delaysMs: [0], perDevice: 2 },
  known: { places: 3, delaysMs: [0] },
  proven: { places: 5, delaysMs: [0], perDevice: 2 },
  block: { places: 4, windowMs: 60_000 },
  overall: { places: 1_000_000, windowMs: 60_000 },
};
const wide: GuessRules = { ...small, block: small.overall };

const placeOf = (taking: Taking): Place => taking.place ?? assert.fail(`refused: ${taking.refusal}`);
const refusalOf = (taking: Taking): string => (taking.place === undefined ? taking.refusal : 'granted');

const stranger = (): Guesser => ({ account: randomUUID(), block: randomUUID(), budget: 'strangers' });

const known = (guesser: Guesser): Guesser => ({ ...guesser, budget: 'known' });

/** Takes places as soon as they are to be had. */
const takeAll = async (counters: GuessCounters, guesser: Guesser, count: number): Promise<Place[]> => {
  const places: Place[] = [];
  while (places.length < count) {
    const taking = await counters.take(guesser);
    if (taking.place !== undefined) places.push(taking.place);
    else {
      assert.equal(taking.refusal, 'delayed');
      await delay(taking.waitMs);
    }
  }
  return places;
};

const inThisProcess = (rules: GuessRules): GuessCounters => {
  const local = createLocalCounters({ rules });
  return {
    take: (guesser) => Promise.resolve(local.take(guesser)),
    clear: async (place) => local.clear(place),
    giveBack: async (place) => local.giveBack(place),
    clearAccount: async (account) => local.clearAccount(account),
  };
};

describe('counters of guesses', () => {
  let redis: Redis;
  let prefix: string;
  const replica = (rules: GuessRules, connection = redis): GuessCounters =>
    createRedisCounters({
      ...{ redis: connection, prefix, rules, local: createLocalCounters({ rules }), logger },
      // On a busy machine too; that nobody waits for long has a test of its own.
      patienceMs: 10_000,
    });

  before(async () => {
    redis = new Redis(url);
    await redis.ping();
  });
  beforeEach(() => {
    prefix = `guess-${randomUUID()}`;
  });
  after(() => redis.disconnect());

  for (const [where, make] of [
    ['in this process', inThisProcess],
    ['in Redis', (rules: GuessRules) => replica(rules)],
  ] as const) {
    describe(where, () => {
      it('make somebody wait, and lock an account once all its places are taken', async () => {
        const slow = make({ ...wide, strangers: { ...wide.strangers, delaysMs: [0, 0, 0, 0, 60_000] } });
        const waiting = stranger();
        await takeAll(slow, waiting, 5);
        const delayed = await slow.take(waiting);
        assert.equal(refusalOf(delayed), 'delayed');
        assert.ok(delayed.place === undefined && delayed.waitMs > 0 && delayed.waitMs <= 60_000);
        const counters = make(wide);
        const guesser = stranger();
        await takeAll(counters, guesser, 6);
        const locked = await counters.take(guesser);
        assert.equal(refusalOf(locked), 'locked');
        assert.ok(locked.place === undefined && locked.waitMs === 900_000);
        placeOf(await counters.take(stranger()));
      });

      it('let a known device in while strangers are locked out, from wherever, but not for ever', async () => {
        const counters = make(small);
        const guesser = stranger();
        await takeAll(counters, { ...guesser, block: undefined }, 6);
        for (let index = 0; index < 4; index += 1) placeOf(await counters.take({ ...guesser, account: randomUUID() }));
        assert.equal(refusalOf(await counters.take({ ...guesser, account: randomUUID() })), 'block');
        const device = known(guesser);
        for (let index = 0; index < 3; index += 1) placeOf(await counters.take(device));
        assert.equal(refusalOf(await counters.take(device)), 'locked');
      });

      it('forgive what was taken until then once somebody is in, for both budgets, and nothing that was taken later', async () => {
        const counters = make(wide);
        const guesser = stranger();
        await takeAll(counters, guesser, 4);
        const mine = placeOf(await counters.take(known(guesser)));
        const [, second = assert.fail()] = await takeAll(counters, guesser, 2);
        assert.equal(refusalOf(await counters.take(guesser)), 'locked');
        await counters.clear(mine);
        // Two are held still.
        await takeAll(counters, guesser, 4);
        assert.equal(refusalOf(await counters.take(guesser)), 'locked');
        await counters.clear(second);
        await takeAll(counters, guesser, 2);
        assert.equal(refusalOf(await counters.take(guesser)), 'locked');
        // Twice is once.
        await counters.clear(second);
        assert.equal(refusalOf(await counters.take(guesser)), 'locked');
      });

      it('take a place back that nothing was looked at for, once', async () => {
        const counters = make(small);
        const guesser = stranger();
        const places = await takeAll(counters, guesser, 4);
        assert.equal(refusalOf(await counters.take(guesser)), 'block');
        for (const place of places) await counters.giveBack(place);
        const again = await takeAll(counters, guesser, 4);
        await counters.clear(again[3] ?? assert.fail());
        await counters.giveBack(again[0] ?? assert.fail());
        const elsewhere = { ...guesser, block: undefined };
        await takeAll(counters, elsewhere, 6);
        assert.equal(refusalOf(await counters.take(elsewhere)), 'locked');
      });

      it('count a block and everybody apart from the account', async () => {
        const counters = make({ ...small, overall: { places: 6, windowMs: 60_000 } });
        const block = randomUUID();
        const from = (where: string | undefined): Guesser => ({
          account: randomUUID(),
          block: where,
          budget: 'strangers',
        });
        for (let index = 0; index < 4; index += 1) placeOf(await counters.take(from(block)));
        assert.equal(refusalOf(await counters.take(from(block))), 'block');
        const place = placeOf(await counters.take(from(randomUUID())));
        placeOf(await counters.take(from(undefined)));
        const refused = await counters.take(from(randomUUID()));
        assert.equal(refusalOf(refused), 'overall');
        assert.ok(refused.place === undefined && refused.waitMs > 0 && refused.waitMs <= 60_000);
        await counters.clear(place);
        placeOf(await counters.take(from(randomUUID())));
      });

      it('leave a device its own places, whatever another does that is known by as much, and no more than all have', async () => {
        const counters = make(small);
        const { account } = stranger();
        const [one, other, third, fourth] = Array.from({ length: 4 }, (): Guesser => ({
          account,
          budget: 'proven',
          device: randomUUID(),
        })) as [Guesser, Guesser, Guesser, Guesser];
        const [first] = await takeAll(counters, one, 2);
        assert.equal(refusalOf(await counters.take(one)), 'locked');
        await takeAll(counters, other, 2);
        assert.equal(refusalOf(await counters.take(other)), 'locked');
        await takeAll(counters, third, 1);
        for (const each of [third, fourth])
          assert.equal(refusalOf(await counters.take(each)), 'locked', 'all are taken');
        // One that is given back is anybody's, and its device has one more.
        await counters.giveBack(first ?? assert.fail());
        await takeAll(counters, one, 1);
        assert.equal(refusalOf(await counters.take(one)), 'locked');
        // What others are known by is another budget.
        for (const budget of ['mailed', 'known'] as const) await takeAll(counters, { ...one, budget }, 2);
        await takeAll(counters, stranger(), 1);
      });

      it('keep the last places for devices that hold few of them', async () => {
        const proven = { places: 7, delaysMs: [0], perDevice: 3, reserve: { places: 4, upTo: 1 } };
        const counters = make({ ...small, proven });
        const { account } = stranger();
        const device = (): Guesser => ({ account, budget: 'proven', device: randomUUID() });
        const [one, ...others] = [device(), device(), device(), device(), device()] as const;
        await takeAll(counters, one, 3);
        for (const each of others) {
          await takeAll(counters, each, 1);
          assert.equal(refusalOf(await counters.take(each)), 'locked');
        }
        assert.equal(refusalOf(await counters.take(device())), 'locked', 'all are taken');
        await counters.clearAccount(account);
        await takeAll(counters, others[0], 3);
      });

      it('forgive what devices have taken until somebody is in from any, and not what they take later', async () => {
        const counters = make(small);
        const { account } = stranger();
        const [one, other] = [0, 1].map((): Guesser => ({ account, budget: 'proven', device: randomUUID() }));
        assert.ok(one !== undefined && other !== undefined);
        await takeAll(counters, one, 2);
        const mine = placeOf(await counters.take(other));
        await takeAll(counters, other, 1);
        await counters.clear(mine);
        await takeAll(counters, other, 1);
        assert.equal(refusalOf(await counters.take(other)), 'locked', 'one that was taken later is held still');
        await takeAll(counters, one, 2);
        const mailed: Guesser = { account, budget: 'mailed', device: randomUUID() };
        await counters.clear(placeOf(await counters.take(mailed)));
        await takeAll(counters, one, 2);
        await takeAll(counters, other, 2);
      });

      it('forgive everything where the owner is known otherwise', async () => {
        const counters = make(wide);
        const guesser = stranger();
        await takeAll(counters, guesser, 6);
        await takeAll(counters, known(guesser), 3);
        await takeAll(counters, { ...guesser, budget: 'proven', device: 'one' }, 2);
        await counters.clearAccount(guesser.account);
        await takeAll(counters, { ...guesser, budget: 'proven', device: 'one' }, 2);
        await takeAll(counters, guesser, 4);
        await takeAll(counters, known(guesser), 3);
      });
    });
  }

  /** What a flush does, to this spec alone. */
  const flush = async (): Promise<void> => {
    const keys = await redis.keys(`${prefix}:*`);
    if (keys.length > 0) await redis.del(keys);
  };
  const outcomes = (takings: readonly Taking[]): Record<string, number> =>
    Object.fromEntries([...Map.groupBy(takings, refusalOf)].map(([outcome, all]) => [outcome, all.length]));

  describe('shared by replicas', () => {
    const ours = guessRules({ perBlock: 1_000, overall: 1_000 });
    const undelayed: GuessRules = { ...ours, strangers: { ...ours.strangers, delaysMs: [0] } };

    it('give no more places than there are to any number who ask at once', async () => {
      // A pause that outlasts all of them, on whatever machine.
      const long = { ...ours, strangers: { ...ours.strangers, delaysMs: [0, 0, 0, 0, 60_000] } };
      for (const [rules, expected] of [
        [undelayed, { granted: 55, locked: 445 }],
        [long, { granted: 5, delayed: 495 }],
      ] as const) {
        const replicas = [replica(rules), replica(rules)];
        const { account } = stranger();
        const takings = await Promise.all(
          Array.from({ length: 500 }, (_, index) =>
            replicas[index % 2]!.take({ account, block: `block ${index}`, budget: 'strangers' }),
          ),
        );
        assert.deepEqual(outcomes(takings), expected);
      }
    });

    it('give nothing back where Redis forgets, not even in the middle', async () => {
      const replicas = [replica(undelayed), replica(undelayed)];
      const guesser = stranger();
      const granted = [0, 0];
      for (let round = 0; round < 20; round += 1) {
        if (round % 3 === 1) await flush();
        const takings = await Promise.all(
          Array.from({ length: 20 }, async (_, index) => ({
            by: index % 2,
            taking: await replicas[index % 2]!.take(guesser),
          })),
        );
        for (const { by, taking } of takings) if (taking.place !== undefined) granted[by]! += 1;
      }
      // What one replica has not heard of yet is lost with Redis: a place or two.
      const all = granted[0]! + granted[1]!;
      assert.ok(all >= 55 && all <= 75, `${all}`);
      for (const each of replicas) assert.equal(refusalOf(await each.take(guesser)), 'locked');
      await flush();
      assert.equal(refusalOf(await replicas[0]!.take(guesser)), 'locked');
      // Whoever comes new learns it from those.
      assert.equal(refusalOf(await replica(undelayed).take(guesser)), 'locked');
    });

    it('remember which device holds what, where Redis forgets, and tell it', async () => {
      const [one, other] = [replica(small), replica(small)];
      const { account } = stranger();
      const device = (name: string): Guesser => ({ account, budget: 'proven', device: name });
      await takeAll(one, device('one'), 2);
      await takeAll(one, device('other'), 1);
      await flush();
      assert.equal(refusalOf(await one.take(device('one'))), 'locked');
      assert.equal(refusalOf(await other.take(device('one'))), 'locked', 'whoever comes new learns it');
      await takeAll(other, device('other'), 1);
      assert.equal(refusalOf(await one.take(device('other'))), 'locked');
      assert.equal(refusalOf(await one.take(device('third'))), 'granted');
    });

    it('believe that another replica has forgiven, and keep no name that says anything for longer than a month', async () => {
      const [one, other] = [replica(wide), replica(wide)];
      const guesser = stranger();
      await takeAll(one, guesser, 6);
      assert.equal(refusalOf(await one.take(guesser)), 'locked');
      await other.clear(placeOf(await other.take(known(guesser))));
      await takeAll(one, guesser, 4);
      for (const key of await redis.keys(`${prefix}:*`)) {
        const restMs = await redis.pttl(key);
        assert.ok(restMs > 0 && restMs <= 30 * 24 * 3_600_000, `${key}: ${restMs}`);
      }
    });

    it('hold in each process where Redis is away, from what was seen, and are told to it afterwards', async () => {
      const proxy = await cuttableProxy(url);
      const connection = new Redis(proxy.port, '127.0.0.1', {
        retryStrategy: () => 20,
        maxRetriesPerRequest: 1,
      }).on('error', () => undefined);
      try {
        await connection.ping();
        const counters = replica(wide, connection);
        const guesser = stranger();
        await takeAll(counters, guesser, 3);
        proxy.cut();
        await takeAll(counters, guesser, 3);
        assert.equal(refusalOf(await counters.take(guesser)), 'locked');
        await assert.rejects(connection.ping());
        proxy.mend();
        const deadline = performance.now() + 40_000;
        const isTold = async () => (await redis.hget(`${prefix}:{guesses}:strangers:${guesser.account}`, 't')) === '6';
        while (!(await isTold())) {
          assert.ok(performance.now() < deadline, 'Redis was told in time');
          assert.equal(refusalOf(await counters.take(guesser)), 'locked');
        }
        assert.equal(refusalOf(await replica(wide).take(guesser)), 'locked');
      } finally {
        connection.disconnect();
        await proxy.stop();
      }
    });

    it('wait once a second at most for a Redis that does not answer', async () => {
      let asked = 0;
      const hanging = { status: 'ready', evalsha: () => ((asked += 1), new Promise(() => undefined)) };
      const time = { ms: 0 };
      const rules = undelayed;
      const local = createLocalCounters({ rules });
      const given = { redis: hanging as unknown as Redis, prefix, rules, local, logger, now: () => time.ms };
      const counters = createRedisCounters(given);
      for (let index = 0; index < 55; index += 1) placeOf(await counters.take(stranger()));
      assert.equal(asked, 1);
      time.ms += 1_000;
      placeOf(await counters.take(stranger()));
      assert.equal(asked, 2);
    });
  });

  it('remember a bounded number in each process', () => {
    const local = createLocalCounters({ rules: wide, mostKeys: 2 });
    const [first, second, third] = [stranger(), stranger(), stranger()];
    for (const guesser of [first, second, third]) assert.ok(local.take(guesser).place);
    assert.equal(local.seenPlaces('strangers', first.account), undefined);
    assert.equal(local.seenPlaces('strangers', third.account)?.taken, 1);
  });
});
