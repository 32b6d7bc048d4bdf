import assert from 'node:assert/strict';
import { exportRecords, type StoredRecord } from '../harness/collections.ts';
import { eventually } from '../harness/eventually.ts';
import { expectStatus } from '../harness/expectations.ts';
import type { Person } from '../harness/people.ts';
import type { ReadEvent, TopicReader } from '../harness/topic-reader.ts';
import type { SentBatch } from './batch-writer.ts';
import { loggedGroups } from './logged-groups.ts';

/** Where to look for what batches have left. Nobody else has written there. */
export interface BatchSurroundings {
  readonly by: Person;
  readonly collections: readonly string[];
  readonly reader: TopicReader;
}

const withinMs = 60_000;

const byKey = <T>(items: Iterable<T>, key: (item: T) => string): Map<string, T[]> => Map.groupBy(items, key);

/**
 * Holds what is there against what was sent: each batch whole or not at all, those that were answered whole.
 *
 * @returns the batches that were carried out
 */
export async function assertAllOrNothing(
  sent: readonly SentBatch[],
  { by, collections }: BatchSurroundings,
): Promise<readonly SentBatch[]> {
  const records: StoredRecord[] = [];
  for (const collection of collections) records.push(...(await exportRecords(collection, by.accessToken)));
  const stored = byKey(records, ({ title }) => String(title));
  const done = sent.filter(({ mark }) => stored.has(mark));
  const isDone = new Set(done);
  const without = new Map(done.flatMap((batch) => (batch.deletesOf === undefined ? [] : [[batch.deletesOf, 1]])));
  for (const batch of sent) {
    const found = stored.get(batch.mark)?.length ?? 0;
    if (isDone.has(batch))
      assert.equal(found, batch.creates - (without.get(batch) ?? 0), `${batch.mark} is there in part`);
    else assert.equal(batch.answer, undefined, `${batch.mark} was answered, and is not there`);
  }
  const scores = new Map(records.map(({ id, score }) => [id, score]));
  for (const [id, own] of byKey(done, ({ raises }) => raises.id)) {
    assert.equal(scores.get(id), own.length, 'each batch that was carried out has raised it once');
  }
  return done;
}

/** Holds the events of batches that were carried out, as Kafka told them and as the log has them, against what grouped events promise. */
export async function assertGroupsWhole(
  done: readonly SentBatch[],
  { collections, reader }: BatchSurroundings,
): Promise<void> {
  const own = new Set(collections);
  const isOwn = ({ attributes, data }: ReadEvent): boolean =>
    attributes.batchid !== undefined && own.has(String(data.collection));
  const wanted = done.reduce((sum, { operations }) => sum + operations.length, 0);
  await eventually(
    () => {
      const found = reader.events.filter(isOwn).length;
      assert.ok(found >= wanted, `${found} of ${wanted} events have come over Kafka`);
    },
    { withinMs },
  );
  reader.assertInOrder();
  const groups = byKey(reader.events.filter(isOwn), ({ attributes }) => attributes.batchid ?? '');
  assert.equal(groups.size, done.length, 'one group for each batch that was carried out');
  const marks = new Map<string, string>();
  for (const [id, events] of groups) {
    assertWhole(events.map(({ attributes }) => attributes));
    const first = events.find(({ attributes }) => attributes.batchindex === '0');
    marks.set(String((first?.data.fields as { title: unknown }).title), id);
  }
  for (const { mark, answer, operations } of done) {
    const id = marks.get(mark) ?? assert.fail(`no group begins with what ${mark} creates`);
    assert.equal(groups.get(id)?.length, operations.length);
    if (answer !== undefined) assert.equal(answer.json().batchId, id);
  }
  const logged = await loggedGroups([...groups.keys()], [...own]);
  for (const [id, events] of groups) {
    const row = (attributes: Readonly<Record<string, unknown>>): string =>
      `${String(attributes.batchindex)} ${String(attributes.id)} ${String(attributes.subject)} ${String(attributes.sequence)}`;
    const inLog = logged.get(id) ?? [];
    assertWhole(inLog);
    assert.deepEqual(inLog.map(row).sort(), events.map(({ attributes }) => row(attributes)).sort(), `the log of ${id}`);
  }
  assert.equal(logged.size, groups.size, 'groups in the log that Kafka has not told of');
}

/** Places from 0 on, each once, as many as each of them says; and those of one subject in their order. */
function assertWhole(events: readonly Readonly<Record<string, unknown>>[]): void {
  const places = events.map(({ batchindex }) => Number(batchindex));
  assert.deepEqual(
    [...places].sort((one, other) => one - other),
    Array.from(events, (_, index) => index),
  );
  for (const { batchsize } of events) assert.equal(Number(batchsize), events.length);
  const last = new Map<unknown, number>();
  for (const [index, { subject }] of events.entries()) {
    assert.ok((last.get(subject) ?? -1) < (places[index] ?? -1), `${String(subject)} is told out of order`);
    last.set(subject, places[index] ?? -1);
  }
}

/** Repeats what was answered: it is answered the same again, and no more is done. */
export async function assertReplayed(sent: readonly SentBatch[]): Promise<void> {
  for (const { key, answer, send } of sent) {
    if (key === undefined || answer === undefined) continue;
    const again = expectStatus(await send(), 200);
    assert.equal(again.headers['idempotency-replayed'], 'true');
    assert.deepEqual(again.json(), answer.json());
  }
}
