import assert from 'node:assert/strict';
import { randomInt, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { Collection } from 'mongodb';
import { MongoBulkWriteError, MongoClient } from 'mongodb';

import { bindCondition } from '../bind-condition.ts';
import { compileFilter } from '../compile-filter.ts';
import { compilePredicate } from '../compile-predicate.ts';
import { parseCondition } from '../parse-condition.ts';
import type { GeneratedDocument } from '../testing/generate.ts';
import { seededRandom } from '../testing/random.ts';
import { generatePlaces } from './testing/generate-places.ts';

const { MONGODB_URL = '', CAUSEWAY_TEST_LONG, CAUSEWAY_TEST_SEED } = process.env;
const rounds = CAUSEWAY_TEST_LONG === undefined ? 20 : 400;

describe('where something lies, in memory and in MongoDB', () => {
  const client = new MongoClient(MONGODB_URL);
  const database = client.db(`places_${randomUUID().slice(0, 8)}`);
  const plain = database.collection<GeneratedDocument>('plain');
  const indexed = database.collection<GeneratedDocument>('indexed');
  const indexedPaths = ['fields.at', 'fields.o.at', 'fields.list.at'];

  before(async () => {
    await client.connect();
    await indexed.createIndexes(indexedPaths.map((path) => ({ key: { [path]: '2dsphere' } })));
  });

  after(async () => {
    await database.dropDatabase();
    await client.close();
  });

  /** All but what an index of places does not take, which no record has. */
  async function fill(documents: readonly GeneratedDocument[]): Promise<void> {
    await Promise.all([plain.deleteMany({}), indexed.deleteMany({})]);
    try {
      await indexed.insertMany(documents, { ordered: false });
    } catch (error) {
      if (!(error instanceof MongoBulkWriteError)) throw error;
    }
    await plain.insertMany(await indexed.find().toArray());
  }

  async function idsOf(collection: Collection<GeneratedDocument>, filter: object): Promise<Set<string>> {
    const found = await collection.find(filter, { projection: { _id: 1 } }).toArray();
    return new Set(found.map((each) => each._id));
  }

  it('is the same, whether positions lie on edges or beside them', async (test) => {
    const firstSeed = Number(CAUSEWAY_TEST_SEED ?? randomInt(2 ** 31));
    test.diagnostic(`CAUSEWAY_TEST_SEED=${firstSeed}`);
    let [compared, meetings, refused] = [0, 0, 0];
    for (let seed = firstSeed; seed < firstSeed + rounds; seed += 1) {
      const onSeams = seed % 2 === 0;
      const { documents, filters } = generatePlaces(seededRandom(seed), { onSeams });
      await fill(documents);
      const stored = await plain.find().toArray();
      for (const json of filters) {
        const parsed = parseCondition(json, { geo: true });
        if (!parsed.ok) {
          refused += 1;
          continue;
        }
        const condition = bindCondition(parsed.value, {});
        const predicate = compilePredicate(condition, () => undefined);
        const scanned = await idsOf(plain, compileFilter(condition));
        const served = onSeams ? scanned : await idsOf(indexed, compileFilter(condition));
        for (const document of stored) {
          const expected = predicate(document);
          compared += 1;
          if (expected) meetings += 1;
          const told = `CAUSEWAY_TEST_SEED=${seed}: ${JSON.stringify(json)} on ${JSON.stringify(document.fields)}`;
          if (scanned.has(document._id) !== expected) assert.fail(`in memory ${expected}, not so by a scan, ${told}`);
          if (served.has(document._id) !== expected) assert.fail(`in memory ${expected}, not so by an index, ${told}`);
        }
      }
    }
    assert.ok(refused < rounds * 3, `${refused} areas were refused`);
    assert.ok(compared > rounds * 1_500, `only ${compared} were compared`);
    assert.ok(meetings > compared / 50, `only ${meetings} of ${compared} met`);
    test.diagnostic(`${compared} compared, ${meetings} met, ${refused} areas refused`);
  });
});
