import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RecordedCollection } from '@causeway/events';

import type { MigrationDocument } from './migration.model.ts';
import type { MigrationPlace } from './migration-places.ts';
import { createRunMigration } from './run-migration.ts';
import type { Step } from './step.ts';

/** With so many documents whose events wait to be published nothing is written on top. */
const tooMany = 5_001;

describe('a migration', () => {
  /** Makes one of these steps in two chunks each, while so much waits for the relay, look for look. */
  const run = async (steps: readonly Step[], backlogs: readonly number[], signal = new AbortController().signal) => {
    const done: string[] = [];
    const left = [...backlogs];
    let place = { _id: 'm', version: 1, step: 0, looked: 0, lookedInStep: 0 } as MigrationPlace;
    const move = (what: string, isWhole: boolean): Promise<MigrationPlace> => {
      done.push(what);
      const { step, lookedInStep } = place;
      place = isWhole ? { ...place, step: step + 1, lookedInStep: 0 } : { ...place, lookedInStep: lookedInStep + 500 };
      return Promise.resolve(place);
    };
    const runMigration = createRunMigration({
      events: {
        backlog: (limit) => {
          const count = Math.min(left.shift() ?? 0, limit);
          done.push(`${count} wait`);
          return Promise.resolve(count);
        },
      },
      migrations: {} as RecordedCollection<MigrationDocument>,
      places: { find: () => Promise.resolve(place), reset: () => assert.fail(), move: () => assert.fail() },
      migrateChunk: (_cause, { kind }) => move(kind, place.lookedInStep > 0),
      defineStep: () => move('define', true),
      dropStep: () => move('drop', true),
    });
    const order = { _id: 'm', event: 'e', cause: {}, direction: 'up', steps, tally: { looked: 0 } } as unknown;
    const failure = await runMigration(order as MigrationDocument, signal);
    return { done, failure };
  };
  const change: Step = { change: { collection: 'notes', operators: { $set: { n: 1 } } } };
  const remove: Step = { remove: { collection: 'notes', filter: {} } };

  it('writes no chunk while the events of many wait: those of others do not stand behind a million of its own', async () => {
    const { done, failure } = await run([change, remove], [tooMany, tooMany, 5_000, 0, tooMany, 0, 0]);
    assert.equal(failure, undefined);
    assert.deepEqual(done, [
      ...[`${tooMany} wait`, `${tooMany} wait`, '5000 wait', 'change', '0 wait', 'change'],
      ...[`${tooMany} wait`, '0 wait', 'remove', '0 wait', 'remove'],
    ]);
  });

  it('ends with the process while it waits, to be gone on with', async () => {
    const ending = new AbortController();
    setImmediate(() => ending.abort());
    await assert.rejects(
      run(
        [change],
        Array.from({ length: 1_000 }, () => tooMany),
        ending.signal,
      ),
      {
        name: 'AbortError',
      },
    );
  });
});
