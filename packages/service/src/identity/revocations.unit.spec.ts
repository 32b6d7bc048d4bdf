import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLogger } from '@causeway/telemetry';

import { EndedTokens } from './ended-tokens.ts';
import { createRevocationList } from './revocations.ts';

const logger = createLogger({ service: 'test', level: 'silent' });
const token = { sid: 'ses_1', sub: 'usr_1', accountVersion: 1 };
const untilMs = Date.now() + 60_000;

const setUp = (boundMs = 5_000, limit = 10) => {
  const state = { silenceMs: 0, asked: 0, answers: (): Promise<boolean> => Promise.resolve(false) };
  const tokens = new EndedTokens({ limit });
  const list = createRevocationList({
    tokens,
    logger,
    boundMs,
    feed: { start: () => Promise.resolve(), silenceMs: () => state.silenceMs, stop: () => Promise.resolve() },
    ask: async (asked) => {
      state.asked += asked.length;
      const answer = await state.answers();
      return asked.map(() => answer);
    },
  });
  return { state, tokens, list };
};

describe('the list of revocations', () => {
  it('judges at once, and asks nobody, while the feed is heard', () => {
    const { state, list } = setUp();
    state.silenceMs = 5_000;
    assert.equal(list.isRevoked(token), false);
    list.learn({ sid: 'ses_1', untilMs });
    assert.equal(list.isRevoked(token), true);
    assert.deepEqual([state.asked, list.ready()], [0, true]);
  });

  it('asks where the feed has been silent for longer than the bound, and takes the answer', async () => {
    const { state, list } = setUp();
    state.silenceMs = 5_001;
    assert.equal(list.ready(), false);
    assert.equal(await list.isRevoked(token), false);
    state.answers = () => Promise.resolve(true);
    assert.equal(await list.isRevoked({ ...token, sid: 'ses_2' }), true);
    assert.equal(state.asked, 2);
  });

  it('lets nobody in who is not known where nobody answers, and refuses who is known to have ended without asking', async () => {
    const { state, list } = setUp();
    state.silenceMs = Number.POSITIVE_INFINITY;
    state.answers = () => Promise.reject(new Error('away'));
    await assert.rejects(async () => list.isRevoked(token), { name: 'Fault', code: 'unavailable' });
    list.learn({ sid: 'ses_2', untilMs });
    assert.equal(list.isRevoked({ ...token, sid: 'ses_2' }), true);
    state.silenceMs = 0;
    assert.equal(list.isRevoked(token), false, 'as soon as the feed is heard again');
  });

  it('believes what it hears while it asks more than an answer from before', async () => {
    const { state, list } = setUp();
    state.silenceMs = 6_000;
    const answer = Promise.withResolvers<boolean>();
    state.answers = () => answer.promise;
    const judged = list.isRevoked(token);
    list.learn({ sub: 'usr_1', below: 2, untilMs });
    answer.resolve(false);
    assert.equal(await judged, true);
  });

  it('asks about whom it does not know where it had to forget somebody', async () => {
    const { state, tokens, list } = setUp();
    for (let index = 0; index < 11; index += 1) list.learn({ sid: `ses_of_many_${index}`, untilMs: untilMs + index });
    assert.equal(tokens.isIncomplete, true);
    state.answers = () => Promise.resolve(true);
    assert.equal(await list.isRevoked({ ...token, sid: 'ses_of_many_0' }), true);
    assert.equal(list.isRevoked({ ...token, sid: 'ses_of_many_10' }), true);
    assert.equal(state.asked, 1);
  });
});
