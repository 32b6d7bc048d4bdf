import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { startJob } from './jobs.ts';

describe('a job', () => {
  it('comes again where a run has failed, and ends after the one that has begun', async () => {
    const [begun, mayEnd] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    const failures: unknown[] = [];
    let runs = 0;
    let ended = false;
    const run = async (signal: AbortSignal): Promise<void> => {
      runs += 1;
      if (runs === 1) throw new Error('for once');
      begun.resolve(undefined);
      await mayEnd.promise;
      ended = signal.aborted;
    };
    const stop = startJob(
      { name: 'again', everyMs: 1, run },
      { error: ({ job, error }) => void failures.push([job, (error as Error).message]) },
    );
    // A pause keeps no process alive by itself.
    const alive = setInterval(() => undefined, 1_000);
    await begun.promise;
    const stopped = stop();
    mayEnd.resolve(undefined);
    await stopped;
    clearInterval(alive);
    assert.ok(ended, 'it is waited for, and told');
    assert.deepEqual(failures, [['again', 'for once']]);
    const before = runs;
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(runs, before);
  });
});
