import assert from 'node:assert/strict';
import { randomInt, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';

import { Fault } from '@causeway/contracts';
import { MongoBulkWriteError, MongoClient } from 'mongodb';
import type { UpdateFilter } from 'mongodb';

import { generateDocument } from '../conditions/testing/generate.ts';
import type { GeneratedDocument } from '../conditions/testing/generate.ts';
import { seededRandom } from '../conditions/testing/random.ts';
import { applyOperators } from './apply-operators.ts';
import { parseOperators } from './parse-operators.ts';
import { generateOperators } from './testing/generate-operators.ts';

const { MONGODB_URL = '', CAUSEWAY_TEST_LONG, CAUSEWAY_TEST_SEED } = process.env;
const rounds = CAUSEWAY_TEST_LONG === undefined ? 20 : 400;
const patchesPerRound = 500;

/** A patch, and the record that it is for. */
interface Case {
  readonly patch: Record<string, unknown>;
  readonly document: GeneratedDocument;
}

/** What has come of a patch: the new fields, or a code of why not. */
type Outcome = { readonly fields: unknown } | { readonly refused: string };

/** What we refuse and MongoDB does not: to fill up an array with nulls, and numbers that are not exact. */
const ownRefusals = new Set(['no-such-place', 'number-out-of-range']);

function applied({ patch, document }: Case): Outcome | undefined {
  const operators = parseOperators(patch);
  if (!operators.ok) return undefined;
  try {
    return { fields: applyOperators(document.fields, operators.value) };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { refused: (error.errors[0] as { code?: string } | undefined)?.code ?? error.code };
  }
}

/** The same patch as MongoDB takes it, where records' fields lie. */
const toUpdate = (patch: Record<string, unknown>): UpdateFilter<GeneratedDocument> =>
  Object.fromEntries(
    Object.entries(patch).map(([name, paths]) => [
      name,
      Object.fromEntries(Object.entries(paths as object).map(([path, operand]) => [`fields.${path}`, operand])),
    ]),
  );

/** As it is answered: JSON has one zero. */
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('operators of a patch', () => {
  const client = new MongoClient(MONGODB_URL);
  const database = client.db(`operators_${randomUUID().slice(0, 8)}`);
  const records = database.collection<GeneratedDocument>('records');

  before(() => client.connect());
  after(async () => {
    await database.dropDatabase();
    await client.close();
  });

  /** What MongoDB makes of each. */
  const updated = async (cases: readonly Case[]): Promise<Outcome[]> => {
    await records.deleteMany({});
    await records.insertMany(cases.map(({ document }) => document));
    const updates = cases.map(({ patch, document: { _id } }) => ({
      updateOne: { filter: { _id }, update: toUpdate(patch) },
    }));
    const refused = new Map<number, string>();
    try {
      await records.bulkWrite(updates, { ordered: false });
    } catch (error) {
      if (!(error instanceof MongoBulkWriteError)) throw error;
      for (const each of [error.writeErrors].flat()) refused.set(each.index, each.errmsg ?? '');
    }
    const stored = new Map((await records.find().toArray()).map(({ _id, fields }) => [_id, fields]));
    return cases.map(({ document: { _id } }, index) => {
      const reason = refused.get(index);
      return reason === undefined ? { fields: stored.get(_id) } : { refused: reason };
    });
  };

  it('make of a record what MongoDB’s own make of it, or are refused by both', async (test) => {
    const firstSeed = Number(CAUSEWAY_TEST_SEED ?? randomInt(2 ** 31));
    test.diagnostic(`CAUSEWAY_TEST_SEED=${firstSeed}`);
    const seen = { changed: 0, refused: 0, left: 0 };
    for (let seed = firstSeed; seed < firstSeed + rounds; seed += 1) {
      const random = seededRandom(seed);
      const cases = Array.from({ length: patchesPerRound }, (_, index): Case => ({
        patch: generateOperators(random),
        document: generateDocument(random, `rec_${index}`),
      })).filter((each) => applied(each) !== undefined);
      const outcomes = await updated(cases);
      for (const [index, each] of cases.entries()) {
        const ours = applied(each);
        const theirs = outcomes[index];
        assert.ok(ours !== undefined && theirs !== undefined);
        if ('refused' in ours && ownRefusals.has(ours.refused)) continue;
        const isSame = 'refused' in ours ? 'refused' in theirs : isDeepStrictEqual(asJson(ours), asJson(theirs));
        const { patch, document } = each;
        assert.ok(isSame, JSON.stringify({ seed, patch, fields: document.fields, ours, theirs }, null, 1));
        if ('refused' in ours) seen.refused += 1;
        else if (isDeepStrictEqual(asJson(ours.fields), asJson(document.fields))) seen.left += 1;
        else seen.changed += 1;
      }
    }
    test.diagnostic(JSON.stringify(seen));
    // A generator of what is always refused, or never does anything, would prove nothing.
    for (const count of Object.values(seen)) assert.ok(count > (rounds * patchesPerRound) / 20, JSON.stringify(seen));
  });
});
