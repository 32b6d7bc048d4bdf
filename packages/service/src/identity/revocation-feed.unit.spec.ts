import assert from 'node:assert/strict';
import { syncBuiltinESMExports } from 'node:module';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { createLogger } from '@causeway/telemetry';

import { lossyRedis, type Losses, type LossyRedis } from '../testing/lossy-redis.ts';
import { EndedTokens } from './ended-tokens.ts';
import type { Ending } from './ending.ts';
import { createRevocationFeed, type RevocationFeed } from './revocation-feed.ts';
import { createRevocationTeller, type RevocationTeller } from './revocation-teller.ts';

const logger = createLogger({ service: 'test', level: 'silent' });
const stepMs = 10;
const farAway = Number.MAX_SAFE_INTEGER;
const calm: Losses = { lost: 0, broken: 0, delayMs: 5 };
// Of the real clock: the others are the test's.
const { setImmediate: nextTurn } = globalThis;

/** https://en.wikipedia.org/wiki/Xorshift */
const seeded = (seed: number): (() => number) => {
  let state = seed * 2_654_435_761 + 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
};

/** A process of auth, whose commit stream may be late, stand still, lose its place. */
interface Auth {
  readonly tokens: EndedTokens;
  readonly feed: RevocationTeller;
  /** How much of what was committed its stream has told of. */
  told: number;
  stands: boolean;
}

interface Listener {
  readonly tokens: EndedTokens;
  readonly feed: RevocationFeed;
}

class World {
  now = 0;
  readonly random: () => number;
  readonly redis: LossyRedis;
  readonly committed: { readonly ending: Ending; readonly at: number }[] = [];
  readonly auths: Auth[] = [];
  readonly listeners: Listener[] = [];

  constructor(seed: number) {
    this.random = seeded(seed);
    this.redis = lossyRedis(this.random, () => this.now, calm);
  }

  auth(): Auth {
    const tokens = new EndedTokens();
    const { committed, random } = this;
    const load = async function* (): AsyncGenerator<Ending> {
      const all = [...committed];
      for (const { ending } of all) {
        if (random() < 0.1) await new Promise((resolve) => setTimeout(resolve, random() * 300));
        if (random() < 0.01) throw new Error('interrupted');
        yield ending;
      }
    };
    const auth: Auth = {
      tokens,
      feed: createRevocationTeller({
        ...{ tokens, logger, load, redis: this.redis.connect(), clock: () => this.now },
        settled: async () => {
          const place = this.committed.length;
          const deadline = this.now + 800;
          while (auth.told < place) {
            if (this.now > deadline) throw new Error('late');
            await new Promise((resolve) => setTimeout(resolve, stepMs));
          }
        },
      }),
      told: this.committed.length,
      stands: false,
    };
    this.auths.push(auth);
    void auth.feed.start();
    return auth;
  }

  listener(): Listener {
    const tokens = new EndedTokens();
    const feed = createRevocationFeed({ tokens, logger, redis: this.redis.connect(), clock: () => this.now });
    const listener = { tokens, feed };
    this.listeners.push(listener);
    void feed.start();
    return listener;
  }

  commit(): void {
    const id = this.committed.length;
    const ending: Ending =
      this.random() < 0.7
        ? { sid: `ses_${id}`, untilMs: farAway }
        : { sub: `usr_${id % 5}`, below: id + 1, untilMs: farAway };
    this.committed.push({ ending, at: this.now });
  }

  /** The stream goes on, by a few. */
  follow(auth: Auth): void {
    if (auth.stands) return;
    while (auth.told < this.committed.length && this.random() < 0.7) {
      const next = this.committed[auth.told]!;
      auth.told += 1;
      void auth.feed.tell([next.ending]);
    }
  }

  gap(auth: Auth): void {
    auth.told = this.committed.length;
    auth.feed.reload();
  }

  /** What the feed promises: whoever has not been silent since a moment knows everything that was committed before it. */
  check(): void {
    for (const { tokens, feed } of [...this.listeners, ...this.auths]) {
      const knownAt = this.now - feed.silenceMs();
      for (const { ending, at } of this.committed) {
        if (at >= knownAt) break;
        const facts =
          'sid' in ending
            ? { sid: ending.sid, sub: 'usr_none' }
            : { sid: 'ses_none', sub: ending.sub, accountVersion: ending.below - 1 };
        assert.ok(
          tokens.has(facts),
          `${JSON.stringify(ending)} of ${at} is not known, though everything before ${knownAt} is said to be`,
        );
      }
    }
  }

