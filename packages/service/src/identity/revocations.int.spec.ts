import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { after, describe, it } from 'node:test';
import { createLogger } from '@causeway/telemetry';
import { Redis } from 'ioredis';

import { EndedTokens } from './ended-tokens.ts';
import type { Ending } from './ending.ts';
import { createRevocationTeller } from './revocation-teller.ts';
import { createRevocations } from './revocations.ts';
import { startSmallRedis } from '../testing/small-redis.ts';

const url = process.env.REDIS_URL ?? '';
const logger = createLogger({ service: 'test', level: 'silent' });
const stops: (() => Promise<void> | void)[] = [];

const connect = (name: string, address = url): Redis => {
  const redis = new Redis(address, { connectionName: name, retryStrategy: () => 20, lazyConnect: true });
  redis.on('error', () => undefined);
  stops.push(() => redis.disconnect());
  return redis;
};

/** A process of auth, whose database is a list. */
const openAuth = async (prefix: string, before: readonly Ending[] = [], address = url) => {
  const tokens = new EndedTokens();
  const state = { settles: true };
  const teller = createRevocationTeller({
    ...{ tokens, logger, prefix, redis: connect(`${prefix}-auth`, address) },
    load: async function* () {
      await Promise.resolve();
      yield* before;
    },
    settled: () => (state.settles ? Promise.resolve() : Promise.reject(new Error('no majority'))),
  });
  stops.push(() => teller.stop());
  await teller.start();
  return { teller, state };
};

/** A process of another service. */
const openService = async (prefix: string, { address = url, boundMs = 60_000 } = {}) => {
  const asked: string[] = [];
  const list = createRevocations({
    ...{ logger, prefix, boundMs, redis: connect(`${prefix}-service`, address), patienceMs: 2_000 },
    ask: (tokens) => {
      asked.push(...tokens.map(({ sid }) => sid));
      return Promise.resolve(tokens.map(() => false));
    },
  });
  stops.push(() => list.stop());
  await list.start();
  return { list, asked, isRevoked: (sid: string) => list.isRevoked({ sid, sub: `usr_of_${sid}`, accountVersion: 1 }) };
};

after(async () => {
  for (const stop of stops.reverse()) await stop();
});

