import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MongoServerError } from 'mongodb';
import type { Db } from 'mongodb';

import { faultOfError } from '../recording/fault-of-error.ts';
import { createBacklog } from './backlog.ts';

describe('a backlog that cannot be counted', () => {
  const failing = (error: Error) => {
    const collection = () => ({ countDocuments: () => Promise.reject(error) });
    return createBacklog({ collection } as unknown as Db, () => ['notes'])(10);
  };

  it('in time is unavailable', async () => {
    const error: unknown = await failing(
      new MongoServerError({ message: 'operation exceeded time limit', code: 50 }),
    ).catch((thrown: unknown) => thrown);
    assert.equal(faultOfError(error)?.code, 'unavailable');
  });

  it('for another reason fails with that', async () => {
    const error = new MongoServerError({ message: 'not allowed', code: 13 });
    await assert.rejects(failing(error), error);
  });
});
