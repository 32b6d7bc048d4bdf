import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Fault } from '@causeway/contracts';

import type { Collection } from '../collections/collection-registry.ts';
import { createCursorCodec } from '../cursors/cursor-codec.ts';
import type { DoChunk } from './outcome.ts';
import { createRunByFilter } from './run-by-filter.ts';

describe('a write by filter', () => {
  const everybody = { kind: 'public' } as const;
  const ids = Array.from({ length: 10 }, (_, index) => `rec_${index}`);
  const found = {
    sort: () => found,
    limit: () => found,
    maxTimeMS: () => found,
    toArray: () => Promise.resolve(ids.map((_id) => ({ _id }))),
  };
  const collection = {
    id: 'col_1',
    rules: { read: everybody, create: everybody, update: { before: everybody, after: everybody }, delete: everybody },
    fields: [],
    pending: undefined,
    follows: { read: [], all: [] },
    removing: false,
    scalarTypesAt: () => undefined,
    records: { native: { find: () => found } },
  } as unknown as Collection;

  /** What happened, in its order. */
  const run = async (
    waiting: readonly number[],
    {
      doChunk,
      draining = new AbortController(),
    }: { readonly doChunk?: DoChunk; readonly draining?: AbortController } = {},
  ) => {
    const steps: string[] = [];
    const left = [...waiting];
    const runByFilter = createRunByFilter({
      events: {
        db: undefined as never,
        backlog: (limit) => {
          const count = Math.min(left.shift() ?? 0, limit);
          steps.push(`backlog ${count}`);
          return Promise.resolve(count);
        },
      },
      client: undefined as never,
      findCurrent: () => Promise.resolve(collection),
      cursors: createCursorCodec(new Uint8Array(32)),
      admit: { demand: () => Promise.resolve(), judge: () => Promise.reject(new Error('nobody asks')) },
      queryTimeoutMs: 1_000,
      now: () => new Date(),
    });
    const all: DoChunk = ({ ids: some }) => {
      steps.push(`chunk ${some.length}`);
      const outcomes = new Map(some.map((id) => [id, { kind: 'written' } as const]));
      return Promise.resolve({ outcomes, through: some.length });
    };
    const signal = new AbortController().signal;
    const call = {
      token: undefined,
      principal: undefined,
      headers: {},
      ifMatch: undefined,
      signal,
      draining: draining.signal,
    };
    const asked = { filter: {}, limit: 100, dryRun: false, partial: false, cursor: undefined, scan: false };
    const done = await runByFilter({
      ...{ name: 'notes', asked, call, judgements: ['delete'], chunkSize: 4, describe: (fault: Fault) => fault.code },
      begin: () => doChunk ?? all,
    });
    return { steps, done };
  };

  it('begins no chunk while too much waits to be published', async () => {
    const { steps, done } = await run([6_000, 0, 5_001, 5_000, 0]);
    assert.deepEqual(steps, [
      ...['backlog 5001', 'backlog 0', 'chunk 4'],
      ...['backlog 5001', 'backlog 5000', 'chunk 4'],
      ...['backlog 0', 'chunk 2'],
    ]);
    assert.deepEqual([done.matched, done.written, done.nextCursor], [10, 10, undefined]);
  });

  it('ends where the time is up, and says where to go on; where it has done nothing, that it may be tried again', async () => {
    const draining = new AbortController();
    const doChunk: DoChunk = ({ ids: some }) => {
      draining.abort();
      return Promise.resolve({ outcomes: new Map([[some[0] ?? '', { kind: 'unchanged' }]]), through: 3 });
    };
    const { done } = await run([], { doChunk, draining });
    assert.deepEqual([done.matched, done.unchanged, typeof done.nextCursor], [1, 1, 'string']);
    await assert.rejects(run([9_000, 9_000], { draining }), { code: 'unavailable' });
  });
});
