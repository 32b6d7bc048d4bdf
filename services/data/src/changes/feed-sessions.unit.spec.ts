import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { AccessClaims } from '@causeway/service';

import type { Feed } from './feed.ts';
import { createFeedSessions } from './feed-sessions.ts';

describe('the sessions that feeds are listened with', () => {
  const feedOf = (token: Partial<AccessClaims> | undefined) => {
    const ends: string[] = [];
    const whole =
      token === undefined ? undefined : { sid: 'ses_1', sub: 'usr_1', accountVersion: 0, exp: 100, ...token };
    const end = (_event: string, reason: string): void => void ends.push(reason);
    return { feed: { token: whole, end } as unknown as Feed, ends };
  };

  it('are asked about once each, and end all their feeds', () => {
    const asked: string[] = [];
    const ended = new Set<string>();
    const isRevoked = ({ sid }: { sid: string }): boolean => {
      asked.push(sid);
      return ended.has(sid);
    };
    const sessions = createFeedSessions({ isRevoked, now: () => 0 });
    const own = [feedOf({}), feedOf({}), feedOf({ exp: 200 })];
    const others = [feedOf({ sid: 'ses_2' }), feedOf(undefined)];
    for (const { feed } of [...own, ...others]) sessions.add(feed);
    sessions.check();
    assert.deepEqual(asked.splice(0), ['ses_1', 'ses_2']);
    ended.add('ses_1');
    sessions.check();
    for (const { ends } of own) assert.deepEqual(ends, ['session-ended']);
    for (const { ends } of others) assert.deepEqual(ends, []);
    for (const { feed } of own) sessions.remove(feed);
    asked.length = 0;
    sessions.check();
    assert.deepEqual(asked, ['ses_2']);
  });

  it('are told apart by what tokens are judged by', () => {
    const asked: (number | undefined)[] = [];
    const isRevoked = ({ accountVersion }: { accountVersion?: number | undefined }): boolean => {
      asked.push(accountVersion);
      return accountVersion === 0;
    };
    const sessions = createFeedSessions({ isRevoked, now: () => 0 });
    const [old, renewed] = [feedOf({}), feedOf({ accountVersion: 1 })];
    for (const { feed } of [old, renewed]) sessions.add(feed);
    sessions.check();
    assert.deepEqual(asked, [0, 1]);
    assert.deepEqual([old.ends, renewed.ends], [['session-ended'], []]);
  });

  it('end with each token by itself', () => {
    let nowMs = 99_999;
    const sessions = createFeedSessions({ isRevoked: () => false, now: () => nowMs });
    const [first, second] = [feedOf({ exp: 100 }), feedOf({ exp: 101 })];
    for (const { feed } of [first, second]) sessions.add(feed);
    sessions.check();
    assert.deepEqual([first.ends, second.ends], [[], []]);
    nowMs = 100_000;
    sessions.check();
    assert.deepEqual([first.ends, second.ends], [['token-expired'], []]);
  });

  it('of which nobody can say end, too', async () => {
    const sessions = createFeedSessions({ isRevoked: () => Promise.reject(new Error('no answer')), now: () => 0 });
    const { feed, ends } = feedOf({});
    sessions.add(feed);
    sessions.check();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(ends, ['unsure']);
  });
});
