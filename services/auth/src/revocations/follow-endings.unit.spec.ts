import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { everyVersion } from '@causeway/service';
import type { Ending } from '@causeway/service';

import type { CommittedChange } from './ending-of.ts';
import { followEndings } from './follow-endings.ts';

const now = new Date('2026-05-01T12:00:00.000Z');
const minute = 60_000;
const untilMs = now.getTime() + 6 * minute;

const setUp = () => {
  const told: Ending[] = [];
  const reloads = { count: 0 };
  let subscribed: (change: CommittedChange) => void = () => undefined;
  let gap = (): void => undefined;
  followEndings({
    stream: { subscribe: (listener, onGap) => ([subscribed, gap] = [listener, onGap]) },
    teller: {
      tell: (endings) => {
        told.push(...endings);
        return Promise.resolve(true);
      },
      reload: () => (reloads.count += 1),
    },
    now: () => now,
  });
  const commit = (id: string, type: string, data: unknown = {}, time = now): void =>
    subscribed({ id, event: { type, time: time.toISOString(), data } });
  return { told, reloads, commit, gap: () => gap(), bare: (id: string) => subscribed({ id, event: undefined }) };
};

describe('what is committed', () => {
  it('ends the tokens of a session that ends, and nothing else does', () => {
    const { told, commit, bare } = setUp();
    commit('ses_1', 'auth.session.ended', { sessionId: 'ses_1' });
    commit('ses_2', 'auth.session.refreshed');
    commit('usr_1', 'auth.account.created', { accessVersion: 1 });
    bare('ses_3');
    assert.deepEqual(told, [{ sid: 'ses_1', untilMs }]);
  });

  it('ends the tokens that an account had before it changed, where the change says so', () => {
    const { told, commit } = setUp();
    commit('usr_1', 'auth.account.updated', { accountId: 'usr_1', changed: ['passwordParameters'] });
    assert.deepEqual(told, []);
    commit('usr_1', 'auth.account.updated', { accountId: 'usr_1', changed: ['roles'], accessVersion: 2 });
    assert.deepEqual(told, [{ sub: 'usr_1', below: 2, untilMs }]);
  });

  it('ends all tokens of an account that is gone', () => {
    const { told, commit } = setUp();
    commit('usr_1', 'auth.account.deleted', { accountId: 'usr_1' });
    assert.deepEqual(told, [{ sub: 'usr_1', below: everyVersion, untilMs }]);
  });

  it('ends them until the last that was made before it was seen has expired, by the later of the clocks', () => {
    const { told, commit } = setUp();
    commit('ses_late', 'auth.session.ended', {}, new Date(now.getTime() - 10 * minute));
    commit('ses_ahead', 'auth.session.ended', {}, new Date(now.getTime() + minute));
    assert.deepEqual(told, [
      { sid: 'ses_late', untilMs },
      { sid: 'ses_ahead', untilMs: untilMs + minute },
    ]);
  });

  it('is read again where something may have been missed', () => {
    const { reloads, gap } = setUp();
    gap();
    assert.equal(reloads.count, 1);
  });
});
