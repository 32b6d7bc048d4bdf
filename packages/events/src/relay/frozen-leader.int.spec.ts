import { fork, type ChildProcess } from 'node:child_process';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { draft } from '../recording/recorded-document.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';

const leaseMs = 1_000;
const rounds = 3;

/** First occurrences by subject, which must rise by one. */
const assertDense = (events: readonly { readonly subject: string; readonly sequence: string }[]): void => {
  const last = new Map<string, number>();
  for (const { subject, sequence } of events) {
    const seen = last.get(subject) ?? 0;
    const revision = Number(sequence);
    assert.ok(revision <= seen + 1, `${subject}: ${revision} after ${seen}`);
    last.set(subject, Math.max(seen, revision));
  }
};

describe('a leader that is frozen beyond its lease', () => {
  let world: TestWorld;
  let child: ChildProcess | undefined;
  beforeEach(async () => {
    world = await openWorld();
  });
  afterEach(async () => {
    child?.kill('SIGKILL');
    await world.end();
  });

  it('causes duplicates at most: the log stays dense and in order, on Kafka each subject comes first in order', async () => {
    const contracts = noteEvents(world.service);
    const file = path.resolve(import.meta.dirname, '../testing/relay-child.ts');
    const args = [world.service, world.database, String(leaseMs)];
    child = fork(file, args, { execArgv: ['--conditions=development'] });
    await once(child, 'message');
    await world.follow();
    const events = world.replica({ leaseMs });
    const notes = events.collection<Note>('notes', { thing: 'note' });
    await events.start();
    const leases = events.db.collection<{ _id: string; owner: string | null }>('leases');
    const owners = async (): Promise<Set<string | null>> =>
      new Set((await leases.find().toArray()).map(({ owner }) => owner));
    const touch = (id: string, text: string) =>
      notes.update(testCause(), id, () => ({ state: { text }, event: draft(contracts.updated, { text }) }));

    for (let round = 1; round <= rounds; round += 1) {
      await eventually('two leaders', async () => ((await owners()).size === 2 ? true : undefined));
      child.kill('SIGSTOP');
      await eventually('one leader', async () => ((await owners()).size === 1 ? true : undefined));
      // What the frozen one led goes on here, on the very subjects that it had in hand.
      for (let index = 0; index < 8; index += 1) await touch(`child${index}`, `round ${round}`);
      const before = world.records.length;
      await eventually('events past the frozen leader', () => (world.records.length >= before + 1 ? true : undefined));
      child.kill('SIGCONT');
    }
    await eventually('two leaders again', async () => ((await owners()).size === 2 ? true : undefined));
    child.kill('SIGKILL');
    await once(child, 'exit');
    await eventually('empty outboxes', async () =>
      (await notes.native.countDocuments({ 'outbox.0': { $exists: true } })) === 0 ? true : undefined,
    );

    const log = await events.log.collection.find().sort({ slot: 1, pos: 1 }).toArray();
    for (let slot = 0; slot < 4; slot += 1) {
      const own = log.filter((row) => row.slot === slot).map(({ pos }) => pos);
      assert.deepEqual(
        own,
        own.map((_, index) => index + 1),
      );
    }
    assertDense(log.map(({ event }) => event));
    await eventually('the log on Kafka', () => {
      const arrived = new Set(world.records.map(({ headers }) => headers.ce_id));
      return log.every(({ _id }) => arrived.has(_id)) ? true : undefined;
    });
    assertDense(world.events());
    // Nothing that was acknowledged is missing: each document's revision is its last event's.
    const documents = await notes.native.find().toArray();
    assert.equal(documents.length, 8);
    for (const { _id, revision } of documents) {
      const sequences = new Set(
        log.filter(({ event }) => event.subject === `note/${_id}`).map(({ event }) => event.sequence),
      );
      assert.equal(sequences.size, revision);
    }
  });
});
