import assert from 'node:assert/strict';
import { randomInt, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { MongoClient } from 'mongodb';
import { longTexts, oddTexts } from '../conditions/testing/odd-texts.ts';
import { seededRandom } from '../conditions/testing/random.ts';
import { compileAfterRow } from './after-row.ts';
import type { ScalarType, Sort, SortKey } from './sort.ts';
import { compileSort, parseSort, sortKeyOf } from './sort.ts';

const { MONGODB_URL = '', CAUSEWAY_TEST_SEED } = process.env;

const types: ReadonlySet<ScalarType> = new Set<ScalarType>(['number', 'string', 'boolean']);
const values = [null, undefined, -1, -0, 0, 1.5, 2, '', 'a', 'B', 'é', '\uFFFD', '\u{1F600}', true, false];
/** Half of them are some of these. */
const texts = [...oddTexts, ...longTexts];
const sorts = [
  '',
  '-id',
  'a',
  '-a',
  'a,-e',
  '-a,e',
  '-a,-b.c,b.d',
  'createdAt,-a',
  '-createdAt',
  'createdBy,a',
  'b.c,id,a',
];

function sortOf(text: string): Sort {
  const parsed = parseSort(text === '' ? [] : text.split(','), () => types);
  assert.ok(parsed.ok);
  return parsed.value;
}

describe('paging by "after this row"', () => {
  const client = new MongoClient(MONGODB_URL);
  const database = client.db(`sorting_${randomUUID().slice(0, 8)}`);
  const rows = database.collection<{ _id: string }>('rows');
  const seed = Number(CAUSEWAY_TEST_SEED ?? randomInt(2 ** 31));

  before(async () => {
    await client.connect();
    const random = seededRandom(seed);
    const field = (name: string): Record<string, unknown> => {
      const value: unknown = random.pick<unknown>(random.chance(50) ? values : texts);
      return value === undefined ? {} : { [name]: value };
    };
    const documents = Array.from({ length: 400 }, (_, index) => ({
      _id: `rec_${String(random.below(1_000_000)).padStart(6, '0')}_${index}`,
      fields: {
        ...field('a'),
        ...field('e'),
        ...(random.chance(80) ? { b: { ...field('c'), ...field('d') } } : field('b')),
      },
      createdAt: new Date(Date.UTC(2026, 0, random.below(5))),
      ...(random.chance(50) ? { createdBy: random.pick(['usr_1', 'usr_2']) } : {}),
    }));
    await rows.insertMany(documents);
    await rows.createIndexes([{ key: { 'fields.a': 1, _id: 1 } }, { key: { createdAt: 1, _id: 1 } }]);
  });

  after(async () => {
    await database.dropDatabase();
    await client.close();
  });

  /** All ids, read in pages, each cursor through JSON as a client carries it. */
  async function paged(sort: Sort, limit: number): Promise<string[]> {
    const ids: string[] = [];
    let key: SortKey | undefined;
    for (;;) {
      const condition = key === undefined ? {} : compileAfterRow(sort, key);
      const page = await rows.find(condition).sort(compileSort(sort)).limit(limit).toArray();
      ids.push(...page.map((row) => row._id));
      const last = page.at(-1);
      if (last === undefined || ids.length > 1_000) return ids;
      key = JSON.parse(JSON.stringify(sortKeyOf(sort, last))) as SortKey;
    }
  }

  for (const text of sorts) {
    it(`gives every row once, in MongoDB's order, for sort=${text}`, async (test) => {
      test.diagnostic(`CAUSEWAY_TEST_SEED=${seed}`);
      const sort = sortOf(text);
      const whole = await rows.find().sort(compileSort(sort)).toArray();
      assert.deepEqual(
        await paged(sort, 7),
        whole.map((row) => row._id),
      );
    });
  }

  it('bounds the scan of an index by the row', async () => {
    const sort = sortOf('createdAt');
    const key: SortKey = [Date.UTC(2026, 0, 4), 'rec_5'];
    const plan = await rows.find(compileAfterRow(sort, key)).sort(compileSort(sort)).limit(5).explain('executionStats');
    const { executionStats } = plan as { executionStats: { totalKeysExamined: number } };
    assert.ok(executionStats.totalKeysExamined <= 20, `${executionStats.totalKeysExamined} keys were read`);
  });
});
