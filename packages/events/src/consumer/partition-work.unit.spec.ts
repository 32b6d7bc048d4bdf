import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  createPartitionWork,
  type PartitionWork,
  type PartitionWorkOptions,
  type Task,
  type TaskGroup,
} from './partition-work.ts';
import { createRunPlaces, type Turn } from './run-places.ts';

const bounds = { records: 1_000, bytes: 1_000_000, ahead: 10_000 };

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** Work whose tasks end when the test says so. */
const open = (options: Partial<PartitionWorkOptions> = {}) => {
  const began: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<undefined>>();
  const turns = new Map<string, Turn>();
  const errors: unknown[] = [];
  let progress = 0;
  const work: PartitionWork = createPartitionWork({
    start: 0n,
    bounds,
    places: createRunPlaces(16),
    onProgress: () => (progress += 1),
    onError: (error) => errors.push(error),
    ...options,
  });
  const task = (lane: string, name: string): Task => ({
    lane,
    run: (turn) => {
      began.push(name);
      turns.set(name, turn);
      const end = Promise.withResolvers<undefined>();
      ends.set(name, end);
      return end.promise;
    },
  });
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.resolve(undefined);
    await settle();
  };
  const fail = async (name: string): Promise<void> => {
    ends.get(name)?.reject(new Error('no'));
    await settle();
  };
  let offset = 0n;
  const give = (...tasks: Task[]): Promise<boolean> => {
    offset += 1n;
    return work.accept({ offset: offset - 1n, event: `e${offset - 1n}`, bytes: 1 }, tasks);
  };
  const turnOf = (name: string): Turn => turns.get(name) ?? assert.fail(`${name} has not begun`);
  return { work, began, errors, task, end, fail, give, turnOf, progress: () => progress };
};

