import assert from 'node:assert/strict';
import { randomInt, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { MongoClient } from 'mongodb';

import { bindCondition } from '../conditions/bind-condition.ts';
import { compileFilter } from '../conditions/compile-filter.ts';
import { compilePredicate } from '../conditions/compile-predicate.ts';
import type { Condition, Value } from '../conditions/condition.ts';
import { parseCondition } from '../conditions/parse-condition.ts';
import type { GeneratedDocument } from '../conditions/testing/generate.ts';
import { seededRandom } from '../conditions/testing/random.ts';
import { GuardRefused } from './guard-condition.ts';
import { decide } from './rule.ts';
import { show, visibleCondition } from './see.ts';
import { generateCaller, generateQuestion, generateRecord, generateRules } from './testing/generate-sight.ts';

const { MONGODB_URL = '', CAUSEWAY_TEST_LONG, CAUSEWAY_TEST_SEED } = process.env;
const rounds = CAUSEWAY_TEST_LONG === undefined ? 8 : 200;
const recordsPerRound = 100;
const sightsPerRound = 25;
const questionsPerSight = 6;

const at = new Date('2026-01-02T00:00:00.000Z');

describe('a filter under the rules of fields, in MongoDB', () => {
  const client = new MongoClient(MONGODB_URL);
  const database = client.db(`sight_${randomUUID().slice(0, 8)}`);
  const records = database.collection<GeneratedDocument>('records');

  before(() => client.connect());

  after(async () => {
    await database.dropDatabase();
    await client.close();
  });

  it('finds, of the records that may be read, those that meet it as they are shown', async (test) => {
    const firstSeed = Number(CAUSEWAY_TEST_SEED ?? randomInt(2 ** 31));
    test.diagnostic(`CAUSEWAY_TEST_SEED=${firstSeed}`);
    let compared = 0;
    let differing = 0;
    for (let seed = firstSeed; seed < firstSeed + rounds; seed += 1) {
      const random = seededRandom(seed);
      await records.deleteMany({});
      await records.insertMany(
        Array.from({ length: recordsPerRound }, (_, index) => generateRecord(random, `rec_${index}`)),
      );
      const stored = await records.find().toArray();
      for (let sight = 0; sight < sightsPerRound; sight += 1) {
        const [collection, caller] = [generateRules(random), generateCaller(random)];
        const readable = stored.filter((each) => decide(collection.rules.read, caller, each, { at }));
        const shown = readable.map((each) => show(collection, caller, each, { at }));
        for (let question = 0; question < questionsPerSight; question += 1) {
          const json = generateQuestion(random);
          const parsed = parseCondition(json, { now: true });
          if (!parsed.ok) continue;
          const filter = bindCondition(parsed.value, { at });
          let condition: Condition<Value>;
          try {
            condition = visibleCondition(collection, caller, filter, { at });
          } catch (error) {
            assert.ok(error instanceof GuardRefused);
            continue;
          }
          const plain = compilePredicate(filter, () => undefined);
          const expected = shown.filter(plain).map(({ _id }) => _id);
          const query = compileFilter(condition);
          const found = await records.find(query, { projection: { _id: 1 }, sort: { _id: 1 } }).toArray();
          const about = `CAUSEWAY_TEST_SEED=${seed}: ${JSON.stringify({ json, query, fields: collection.fields, caller })}`;
          assert.deepEqual(
            found.map(({ _id }) => _id),
            expected.toSorted(),
            about,
          );
          assert.equal(await records.countDocuments(query), expected.length, about);
          compared += 1;
          if (readable.filter(plain).length !== expected.length) differing += 1;
        }
      }
    }
    // Rules that hide nothing which is asked for would prove nothing.
    assert.ok(compared > rounds * sightsPerRound, `only ${compared} filters were compared`);
    assert.ok(differing > compared / 100, `only ${differing} of ${compared} were about something hidden`);
    test.diagnostic(`${compared} filters compared, ${differing} of them about something hidden`);
  });
});
