import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fault } from '@causeway/contracts';
import { createLogger } from '@causeway/telemetry';

import type { TokenFacts } from './ending.ts';
import { createRevocationInquiry, inquiryLimit } from './revocation-inquiry.ts';

const logger = createLogger({ service: 'test', level: 'silent' });

const token = (name: number | string, accountVersion = 1): TokenFacts => ({
  sid: `ses_${name}`,
  sub: `usr_${name}`,
  accountVersion,
});

/** Auth, as the tests want it. */
const setUp = (answer?: (tokens: readonly TokenFacts[], signal: AbortSignal) => Promise<readonly boolean[]>) => {
  const clock = { now: 0 };
  const calls: (readonly TokenFacts[])[] = [];
  const ended = new Set<string>();
  const inquiry = createRevocationInquiry({
    logger,
    clock: () => clock.now,
    ask: (tokens, signal) => {
      calls.push(tokens);
      return answer?.(tokens, signal) ?? Promise.resolve(tokens.map(({ sid }) => ended.has(sid)));
    },
  });
  return { clock, calls, ended, inquiry };
};

const isUnavailable = (error: unknown): boolean =>
  error instanceof Fault && error.category === 'unavailable' && error.retryAfterS === 1;

describe('asking which tokens have ended', () => {
  it('asks about all of one moment at once, and about the same token once', async () => {
    const { calls, ended, inquiry } = setUp();
    ended.add('ses_3');
    const asked = [1, 2, 3, 1, 3].map((each) => inquiry.hasEnded(token(each)));
    assert.deepEqual(await Promise.all(asked), [false, false, true, false, true]);
    assert.deepEqual(
      calls.map((each) => each.map(({ sid }) => sid)),
      [['ses_1', 'ses_2', 'ses_3']],
    );
  });

  it('asks in calls of a bounded size', async () => {
    const { calls, inquiry } = setUp();
    await Promise.all(Array.from({ length: inquiryLimit + 1 }, (_, index) => inquiry.hasEnded(token(index))));
    assert.deepEqual(
      calls.map((each) => each.length),
      [inquiryLimit, 1],
    );
  });

  it('takes an answer for one second from when it was asked for, and for that version of the account alone', async () => {
    const { clock, calls, ended, inquiry } = setUp();
    assert.equal(await inquiry.hasEnded(token(1)), false);
    ended.add('ses_1');
    clock.now = 999;
    assert.equal(await inquiry.hasEnded(token(1)), false);
    assert.equal(calls.length, 1);
    assert.equal(await inquiry.hasEnded(token(1, 2)), true);
    clock.now = 1_000;
    assert.equal(await inquiry.hasEnded(token(1)), true);
  });

  it('counts that second from the question, however late the answer comes', async () => {
    const { clock, calls, ended, inquiry } = setUp((tokens) => {
      clock.now += 900;
      return Promise.resolve(tokens.map(({ sid }) => ended.has(sid)));
    });
    assert.equal(await inquiry.hasEnded(token(1)), false);
    ended.add('ses_1');
    clock.now = 1_000;
    assert.equal(await inquiry.hasEnded(token(1)), true);
    assert.equal(calls.length, 2);
  });

  it('lets nobody in where there is no answer, and rests before it asks again', async () => {
    const failing = { fails: true };
    const { clock, calls, inquiry } = setUp((tokens) =>
      failing.fails ? Promise.reject(new Error('away')) : Promise.resolve(tokens.map(() => false)),
    );
    const both = await Promise.allSettled([inquiry.hasEnded(token(1)), inquiry.hasEnded(token(2))]);
    for (const each of both) assert.ok(each.status === 'rejected' && isUnavailable(each.reason));
    failing.fails = false;
    clock.now = 249;
    await assert.rejects(inquiry.hasEnded(token(1)), isUnavailable);
    assert.equal(calls.length, 1);
    clock.now = 250;
    assert.equal(await inquiry.hasEnded(token(1)), false);
  });

  it('does not wait longer than a second', { timeout: 10_000 }, async () => {
    const signals: AbortSignal[] = [];
    const { inquiry } = setUp((_tokens, signal) => {
      signals.push(signal);
      return new Promise(() => undefined);
    });
    await assert.rejects(inquiry.hasEnded(token(1)), isUnavailable);
    assert.equal(signals[0]?.aborted, true);
  });

  it('refuses more than can wait', async () => {
    const answer = Promise.withResolvers<undefined>();
    const { inquiry } = setUp((tokens) => answer.promise.then(() => tokens.map(() => false)));
    const waiting = Array.from({ length: 20_000 }, (_, index) => inquiry.hasEnded(token(index)));
    await assert.rejects(inquiry.hasEnded(token('late')), isUnavailable);
    assert.ok(
      (await Promise.race([inquiry.hasEnded(token(0)), Promise.resolve('waits')])) === 'waits',
      'a token that is asked about may',
    );
    answer.resolve(undefined);
    assert.equal((await Promise.all(waiting)).length, 20_000);
    assert.equal(await inquiry.hasEnded(token('late')), false);
  });

  it('takes an answer that is too short for a refusal', async () => {
    const { inquiry } = setUp(() => Promise.resolve([]));
    assert.equal(await inquiry.hasEnded(token(1)), true);
  });
});