describe('the work of a partition', () => {
  it('runs lanes side by side, and each in its order', async () => {
    const { began, task, end, give } = open();
    await give(task('a', 'a1'));
    await give(task('a', 'a2'));
    await give(task('b', 'b1'));
    await settle();
    assert.deepEqual(began, ['a1', 'b1']);
    await end('b1');
    assert.deepEqual(began, ['a1', 'b1']);
    await end('a1');
    assert.deepEqual(began, ['a1', 'b1', 'a2']);
  });

  it('moves the watermark over what is settled without a gap, and names the last event below it', async () => {
    const { work, task, end, give, progress } = open();
    await give(task('a', 'a'));
    await give(task('b', 'b'), task('c', 'c'));
    await give();
    await settle();
    assert.equal(work.next, 0n);
    await end('b');
    await end('c');
    assert.equal(work.next, 0n);
    assert.equal(work.event, undefined);
    assert.equal(work.held, 1);
    const before = progress();
    await end('a');
    assert.equal(work.next, 3n);
    assert.equal(work.event, 'e2');
    assert.equal(work.held, 0);
    assert.ok(progress() > before);
  });

  it('settles at once what nobody takes, and passes over what is no event', async () => {
    const { work, give } = open();
    await give();
    await work.accept({ offset: 1n, event: undefined, bytes: 0 }, []);
    assert.equal(work.next, 2n);
    assert.equal(work.event, 'e0');
  });

  it('keeps the place of an event that has no offset', async () => {
    const { work, task, end } = open({ start: 5n });
    await work.accept({ offset: undefined, event: 'logged', bytes: 1 }, [task('a', 'logged')]);
    await work.accept({ offset: 8n, event: undefined, bytes: 0 }, []);
    await settle();
    assert.equal(work.next, 5n);
    await end('logged');
    assert.equal(work.next, 9n);
    assert.equal(work.event, 'logged');
  });

  for (const [what, bound] of [
    ['records', { records: 2 }],
    ['bytes', { bytes: 2 }],
  ] as const) {
    it(`takes nothing more in while too many ${what} are held`, async () => {
      const { task, end, give } = open({ bounds: { ...bounds, ...bound } });
      let room = 0;
      void give(task('a', 'a')).then(() => (room += 1));
      void give(task('b', 'b')).then(() => (room += 1));
      await settle();
      assert.equal(room, 1);
      await end('b');
      assert.equal(room, 2);
    });
  }

  it('takes nothing more in while too many are settled above one that is not', async () => {
    const { task, end, give } = open({ bounds: { ...bounds, ahead: 3 } });
    await give(task('a', 'a'));
    await give();
    let room = false;
    void give().then(() => (room = true));
    await settle();
    assert.equal(room, false);
    await end('a');
    assert.equal(room, true);
  });

  it('lets no more run at once than there are places; who pauses takes up none', async () => {
    const { began, task, turnOf, end, give } = open({ places: createRunPlaces(1) });
    await give(task('a', 'a'));
    await give(task('b', 'b'));
    await settle();
    assert.deepEqual(began, ['a']);
    let back = false;
    const pausing = turnOf('a')
      .pause(1)
      .then(() => (back = true));
    await settle();
    assert.deepEqual(began, ['a', 'b']);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(back, false, 'b has the place');
    await end('b');
    await pausing;
  });

  it('runs a task again that rejects, before the next of its lane', async () => {
    const { work, began, errors, task, end, fail, give } = open();
    await give(task('a', 'a1'));
    await give(task('a', 'a2'));
    await settle();
    await fail('a1');
    assert.equal(errors.length, 1);
    while (began.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(began, ['a1', 'a1']);
    assert.equal(work.next, 0n);
    await end('a1');
    assert.equal(work.next, 1n);
  });

  it('begins nothing more once it leaves, and is over when what is in hand is', async () => {
    const { work, began, task, end, give } = open({ places: createRunPlaces(1) });
    await give(task('a', 'a1'));
    await give(task('a', 'a2'));
    await give(task('b', 'b'));
    await settle();
    let over = false;
    const left = work.leave().then(() => (over = true));
    await settle();
    assert.equal(over, false);
    await end('a1');
    await left;
    assert.deepEqual(began, ['a1']);
    assert.equal(work.next, 1n, 'what was in hand counts');
    assert.equal(await give(task('c', 'c')), false);
    assert.deepEqual(began, ['a1']);
  });

  it('ends a pause once it leaves: what has not had its effect is not settled', async () => {
    const { work, task, give, errors } = open();
    await give({ lane: 'a', run: (turn) => turn.pause(60_000) });
    await give(task('b', 'b'));
    await settle();
    const left = work.leave();
    await settle();
    assert.equal(work.next, 0n);
    assert.equal(work.held, 2);
    assert.deepEqual(errors, []);
    void left;
  });

  it('lets go whoever waits for room, or for everything to be settled, once it leaves', async () => {
    const { work, task, give, end } = open({ bounds: { ...bounds, records: 1 } });
    const waiting = give(task('a', 'a'));
    const idle = work.idle();
    await settle();
    const left = work.leave();
    assert.equal(await waiting, true);
    await idle;
    await end('a');
    await left;
  });

  it('runs nothing before the assignment before it is over', async () => {
    const before = Promise.withResolvers<undefined>();
    const { began, task, give } = open({ after: before.promise.then(() => undefined) });
    await give(task('a', 'a'));
    await settle();
    assert.deepEqual(began, []);
    before.resolve(undefined);
    await settle();
    assert.deepEqual(began, ['a']);
  });

  describe('that may be run together', () => {
    /** Runs of a group, each ended by the test with the names of what it leaves. */
    const grouped = (
      settings: { maxTasks?: number; maxWaitMs?: number } = {},
      options: Partial<PartitionWorkOptions> = {},
    ) => {
      const opened = open(options);
      const runs: { names: string[]; leave(...names: string[]): Promise<void>; fail(): Promise<void> }[] = [];
      const names = new WeakMap<Task, string>();
      const group: TaskGroup = {
        key: 'group',
        maxTasks: settings.maxTasks ?? 100,
        maxWaitMs: settings.maxWaitMs ?? 0,
        async run(tasks) {
          const end = Promise.withResolvers<readonly string[]>();
          const own = tasks.map((task) => names.get(task) ?? assert.fail());
          runs.push({
            names: own,
            async leave(...left) {
              end.resolve(left);
              await settle();
            },
            async fail() {
              end.reject(new Error('no'));
              await settle();
            },
          });
          const left = await end.promise;
          return tasks.filter((task) => left.includes(names.get(task) ?? ''));
        },
      };
      const task = (lane: string, name: string): Task => {
        const made = { ...opened.task(lane, name), group };
        names.set(made, name);
        return made;
      };
      return { ...opened, task, runs };
    };

    it('are run with what waits at that moment, one run at a time, no more than the most', async () => {
      const { work, runs, task, give } = grouped({ maxTasks: 3 });
      for (const name of ['a1', 'b1', 'a2', 'c1', 'a3']) await give(task(name[0] ?? '', name));
      await settle();
      assert.deepEqual(
        runs.map(({ names }) => names),
        [['a1', 'b1', 'a2']],
      );
      await give(task('d', 'd1'));
      await runs[0]?.leave();
      assert.equal(work.next, 3n);
      await settle();
      assert.deepEqual(runs[1]?.names, ['c1', 'a3', 'd1']);
    });

    it('go by themselves where they are left, and what comes behind them waits for them; others do not', async () => {
      const { work, runs, began, task, end, give } = grouped();
      for (const name of ['a1', 'b1', 'a2']) await give(task(name[0] ?? '', name));
      await settle();
      await give(task('a', 'a3'));
      await give(task('b', 'b2'));
      await runs[0]?.leave('a1', 'a2');
      await settle();
      assert.deepEqual(began, ['a1']);
      assert.deepEqual(runs[1]?.names, ['b2']);
      await runs[1].leave();
      await end('a1');
      assert.equal(work.next, 2n);
      await end('a2');
      assert.deepEqual(began, ['a1', 'a2', 'a3']);
      await give(task('a', 'a4'));
      await end('a3');
      assert.equal(work.next, 5n);
    });

    it('are run again together where the run rejects', async () => {
      const { runs, errors, task, give } = grouped();
      await give(task('a', 'a1'));
      await give(task('b', 'b1'));
      await settle();
      await runs[0]?.fail();
      assert.equal(errors.length, 1);
      while (runs.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
      assert.deepEqual(runs[1]?.names, ['a1', 'b1']);
    });

    it('wait for more for a while, or until there are enough', async () => {
      const { runs, task, give } = grouped({ maxTasks: 2, maxWaitMs: 60_000 });
      await give(task('a', 'a1'));
      await settle();
      assert.equal(runs.length, 0);
      await give(task('b', 'b1'));
      await settle();
      assert.deepEqual(runs[0]?.names, ['a1', 'b1']);
    });

    it('wait no longer once the partition is given up', async () => {
      const { work, runs, task, give } = grouped({ maxTasks: 2, maxWaitMs: 60_000 });
      await give(task('a', 'a1'));
      await settle();
      await work.leave();
      assert.equal(runs.length, 0);
      assert.equal(work.next, 0n);
    });
  });
});
