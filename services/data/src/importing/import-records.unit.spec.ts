import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Fault } from '@causeway/contracts';
import { MongoNetworkError } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import { createImportRecords } from './import-records.ts';

describe('an import', () => {
  const everybody = { kind: 'public' } as const;

  /** Imports lines, by one call that finds so many documents waiting each time it looks; says what happened, in its order. */
  const importing = (
    lines: number,
    waiting: readonly number[],
    rest: Promise<void> = Promise.resolve(),
    failing?: { readonly afterBatches: number; readonly error: Error },
  ) => {
    const steps: string[] = [];
    const left = [...waiting];
    let taken = 0;
    let batches = 0;
    const collection = {
      id: 'col_1',
      rules: { read: everybody, create: everybody, update: { before: everybody, after: everybody }, delete: everybody },
      fields: [],
      references: [],
      places: [],
      schema: { validate: () => [] },
      follows: { read: [], all: [] },
      removing: false,
      records: {
        createMany: (_cause: unknown, creations: readonly unknown[]) => {
          steps.push(`write ${creations.length}`);
          batches += 1;
          if (failing !== undefined && batches > failing.afterBatches) return Promise.reject(failing.error);
          return Promise.resolve(creations.map((_, index) => ({ event: { id: `e${index}` } })));
        },
      },
    } as unknown as Collection;
    const importRecords = createImportRecords({
      events: {
        db: undefined as never,
        transaction: () => Promise.reject(new Error('nobody refers to anything')),
        backlog: (limit) => {
          const count = Math.min(left.shift() ?? 0, limit);
          steps.push(`backlog ${count}`);
          return Promise.resolve(count);
        },
      },
      registry: { find: () => Promise.resolve(collection) } as never,
      idempotency: undefined as never,
      locks: undefined as never,
      persons: { writing: () => Promise.reject(new Error('nobody has signed in')) },
      now: () => new Date(),
    });
    async function* body(): AsyncGenerator<Buffer> {
      while (taken < lines) {
        taken += 1;
        yield await Promise.resolve(Buffer.from('{"n": 1}\n'));
      }
      await rest;
    }
    const [client, process] = [new AbortController(), new AbortController()];
    const answer = importRecords(
      { correlationId: 'c', principal: { type: 'system' } },
      {
        ...{ collection: 'notes', caller: { administrator: false } as never, body: body(), request: undefined },
        ...{ describe: (fault: Fault) => fault.code, signal: client.signal, draining: process.signal },
      },
    );
    return { steps, answer, taken: () => taken, client, process };
  };

  const full = Array.from({ length: 1_000 }, () => 5_001);

  it('writes no batch while too much waits to be published', async () => {
    const { steps, answer } = importing(1_200, [9_000, 5_001, 5_000, 5_001, 0, 0]);
    assert.equal((await answer).answer.created, 1_200);
    assert.deepEqual(steps, [
      ...['backlog 5001', 'backlog 5001', 'backlog 5000', 'write 500'],
      ...['backlog 5001', 'backlog 0', 'write 500'],
      ...['backlog 0', 'write 200'],
    ]);
  });

  it('takes in one batch more while one waits, and then nothing', async () => {
    const { steps, answer, taken, client } = importing(100_000, full);
    answer.catch(() => undefined);
    while (steps.length < 3) await new Promise((done) => setTimeout(done, 10));
    assert.equal(taken(), 1_000);
    client.abort();
    await assert.rejects(answer);
  });

  it('ends where nothing is published in time, or the process stops, and may be tried again', async () => {
    const { steps, answer, process } = importing(400, full);
    process.abort();
    await assert.rejects(answer, ({ code, retryAfterS }: Fault) => code === 'unavailable' && retryAfterS === 5);
    assert.deepEqual(steps, ['backlog 5001']);
  });

  it('says how far it has got where it ends', async () => {
    const { answer, steps, process } = importing(1_700, [0, 0, ...full]);
    answer.catch(() => undefined);
    while (steps.length < 5) await new Promise((done) => setTimeout(done, 10));
    process.abort();
    await assert.rejects(answer, ({ code, retryAfterS, progress }: Fault) => {
      assert.deepEqual([code, retryAfterS], ['unavailable', 5]);
      assert.deepEqual(progress, { lines: 1_000, created: 1_000, failed: 0, unsure: 0 });
      return true;
    });
  });

  it('says which lines may be there or not where MongoDB has not answered', async () => {
    const lost = new MongoNetworkError('the connection has gone');
    const { answer } = importing(1_200, [], Promise.resolve(), { afterBatches: 1, error: lost });
    await assert.rejects(answer, ({ code, progress, cause }: Fault) => {
      assert.deepEqual([code, cause], ['unavailable', lost]);
      assert.deepEqual(progress, { lines: 500, created: 500, failed: 0, unsure: 500 });
      return true;
    });
    const bug = importing(1_200, [], Promise.resolve(), { afterBatches: 0, error: new TypeError('a bug') });
    await assert.rejects(bug.answer, ({ code, progress }: Fault) => {
      assert.deepEqual([code, progress?.lines, progress?.unsure], ['internal', 0, 500]);
      return true;
    });
  });

  it('ends so where the next lines do not come', { timeout: 30_000 }, async () => {
    const { promise: never, resolve } = Promise.withResolvers<undefined>();
    const { answer, steps, process } = importing(700, full, never);
    answer.catch(() => undefined);
    while (steps.length < 2) await new Promise((done) => setTimeout(done, 10));
    process.abort();
    await assert.rejects(answer, ({ code }: Fault) => code === 'unavailable');
    resolve(undefined);
  });

  it('ends with whoever sends it', async () => {
    const { steps, answer, client } = importing(400, full);
    while (steps.length === 0) await new Promise((done) => setTimeout(done, 10));
    client.abort();
    await assert.rejects(answer, { name: 'AbortError' });
    assert.ok(!steps.some((step) => step.startsWith('write')));
  });
});
