import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { demandConverted } from './check-converted.ts';

/** Records of which one has a value in clear, and all after it. */
const recordsFrom = (first: number, count: number): Parameters<typeof demandConverted>[0] =>
  ({ find: () => Array.from({ length: count }, (_, n) => ({ _id: `rec_${n}`, c0: n >= first })) }) as never;
const conversions = [{ path: 'ssn', isEncrypted: true }];

describe('records that are looked at for what is yet to be encrypted', () => {
  it('are told of, so that somebody else may go on or have it end', async () => {
    const told: number[] = [];
    const tell = (checked: number): Promise<void> => Promise.resolve(void told.push(checked));
    await demandConverted(recordsFrom(Infinity, 10_003), conversions, tell);
    assert.deepEqual(told, [0, 5_000, 10_000, 10_003]);
    const stop = (checked: number): Promise<void> =>
      checked === 5_000 ? Promise.reject(new Error('stopped')) : Promise.resolve();
    await assert.rejects(demandConverted(recordsFrom(Infinity, 10_003), conversions, stop), /stopped/);
  });

  it('are no more than it takes to show some', async () => {
    const told: number[] = [];
    const tell = (checked: number): Promise<void> => Promise.resolve(void told.push(checked));
    await assert.rejects(demandConverted(recordsFrom(10, 10_003), conversions, tell), {
      code: 'definition-conflict',
      extensions: {
        examples: Array.from({ length: 5 }, (_, n) => ({
          id: `rec_${n + 10}`,
          errors: [
            {
              pointer: '/ssn',
              code: 'not-encrypted',
              message: 'The record has a value here that is not stored encrypted.',
            },
          ],
        })),
      },
    });
    assert.deepEqual(told, [0, 15]);
  });
});
