import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';

import { Fault } from '@causeway/contracts';

import { createBoundedWork } from './bounded-work.ts';

const task = () => {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const state = { begun: false };
  const run = (): Promise<string> => {
    state.begun = true;
    return promise;
  };
  return { run, resolve, reject, state };
};

describe('bounded work', () => {
  it('runs as many as it may and hands each turn to the first who waits', async () => {
    const work = createBoundedWork({ concurrency: 2, queueLimit: 10 });
    const tasks = Array.from({ length: 4 }, task);
    const results = tasks.map((each) => work.run(each.run));
    await setImmediate();
    assert.deepEqual(
      tasks.map((each) => each.state.begun),
      [true, true, false, false],
    );
    assert.deepEqual(work.load(), { running: 2, waiting: 2 });
    tasks[1]?.resolve('second');
    assert.equal(await results[1], 'second');
    await setImmediate();
    assert.equal(tasks[2]?.state.begun, true);
    assert.equal(tasks[3]?.state.begun, false);
    for (const each of tasks) each.resolve('done');
    await Promise.all(results);
    assert.deepEqual(work.load(), { running: 0, waiting: 0 });
  });

  it('refuses with Retry-After once too many wait, by the time that tasks take', async () => {
    let clock = 0;
    const work = createBoundedWork({ concurrency: 1, queueLimit: 3, now: () => clock });
    const slow = task();
    const first = work.run(slow.run);
    await setImmediate();
    clock = 4000;
    slow.resolve('took four seconds');
    await first;
    const tasks = Array.from({ length: 4 }, task);
    const results = tasks.map((each) => work.run(each.run));
    await assert.rejects(work.run(task().run), (error) => {
      assert.ok(error instanceof Fault);
      assert.equal(error.status, 503);
      assert.equal(error.retryAfterS, 12);
      return true;
    });
    for (const each of tasks) each.resolve('');
    await Promise.all(results);
  });

  it('drops who waits when the client has gone, and lets another in', async () => {
    const work = createBoundedWork({ concurrency: 1, queueLimit: 1 });
    const running = task();
    const gone = task();
    const next = task();
    const first = work.run(running.run);
    const client = new AbortController();
    const dropped = work.run(gone.run, client.signal);
    client.abort(new Error('client gone'));
    await assert.rejects(dropped, /client gone/);
    const last = work.run(next.run);
    running.resolve('');
    next.resolve('');
    await Promise.all([first, last]);
    assert.equal(gone.state.begun, false);
    await assert.rejects(work.run(gone.run, client.signal), /client gone/);
    assert.equal(gone.state.begun, false);
  });

  it('hands its turn on after a failure', async () => {
    const work = createBoundedWork({ concurrency: 1, queueLimit: 1 });
    const failing = task();
    const next = task();
    const first = work.run(failing.run);
    const second = work.run(next.run);
    failing.reject(new Error('out of memory'));
    next.resolve('fine');
    await assert.rejects(first, /out of memory/);
    assert.equal(await second, 'fine');
  });
});