  async step(): Promise<void> {
    this.now += stepMs;
    mock.timers.tick(stepMs);
    for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => nextTurn(resolve));
  }

  async pass(ms: number, each: () => void = () => undefined): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      each();
      for (const auth of this.auths) this.follow(auth);
      await this.step();
      this.check();
    }
  }

  async end(): Promise<void> {
    for (const { feed } of this.listeners) await feed.stop();
    for (const { feed } of this.auths) await feed.stop();
  }
}

describe('the feed of revocations', () => {
  let world: World;

  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
    // What was imported by name is mocked, too.
    syncBuiltinESMExports();
  });
  afterEach(async () => {
    await world.end();
    mock.timers.reset();
    syncBuiltinESMExports();
  });

  it('knows of everything soon after it began, and from then on within a moment', async () => {
    world = new World(1);
    world.commit();
    world.auth();
    const { tokens, feed } = world.listener();
    assert.equal(feed.silenceMs(), Number.POSITIVE_INFINITY);
    await world.pass(500);
    assert.ok(tokens.has({ sid: 'ses_0', sub: 'usr_0', accountVersion: 0 }));
    for (let round = 0; round < 50; round += 1) {
      world.commit();
      await world.pass(100);
      assert.ok(feed.silenceMs() <= 1_500, `silent for ${feed.silenceMs()} ms`);
    }
  });

  it('is silent while nobody tells, and hears of everything when somebody does again', async () => {
    world = new World(2);
    const auth = world.auth();
    const { feed } = world.listener();
    await world.pass(500);
    auth.stands = true;
    world.commit();
    await world.pass(4_000);
    assert.ok(feed.silenceMs() > 3_500, 'a stream that stands still confirms nothing');
    auth.stands = false;
    await world.pass(2_000);
    assert.ok(feed.silenceMs() < 1_500);
    await auth.feed.stop();
    world.auths.splice(0);
    await world.pass(6_000);
    assert.ok(feed.silenceMs() > 5_500, 'who is gone confirms nothing');
    world.commit();
    world.auth();
    await world.pass(1_500);
    assert.ok(feed.silenceMs() < 1_500);
  });

  it('counts an answer from when the question was asked', async () => {
    world = new World(3);
    world.auth();
    const { feed } = world.listener();
    await world.pass(500);
    world.redis.losses = { ...calm, delayMs: 20_000 };
    await world.pass(1_500);
    world.redis.losses = calm;
    let least = Number.POSITIVE_INFINITY;
    await world.pass(1_000, () => (least = Math.min(least, feed.silenceMs())));
    assert.ok(least > 1_000, `an answer that took its time made silence as short as ${least} ms`);
  });

  for (let seed = 1; seed <= 24; seed += 1) {
    it(`never says that it knows everything where it does not, whatever is lost (seed ${seed})`, async () => {
      world = new World(seed);
      for (let index = 0; index < 2; index += 1) world.auth();
      for (let index = 0; index < 3; index += 1) world.listener();
      const { random } = world;
      await world.pass(12_000, () => {
        if (random() < 0.05) world.commit();
        if (random() < 0.01)
          world.redis.losses = {
            lost: random() < 0.5 ? 0 : random() * 0.2,
            broken: random() < 0.5 ? 0 : random() * 0.02,
            delayMs: random() < 0.8 ? 5 : random() * 3_000,
          };
        const auth = world.auths[Math.floor(random() * world.auths.length)];
        if (auth === undefined) return;
        if (random() < 0.01) auth.stands = !auth.stands;
        if (random() < 0.005) world.gap(auth);
        if (random() < 0.003) {
          void auth.feed.stop();
          world.auths.splice(world.auths.indexOf(auth), 1);
          world.auth();
        }
      });
      world.redis.losses = calm;
      for (const auth of world.auths) auth.stands = false;
      // What is on its way still takes up to three seconds.
      await world.pass(6_000);
      for (const { feed } of world.listeners) assert.ok(feed.silenceMs() < 1_500, 'nobody is deaf for good');
    });
  }
});
