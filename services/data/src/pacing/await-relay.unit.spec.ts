import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { awaitRelay } from './await-relay.ts';

describe('waiting for the relay', () => {
  const backlogs = (...counts: readonly number[]) => {
    const asked: number[] = [];
    const left = [...counts];
    const backlog = (limit: number): Promise<number> => {
      asked.push(limit);
      return Promise.resolve(Math.min(left.shift() ?? 0, limit));
    };
    return { backlog, asked };
  };
  const { signal } = new AbortController();
  const never = (): boolean => false;

  it('is over at once where little waits to be published', async () => {
    const events = backlogs(5_000);
    assert.equal(await awaitRelay(events, { isTimeUp: never, signal }), true);
    assert.deepEqual(events.asked, [5_001]);
  });

  it('goes on for as long as too much waits', async () => {
    const events = backlogs(90_000, 5_001, 4_000);
    assert.equal(await awaitRelay(events, { isTimeUp: never, signal }), true);
    assert.equal(events.asked.length, 3);
  });

  it('ends when the time is up, or whoever asked is gone', async () => {
    const full = { backlog: (limit: number) => Promise.resolve(limit) };
    assert.equal(await awaitRelay(full, { isTimeUp: () => true, signal }), false);
    const gone = new AbortController();
    const waiting = awaitRelay(full, { isTimeUp: never, signal: gone.signal });
    gone.abort();
    await assert.rejects(waiting, { name: 'AbortError' });
  });
});
