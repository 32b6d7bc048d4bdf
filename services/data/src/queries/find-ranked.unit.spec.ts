import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { describe, it } from 'node:test';

import { seededRandom } from '../conditions/testing/random.ts';
import { inOrder } from './find-ranked.ts';
import type { RankedRecord } from './rank.ts';

const { CAUSEWAY_TEST_SEED } = process.env;

const row = (rank: number, id: string): RankedRecord => ({ rank, _id: id }) as unknown as RankedRecord;

const orderOf = async (rows: readonly RankedRecord[], limit: number): Promise<string[]> => {
  const found: string[] = [];
  const stream = async function* () {
    yield* rows;
  };
  for await (const each of inOrder(stream(), limit)) found.push(each._id);
  return found;
};

describe('what is equally far', () => {
  it('comes by its id, and no more of it than is wanted', async (test) => {
    const seed = Number(CAUSEWAY_TEST_SEED ?? randomInt(2 ** 31));
    test.diagnostic(`CAUSEWAY_TEST_SEED=${seed}`);
    const random = seededRandom(seed);
    for (let round = 0; round < 200; round += 1) {
      const rows = Array.from({ length: random.below(30) }, (_, n) => row(random.below(5), `rec_${(n * 7) % 31}`));
      const byRank = rows.toSorted((a, b) => a.rank - b.rank);
      const wanted = rows.toSorted((a, b) => a.rank - b.rank || (a._id < b._id ? -1 : 1)).map(({ _id: id }) => id);
      const limit = 1 + random.below(12);
      assert.deepEqual(await orderOf(byRank, limit), wanted.slice(0, limit), `round ${round}`);
    }
  });

  it('is not read on for once enough has come', async () => {
    let read = 0;
    const stream = async function* () {
      for (let rank = 0; ; rank += 1) {
        read += 1;
        yield row(rank, 'rec');
      }
    };
    const found: number[] = [];
    for await (const { rank } of inOrder(stream(), 3)) found.push(rank);
    assert.deepEqual(found, [0, 1, 2]);
    assert.equal(read, 4);
  });
});
