import assert from 'node:assert/strict';
import { randomInt, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { Collection } from 'mongodb';
import { MongoClient } from 'mongodb';
import { bindCondition } from './bind-condition.ts';
import { compileFilter } from './compile-filter.ts';
import { compilePredicate } from './compile-predicate.ts';
import type { Condition, Value } from './condition.ts';
import { parseCondition } from './parse-condition.ts';
import type { GeneratedDocument } from './testing/generate.ts';
import { generateDocument, generateFilter, indexedPaths } from './testing/generate.ts';
import { seededRandom } from './testing/random.ts';
import { shrink } from './testing/shrink.ts';

const { MONGODB_URL = '', CAUSEWAY_TEST_LONG, CAUSEWAY_TEST_SEED } = process.env;
const rounds = CAUSEWAY_TEST_LONG === undefined ? 4 : 100;
const documentsPerRound = 250;
const filtersPerRound = 500;

type Index = Record<string, 1>;

/** A day after the first of the generated times. */
const now = new Date('2026-01-02T00:00:00.000Z');

/** The condition as a client's filter, or undefined where it is refused. */
function parseFilter(json: unknown): Condition<Value> | undefined {
  const parsed = parseCondition(json, { now: true });
  return parsed.ok ? bindCondition(parsed.value, { at: now }) : undefined;
}

describe('a condition in memory and in MongoDB', () => {
  const client = new MongoClient(MONGODB_URL);
  const database = client.db(`conditions_${randomUUID().slice(0, 8)}`);
  const plain = database.collection<GeneratedDocument>('plain');
  const indexed = database.collection<GeneratedDocument>('indexed');
  const single = database.collection<GeneratedDocument>('single');

  before(async () => {
    await client.connect();
    await indexed.createIndexes(indexedPaths.map((path) => ({ key: { [path]: 1 } })));
  });

  after(async () => {
    await database.dropDatabase();
    await client.close();
  });

  /** The filter and document, made small, on which the two differ. */
  async function explain(
    json: unknown,
    document: GeneratedDocument,
    seed: number,
    hint: Index | undefined,
  ): Promise<string> {
    if (hint !== undefined) await single.createIndexes([{ key: hint }]);
    const differs = async (filter: unknown, stored: GeneratedDocument): Promise<boolean> => {
      const condition = parseFilter(filter);
      if (condition === undefined) return false;
      await single.deleteMany({});
      await single.insertOne(stored);
      return (
        (await idsOf(single, condition, hint)).has(stored._id) !== compilePredicate(condition, () => undefined)(stored)
      );
    };
    const filter = await shrink(json, (smaller) => differs(smaller, document));
    const fields = await shrink(document.fields, (smaller) =>
      differs(filter, { ...document, fields: smaller as Record<string, unknown> }),
    );
    const condition = parseFilter(filter);
    assert.ok(condition);
    return [
      `The two differ (CAUSEWAY_TEST_SEED=${seed}${hint === undefined ? '' : `, index ${JSON.stringify(hint)}`}):`,
      `  filter    ${JSON.stringify(filter)}`,
      `  query     ${JSON.stringify(compileFilter(condition))}`,
      `  document  ${JSON.stringify({ ...document, fields })}`,
      `  in memory ${compilePredicate(condition, () => undefined)({ ...document, fields })}, in MongoDB the opposite`,
    ].join('\n');
  }

  async function idsOf(
    collection: Collection<GeneratedDocument>,
    condition: Condition<Value>,
    hint?: Index,
  ): Promise<Set<string>> {
    const options = hint === undefined ? {} : { hint };
    const found = collection.find<GeneratedDocument>(compileFilter(condition), { projection: { _id: 1 }, ...options });
    return new Set((await found.toArray()).map((each) => each._id));
  }

  it('gives the same records, whichever index serves it', async (test) => {
    const firstSeed = Number(CAUSEWAY_TEST_SEED ?? randomInt(2 ** 31));
    test.diagnostic(`CAUSEWAY_TEST_SEED=${firstSeed}`);
    let compared = 0;
    let meetings = 0;
    for (let seed = firstSeed; seed < firstSeed + rounds; seed += 1) {
      const random = seededRandom(seed);
      const documents = Array.from({ length: documentsPerRound }, (_, index) =>
        generateDocument(random, `rec_${index}`),
      );
      for (const collection of [plain, indexed]) {
        await collection.deleteMany({});
        await collection.insertMany(documents);
      }
      // What MongoDB gives back is what the predicate is given in the service.
      const stored = await plain.find().toArray();
      for (let index = 0; index < filtersPerRound; index += 1) {
        const json = generateFilter(random);
        const hint: Index = { [random.pick(indexedPaths)]: 1 };
        const condition = parseFilter(json);
        if (condition === undefined) continue;
        compared += 1;
        const predicate = compilePredicate(condition, () => undefined);
        const scanned = await idsOf(plain, condition);
        const served = await idsOf(indexed, condition, hint);
        for (const document of stored) {
          const expected = predicate(document);
          if (expected) meetings += 1;
          if (scanned.has(document._id) !== expected) assert.fail(await explain(json, document, seed, undefined));
          if (served.has(document._id) !== expected) assert.fail(await explain(json, document, seed, hint));
        }
      }
    }
    // A generator that makes only what is refused, or meets nothing, would prove nothing.
    assert.ok(compared > (rounds * filtersPerRound) / 2, `only ${compared} filters were compared`);
    assert.ok(meetings > compared * 5, `only ${meetings} records met ${compared} filters`);
    test.diagnostic(`${compared} filters compared on ${documentsPerRound} records each, ${meetings} met`);
  });
});
