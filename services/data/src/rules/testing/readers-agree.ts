import assert from 'node:assert/strict';

import type { Random } from '../../conditions/testing/random.ts';
import { generateFilterOf } from './generate-question.ts';
import type { Asker, GeneratedWorld } from './generate-world.ts';
import { askers, generateWorld } from './generate-world.ts';
import { compileQuestion } from './meets-question.ts';
import type { OpenWorld } from './open-world.ts';
import type { Found, Question } from './reader-paths.ts';
import { aggregatedCount, count, resultPaths } from './reader-paths.ts';
import type { Referring } from './record-paths.ts';
import {
  checkEach,
  csvRows,
  expandEach,
  explainEach,
  getEach,
  makeReferring,
  referredEach,
  rowsOf,
} from './record-paths.ts';

/** What is read, and what for. */
export interface ReadersCase {
  readonly world: GeneratedWorld;
  readonly questions: readonly Question[];
}

/** How much was found out. */
export interface Compared {
  /** Answers with records that were held against each other. */
  answers: number;
  /** Of those, the ones of somebody to whom something was hidden. */
  partial: number;
}

const sorts = [undefined, undefined, ['n'], ['-s', 'n'], ['status', '-createdAt'], ['-owner'], ['createdBy', 'key']];

/** A world, and questions about what rules hide, mostly. */
export function generateReadersCase(random: Random): ReadersCase {
  const world = generateWorld(random, 10);
  const question = (): Question => ({ filter: generateFilterOf(random, world), sort: random.pick(sorts) });
  return { world, questions: [{ sort: random.pick(sorts) }, ...Array.from({ length: 4 }, question)] };
}

/**
 * Holds every way to read a world against every other.
 *
 * @throws AssertionError
 */
export async function demandReadersAgree(
  world: OpenWorld,
  questions: readonly Question[],
  compared: Compared,
): Promise<void> {
  const whole = await getEach(world, 'admin');
  assert.equal(whole.size, world.ids.length);
  const referring = await makeReferring(world);
  for (const asker of askers) {
    const seen = await getEach(world, asker);
    await demandSame(world, asker, { seen, whole, referring });
    const found = await findAll(world, asker, {});
    for (const [path, each] of Object.entries(found)) {
      assert.deepEqual(each.records, seen, `${asker}, ${path}, beside each record by its id`);
    }
    for (const question of questions) await demandAnswer(world, asker, world.filled(question), seen);
    compared.answers += 1 + questions.length;
    const isPartial = [...seen].some(
      ([id, record]) => Object.keys(record).length < Object.keys(whole.get(id) ?? {}).length,
    );
    if (isPartial) compared.partial += 1 + questions.length;
  }
}

async function findAll(world: OpenWorld, asker: Asker, question: Question): Promise<Record<string, Found>> {
  const found = Object.entries(resultPaths).map(
    async ([path, read]) => [path, await read(world, asker, question)] as const,
  );
  return Object.fromEntries(await Promise.all(found));
}

/** Of each record by its id: what caches, checks, explanations and references say of it, and the table of all. */
async function demandSame(
  world: OpenWorld,
  asker: Asker,
  {
    seen,
    whole,
    referring,
  }: { readonly seen: Found['records']; readonly whole: Found['records']; readonly referring: Referring },
): Promise<void> {
  assert.deepEqual(await getEach(world, asker, { isCached: true }), seen, `${asker}, records from caches`);
  const revisions = new Map([...whole].map(([id, { revision }]) => [id, revision as number]));
  assert.deepEqual(await checkEach(world, asker, revisions), [...seen.keys()], `${asker}, checks of a batch`);
  for (const expanded of await expandEach(world, asker, referring)) {
    assert.deepEqual(expanded, seen, `${asker}, beside what refers to it`);
  }
  const { single, ...beside } = await referredEach(world, asker, seen);
  for (const [path, each] of Object.entries(beside)) {
    assert.deepEqual(each, single, `${asker}, what records refer to, ${path}`);
  }
  assert.deepEqual(await explainEach(world, asker, whole), seen, `${asker}, explained rights`);
  const [head = '', ...rows] = await csvRows(world, asker);
  assert.deepEqual(rows.toSorted(), rowsOf(head, seen).toSorted(), `${asker}, CSV export`);
}

async function demandAnswer(world: OpenWorld, asker: Asker, question: Question, seen: Found['records']): Promise<void> {
  const about = `${asker}, ${JSON.stringify(question)}`;
  const { 'list, by cursors': list, ...others } = await findAll(world, asker, question);
  assert.ok(list !== undefined);
  for (const [path, each] of Object.entries(others)) {
    const isOrdered = !path.includes('feed');
    // A feed has no order to ask for, and to an administrator the collection is there whoever else it is for.
    const mayAnswer =
      (!isOrdered && question.sort !== undefined) || (list.status === 404 && path.includes('as somebody'));
    if (each.status !== list.status && mayAnswer) continue;
    assert.equal(each.status, list.status, `${about}, ${path}`);
    assert.deepEqual(each.records, list.records, `${about}, ${path}, beside the list`);
    if (isOrdered) assert.deepEqual([...each.records.keys()], [...list.records.keys()], `${about}, order by ${path}`);
  }
  const meets = question.filter === undefined ? () => true : compileQuestion(question.filter);
  if (list.status !== 200 || meets === undefined) {
    assert.ok([400, 404].includes(list.status), `${about}: ${list.status}`);
    return;
  }
  const expected = [...seen].filter(([, record]) => meets(record));
  assert.deepEqual(list.records, new Map(expected), `${about}, beside the records that meet it as they are shown`);
  assert.equal(await count(world, asker, question), expected.length, `${about}, count`);
  assert.equal(await aggregatedCount(world, asker, question), expected.length, `${about}, count of an aggregate`);
}
