import assert from 'node:assert/strict';
import { randomInt, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { MongoClient } from 'mongodb';
import type { Pattern } from './pattern.ts';
import { compilePattern } from './pattern.ts';
import { generatePattern } from './testing/generate.ts';
import { seededRandom } from './testing/random.ts';

const { MONGODB_URL = '', CAUSEWAY_TEST_LONG, CAUSEWAY_TEST_SEED } = process.env;
const patterns = CAUSEWAY_TEST_LONG === undefined ? 1_500 : 30_000;
const letters = ['a', 'A', 'b', 'k', 'K', 'é', 'É', '\n', '\v', '\0', '1', ' ', '_', '\u{1F600}', '\u2028', '\r'];

/** Patterns that PCRE recurses or backtracks in, with texts on which it would give up, or take minutes. */
const hard: readonly (readonly [source: string, text: string])[] = [
  ['^(?:ab)*$', 'ab'.repeat(100_000)],
  ['^(?:[0-9]+,)*$', '12,'.repeat(100_000)],
  ['x.*foo$', `x${'foo'.repeat(100_000)}`],
  ['^.*foo', `${'fo'.repeat(100_000)}foo`],
  ['^(?:foo|bar)+qux$', `${'foobar'.repeat(30_000)}qux`],
  ['(?:foo|bar)+qux$', `${'foobar'.repeat(30_000)}qux`],
  ['[ab]+c', `${'ab'.repeat(150_000)}c`],
  ['foo.*bar', `${'foo'.repeat(100_000)}bar`],
  ['f[^x]*bar', `${'f'.repeat(300_000)}bar`],
  ['.*foo$', `${'fo'.repeat(150_000)}foo`],
  ['a\\d*b', `${'a1'.repeat(150_000)}b`],
  ['(?m)^\\w+=', `${'a\n'.repeat(150_000)}a=`],
];

describe('a $regex in memory and in MongoDB', () => {
  const client = new MongoClient(MONGODB_URL);
  const database = client.db(`patterns_${randomUUID().slice(0, 8)}`);
  const texts = database.collection<{ _id: number; text: string }>('texts');

  before(async () => {
    await client.connect();
  });

  after(async () => {
    await database.dropDatabase();
    await client.close();
  });

  async function compare(
    pattern: Pattern,
    name: string,
    stored: readonly { _id: number; text: string }[],
  ): Promise<void> {
    const found = await texts.find({ text: { $regex: pattern.pcre } }, { projection: { _id: 1 } }).toArray();
    const ids = new Set(found.map((row) => row._id));
    for (const { _id, text } of stored) {
      const shown = JSON.stringify(text.slice(0, 40));
      assert.equal(
        pattern.test(text, () => undefined),
        ids.has(_id),
        `${name}, for MongoDB ${pattern.pcre}, on ${shown}`,
      );
    }
  }

  it('matches the same texts', async (test) => {
    const seed = Number(CAUSEWAY_TEST_SEED ?? randomInt(2 ** 31));
    test.diagnostic(`CAUSEWAY_TEST_SEED=${seed}`);
    const random = seededRandom(seed);
    const stored = Array.from({ length: 150 }, (_, index) => ({
      _id: index,
      text: random.list(6, () => random.pick(letters)).join(''),
    }));
    await texts.deleteMany({});
    await texts.insertMany(stored);
    let compared = 0;
    for (let round = 0; round < patterns; round += 1) {
      const source = generatePattern(random, 3);
      const options = random.pick(['', '', 'i', 'm', 's', 'ims']);
      const compiled = compilePattern(source, options, '');
      if (!compiled.ok) continue;
      compared += 1;
      await compare(compiled.value, `/${source}/${options}`, stored);
    }
    assert.ok(compared > patterns / 4, `only ${compared} patterns were compared`);
    test.diagnostic(`${compared} patterns compared on ${stored.length} texts`);
  });

  for (const [source, text] of hard) {
    it(`matches /${source}/ in ${text.length} characters`, async () => {
      const compiled = compilePattern(source, '', '');
      assert.ok(compiled.ok);
      const stored = [
        { _id: 1, text },
        { _id: 2, text: `${text}!` },
      ];
      await texts.deleteMany({});
      await texts.insertMany(stored);
      await compare(compiled.value, `/${source}/`, stored);
    });
  }
});
