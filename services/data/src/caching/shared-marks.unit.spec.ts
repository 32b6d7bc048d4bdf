import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';

import { createSharedMarks } from './shared-marks.ts';

/** Marks that a test brings, at a time that it tells. */
const createWorld = () => {
  let now = 0;
  let isFollowing = true;
  const asked: { readonly withinMs: number; readonly told: () => void; readonly late: () => void }[] = [];
  const warnings: string[] = [];
  const marks = createSharedMarks({
    settled: (withinMs) =>
      new Promise((resolve, reject) => asked.push({ withinMs, told: resolve, late: () => reject(new Error('late')) })),
    isFollowing: () => isFollowing,
    logger: { warn: (_fields, message) => void warnings.push(message) },
    clock: () => now,
  });
  return {
    marks,
    asked,
    warnings,
    pass: (ms: number): void => void (now += ms),
    follow: (follows: boolean): void => void (isFollowing = follows),
    /** So many ask, by default within a tenth of a second. */
    ask: (count: number, overMs = 90): Promise<boolean>[] =>
      Array.from({ length: count }, () => {
        now += overMs / count;
        return marks.pass();
      }),
    /** Brings the mark that is waited for. */
    bring: async (tookMs: number, how: 'told' | 'late' = 'told'): Promise<void> => {
      await turn();
      now += tookMs;
      const waiting = asked.at(-1) ?? assert.fail('nothing is waited for');
      waiting[how]();
      await turn();
    },
  };
};

const settledOf = (passed: readonly Promise<boolean>[]): Promise<boolean[]> => Promise.all(passed);

describe('marks that lists wait for', () => {
  it('are not made where few ask, however long each takes to be read', async () => {
    const world = createWorld();
    for (let times = 0; times < 50; times += 1) world.marks.found(1_000);
    for (let round = 0; round < 20; round += 1) {
      assert.deepEqual(
        await settledOf(world.ask(20)),
        Array.from({ length: 20 }, () => false),
      );
    }
    assert.equal(world.asked.length, 0);
  });

  it('are shared by all who ask before one begins, and bounded', async () => {
    const world = createWorld();
    const passed = world.ask(100);
    await world.bring(4);
    const answers = await settledOf(passed);
    assert.ok(answers.filter(Boolean).length >= 50, `${answers.filter(Boolean).length} have waited`);
    assert.equal(answers[0], false, 'before it was known that many ask');
    assert.deepEqual(
      world.asked.map(({ withinMs }) => withinMs),
      [250],
    );
  });

  it('begin anew for those who ask after one has begun', async () => {
    const world = createWorld();
    const first = world.ask(100);
    await turn();
    const later = world.marks.pass();
    world.pass(20);
    world.asked[0]?.told();
    while (world.asked.length < 2) await turn();
    await world.bring(4);
    assert.equal(await later, true);
    assert.equal((await settledOf(first)).at(-1), true);
  });

  it('end with those who ask, though some have waited long', async () => {
    const world = createWorld();
    const passed = world.ask(100);
    await world.bring(12);
    await settledOf(passed);
    world.pass(200);
    for (let round = 0; round < 30; round += 1) await settledOf(world.ask(10));
    assert.equal(world.asked.length, 1, 'who waits does not have others wait');
  });

  it('that do not come in time are not waited for, and said once; one for which nobody waits finds out whether they do again', async () => {
    const world = createWorld();
    const first = world.ask(100);
    await world.bring(250, 'late');
    assert.ok((await settledOf(first)).every((each) => !each));
    assert.equal(world.warnings.length, 1);
    assert.ok((await settledOf(world.ask(100))).every((each) => !each));
    assert.equal(world.asked.length, 1);
    for (const how of ['late', 'told'] as const) {
      world.pass(5_000);
      assert.ok(
        (await settledOf(world.ask(100, 0))).every((each) => !each),
        'nobody waits for the one that finds out',
      );
      await world.bring(4, how);
    }
    assert.equal(world.asked.length, 3);
    assert.equal(world.warnings.length, 1);
    const again = world.ask(100);
    await world.bring(4);
    assert.equal((await settledOf(again)).at(-1), true);
  });

  it('that are slow are not waited for, unless pages are', async () => {
    for (const [findMs, isWaitedFor] of [
      [3, false],
      [60, true],
    ] as const) {
      const world = createWorld();
      for (let times = 0; times < 100; times += 1) world.marks.found(findMs);
      for (let round = 0; round < 10; round += 1) {
        const passed = world.ask(100);
        await turn();
        if (world.asked.length > round) await world.bring(100);
        await settledOf(passed);
        world.pass(20);
      }
      assert.equal(
        world.asked.length === 10,
        isWaitedFor,
        `pages take ${findMs} ms, and ${world.asked.length} marks were made`,
      );
      assert.deepEqual(world.warnings, []);
    }
  });

  it('are not made where the commit stream is not at work', async () => {
    const world = createWorld();
    world.follow(false);
    assert.ok((await settledOf(world.ask(200))).every((each) => !each));
    assert.equal(world.asked.length, 0);
  });
});
