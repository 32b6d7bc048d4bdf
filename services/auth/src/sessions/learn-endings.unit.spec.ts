import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';

import { learnEndings } from './learn-endings.ts';

const now = new Date('2026-05-01T12:00:00.000Z');
const minute = 60_000;

const setUp = async () => {
  const learnt = new Map<string, number>();
  const asked: Date[] = [];
  let subscribed: Parameters<Parameters<typeof learnEndings>[0]['stream']['subscribe']>[0] = () => undefined;
  let gap = (): void => undefined;
  const stored = [{ _id: 'ses_stored', endedAt: new Date(now.getTime() - minute) }];
  await learnEndings({
    stream: { subscribe: (listener) => (subscribed = listener), onGap: (listener) => (gap = listener) },
    sessionQueries: {
      endedSince: async function* (since) {
        asked.push(since);
        yield* stored;
      },
    },
    revocations: { learn: (sessionId, untilMs) => learnt.set(sessionId, untilMs) },
    now: () => now,
    logger: { error: () => assert.fail() },
  });
  return {
    learnt,
    asked,
    stored,
    commit: (id: string, type: string) => subscribed({ id, event: { type, time: now.toISOString() } }),
    gap: () => gap(),
  };
};

describe('learning of ended sessions', () => {
  it('begins with those whose tokens may still be in date', async () => {
    const { learnt, asked } = await setUp();
    assert.ok(asked[0]!.getTime() <= now.getTime() - 5 * minute);
    assert.ok(learnt.get('ses_stored')! >= now.getTime() + 4 * minute);
  });

  it('takes in each end as it is committed, and nothing else', async () => {
    const { learnt, commit } = await setUp();
    commit('ses_ended', 'auth.session.ended');
    commit('ses_refreshed', 'auth.session.refreshed');
    assert.ok(learnt.get('ses_ended')! >= now.getTime() + 5 * minute);
    assert.equal(learnt.has('ses_refreshed'), false);
  });

  it('reads again where the stream has a gap', async () => {
    const { learnt, stored, gap } = await setUp();
    stored.push({ _id: 'ses_missed', endedAt: now });
    gap();
    await setImmediate();
    assert.equal(learnt.has('ses_missed'), true);
  });
});
