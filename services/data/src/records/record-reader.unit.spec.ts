import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { MongoServerError } from 'mongodb';

import { createRecordReader } from './record-reader.ts';
import type { RecordReaderOptions } from './record-reader.ts';

describe('a read of a record', () => {
  const failing = (code: number) =>
    createRecordReader({
      registry: {
        get: () => ({ records: { native: { findOne: () => Promise.reject(new MongoServerError({ code })) } } }),
      },
      stream: { subscribe: () => () => undefined, ready: false, ageMs: Infinity },
      client: {},
      redis: {},
      logger: { warn: () => undefined },
      prefix: '',
      cacheBytes: 1_000,
    } as unknown as RecordReaderOptions);

  it('that MongoDB gave up on may be tried again', async () => {
    await assert.rejects(failing(50).read('col_1', 'rec_1', undefined), { code: 'unavailable', status: 503 });
  });

  it('that failed otherwise fails as it did', async () => {
    await assert.rejects(failing(13).read('col_1', 'rec_1', undefined), MongoServerError);
  });
});
