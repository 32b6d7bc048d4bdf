import assert from 'node:assert/strict';
import process from 'node:process';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { defineCollection } from '../harness/collections.ts';
import { eventually } from '../harness/eventually.ts';
import { killAndWait } from '../harness/kill-and-wait.ts';
import { admin, type Person, signUp } from '../harness/people.ts';
import { startTopicReader, type TopicReader } from '../harness/topic-reader.ts';
import { assertAllOrNothing, assertGroupsWhole, assertReplayed } from './batch-outcome.ts';
import { type BatchWriter, startBatchWriter } from './batch-writer.ts';
import { seed, seededRandom } from './seeded-random.ts';
import { recoveryMs } from './survives.ts';

const isLong = process.env.CAUSEWAY_TEST_LONG !== undefined;
/** Of the service that writes them, and once of the database beneath it. */
const victims = isLong
  ? Array.from({ length: 12 }, (_, index) => (index % 3 === 2 ? 'mongodb' : 'data'))
  : ['data', 'mongodb'];
/** A kill may come between two batches: so often it is tried anew. */
const mostKills = 8;
/** Operations of the batches of each writer: the most that there may be, and fewer by one who cannot repeat what got no answer. */
const kinds = [
  { size: 1_000, hasKeys: true },
  { size: 60, hasKeys: false },
] as const;

const random = seededRandom(seed);

describe(`batches under kill -9 (CAUSEWAY_TEST_SEED=${seed})`, () => {
  let administrator: string;
  let by: Person;
  let reader: TopicReader;

  before(async () => {
    [administrator, by] = await Promise.all([admin(), signUp()]);
    reader = await startTopicReader('causeway.data');
  });
  after(() => reader.stop());

  /** Resolves once the writer has been answered once more. */
  const goesOn = async (writer: BatchWriter): Promise<void> => {
    const answered = (): number => writer.sent.filter(({ answer }) => answer !== undefined).length;
    const before = answered();
    await eventually(() => assert.ok(answered() > before, 'a writer of batches gets no answer'), {
      withinMs: 2 * recoveryMs,
    });
  };

  /**
   * Kills until a batch is cut off by it.
   *
   * @returns how many were
   */
  const killMidFlight = async (victim: string, writers: readonly BatchWriter[]): Promise<number> => {
    const cutOff = (): number => writers.flatMap(({ sent }) => sent).reduce((sum, batch) => sum + batch.cutOff, 0);
    for (let kills = 0; kills < mostKills; kills += 1) {
      await Promise.all(writers.map(goesOn));
      const one = writers[Math.floor(random() * writers.length)] ?? assert.fail();
      const last = one.underWay()?.batch;
      await eventually(() => assert.ok(one.underWay() !== undefined && one.underWay()?.batch !== last), {
        withinMs: recoveryMs,
        everyMs: 1,
      });
      await wait(random() * one.lastMs());
      const before = cutOff();
      await killAndWait([victim], recoveryMs);
      await Promise.all(writers.map(goesOn));
      if (cutOff() > before) return cutOff() - before;
    }
    assert.fail(`${mostKills} kills of ${victim} have cut off no batch`);
  };

  const survivesKillOf = async (victim: string, context: TestContext): Promise<void> => {
    const collections: string[] = [];
    for (let index = 0; index < 3; index += 1) collections.push(await defineCollection(administrator));
    const writers = await Promise.all(kinds.map((kind) => startBatchWriter({ by, collections, ...kind })));
    const stop = () => Promise.all(writers.map((writer) => writer.stop()));
    context.after(() => stop().catch(() => undefined));
    const cutOff = await killMidFlight(victim, writers);
    await stop();

    const sent = writers.flatMap((writer) => writer.sent);
    const surroundings = { by, collections, reader };
    const done = await assertAllOrNothing(sent, surroundings);
    await assertGroupsWhole(done, surroundings);
    await assertReplayed(sent);
    assert.deepEqual(await assertAllOrNothing(sent, surroundings), done, 'repeating has done something');
    await assertGroupsWhole(done, surroundings);
    const unknown = sent.filter(({ answer }) => answer === undefined);
    const operations = sent.reduce((sum, batch) => sum + batch.operations.length, 0);
    context.diagnostic(
      `${sent.length} batches of ${operations} operations; ${cutOff} cut off, of ${unknown.length} nothing was heard: ${unknown.filter((batch) => done.includes(batch)).length} of these were carried out`,
    );
  };

  for (const [index, victim] of victims.entries()) {
    it(`of ${victim} are carried out whole or not at all, and so are their events (${index + 1})`, (context) =>
      survivesKillOf(victim, context));
  }
});