const until = async (what: string, holds: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<void> => {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, `not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

const newPrefix = (): string => `causeway-spec-${randomUUID()}`;
const soon = (): number => Date.now() + 60_000;

describe('revocations through Redis', () => {
  it('reach those who listen where Redis is full', async () => {
    const server = await startSmallRedis({ beside: url, maxMemory: '4mb', policy: 'noeviction' });
    stops.unshift(() => server.stop());
    const filler = connect('filler', server.url);
    const fill = async (): Promise<void> => {
      for (let index = 0; ; index += 1) await filler.set(`filled:${index}`, 'x'.repeat(65_536));
    };
    await assert.rejects(fill(), /OOM/);
    const prefix = newPrefix();
    const { teller } = await openAuth(prefix, [{ sid: 'ses_before', untilMs: soon() }], server.url);
    const { isRevoked, asked } = await openService(prefix, { address: server.url });
    assert.equal(isRevoked('ses_before'), true);
    assert.equal(await teller.tell([{ sid: 'ses_1', untilMs: soon() }]), true);
    await until('it has heard', () => isRevoked('ses_1') === true);
    assert.deepEqual(asked, []);
  });

  it('reach those who run, those who start later, and nobody else', async () => {
    const prefix = newPrefix();
    const { teller } = await openAuth(prefix, [{ sid: 'ses_before', untilMs: soon() }]);
    const early = await openService(prefix);
    assert.equal(early.isRevoked('ses_before'), true);
    assert.equal(early.isRevoked('ses_1'), false);
    assert.equal(
      await teller.tell([
        { sid: 'ses_1', untilMs: soon() },
        { sub: 'usr_of_ses_2', below: 2, untilMs: soon() },
      ]),
      true,
    );
    await until('it has heard of both', () => early.isRevoked('ses_1') === true && early.isRevoked('ses_2') === true);
    const late = await openService(prefix);
    for (const sid of ['ses_before', 'ses_1', 'ses_2']) assert.equal(late.isRevoked(sid), true);
    assert.equal(late.isRevoked('ses_3'), false);
    assert.equal(late.list.isRevoked({ sid: 'ses_4', sub: 'usr_of_ses_2', accountVersion: 2 }), false);
    assert.deepEqual([early.asked, late.asked], [[], []]);
  });

  it('that come while the connection is lost are known as soon as it is back', async () => {
    const prefix = newPrefix();
    const { teller } = await openAuth(prefix);
    const service = await openService(prefix);
    const control = connect(`${prefix}-control`);
    for (let round = 0; round < 5; round += 1) {
      const lines = (await control.call('CLIENT', 'LIST')) as string;
      const mine = lines.split('\n').filter((line) => line.includes(`name=${prefix}-service `));
      assert.ok(mine.length >= 1);
      for (const line of mine) await control.call('CLIENT', 'KILL', 'ID', /id=(\d+)/.exec(line)?.[1] ?? '');
      await teller.tell([{ sid: `ses_${round}`, untilMs: soon() }]);
      await until('it is told again', () => service.isRevoked(`ses_${round}`) === true);
    }
  });

  it('do not need Redis to remember anything', async () => {
    const prefix = newPrefix();
    const { teller } = await openAuth(prefix);
    await teller.tell([{ sid: 'ses_1', untilMs: soon() }]);
    assert.deepEqual(await connect(`${prefix}-control`).keys(`${prefix}*`), []);
    assert.equal((await openService(prefix)).isRevoked('ses_1'), true);
  });

  it('are many, and all of them known to who starts', async () => {
    const prefix = newPrefix();
    await openAuth(
      prefix,
      Array.from({ length: 5_001 }, (_, index) => ({ sid: `ses_${index}`, untilMs: soon() })),
    );
    const service = await openService(prefix);
    for (let index = 0; index < 5_001; index += 1) assert.equal(service.isRevoked(`ses_${index}`), true);
    assert.equal(service.isRevoked('ses_5001'), false);
  });

  it('are asked about where auth no longer confirms that all were told, until it does', async () => {
    const prefix = newPrefix();
    const { state } = await openAuth(prefix);
    const service = await openService(prefix, { boundMs: 2_000 });
    assert.equal(service.isRevoked('ses_1'), false);
    state.settles = false;
    await until('it asks', async () => (await service.isRevoked('ses_1'), service.asked.includes('ses_1')));
    assert.equal(service.list.ready(), false);
    state.settles = true;
    await until('it is sure again', () => service.list.ready());
    assert.equal(service.isRevoked('ses_2'), false);
    assert.equal(service.asked.includes('ses_2'), false);
  });

  it('are asked about from the start where Redis is away, and what was learnt elsewhere is kept', async () => {
    const service = await openService(newPrefix(), { address: 'redis://127.0.0.1:1' });
    assert.equal(await service.isRevoked('ses_1'), false);
    assert.deepEqual(service.asked, ['ses_1']);
    service.list.learn({ sid: 'ses_event', untilMs: soon() });
    assert.equal(service.isRevoked('ses_event'), true);
    const { teller } = await openAuth(newPrefix());
    assert.equal(await teller.tell([{ sid: 'ses_2', untilMs: soon() }]), true);
  });

  it('are kept by auth itself while it cannot tell Redis', async () => {
    const tokens = new EndedTokens();
    const teller = createRevocationTeller({
      ...{ tokens, logger, prefix: newPrefix(), redis: connect('away', 'redis://127.0.0.1:1') },
      load: async function* () {
        // Nothing was there before.
      },
      settled: () => Promise.resolve(),
    });
    stops.push(() => teller.stop());
    await teller.start();
    assert.equal(await teller.tell([{ sid: 'ses_1', untilMs: soon() }]), false);
    assert.equal(tokens.has({ sid: 'ses_1', sub: 'usr_1' }), true);
    await until('it knows how new that is', () => teller.silenceMs() < 2_000);
  });

  it('take no notice of what others write into their channels', async () => {
    const prefix = newPrefix();
    const { teller } = await openAuth(prefix);
    const service = await openService(prefix);
    const control = connect(`${prefix}-control`);
    for (const message of ['', 'x', '{}', '{"teller":"t","seq":1,"ended":[["ses_9"]]}', '{"listener":1}'])
      for (const channel of ['revocations', 'revocations:asked'])
        await control.publish(`${prefix}:${channel}`, message);
    await teller.tell([{ sid: 'ses_1', untilMs: soon() }]);
    await until('it has heard of the end', () => service.isRevoked('ses_1') === true);
  });
});
