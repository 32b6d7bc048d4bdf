import assert from 'node:assert/strict';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { ESLint, type Linter } from 'eslint';

const checkout = path.join(import.meta.dirname, '../../../..');
const ruleId = 'no-restricted-syntax';

/** Writes that lose the events in a document's outbox, and a word of what is said about each. */
const losing: readonly (readonly [code: string, word: RegExp])[] = [
  ["await people.replaceOne({ _id: '1' }, person);", /Replaces the whole document/],
  ["await people.findOneAndReplace({ _id: '1' }, person);", /Replaces the whole document/],
  ['person.overwrite({ name });', /Replaces the whole document/],
  ['await Person.bulkSave(people);', /Replaces the whole document/],
  ['await people.createIndex({ at: 1 }, { expireAfterSeconds: 60 });', /TTL index/],
  ["await people.createIndex({ at: 1 }, { 'expireAfterSeconds': 60 });", /TTL index/],
  ["new Schema({ at: { type: Date, expires: '1h' } });", /TTL index/],
  ["await people.aggregate([{ $merge: 'others' }]);", /\$merge and \$out/],
  ["await people.aggregate([{ $out: 'others' }]);", /\$merge and \$out/],
  ["await people.updateOne({ _id: '1' }, { $set: { outbox: [] } });", /outbox/],
  ["await people.updateOne({ _id: '1' }, { $unset: { 'outbox.0': 1 } });", /outbox/],
  ['await people.drop();', /bare drop/],
  ["await database.dropCollection('people');", /bare drop/],
];

const harmless = [
  "await people.updateOne({ _id: '1' }, { $set: { name: 'x' } });",
  "await people.insertOne({ _id: '1', name: 'x' });",
  'await people.createIndex({ expiresAt: 1 });',
];

describe('the lint rule against writes that lose events', () => {
  let linter: ESLint;
  before(async () => {
    // The rule as the repository has it, without the rules that need types: those would need files that exist.
    const full = new ESLint({ cwd: checkout });
    const config = (await full.calculateConfigForFile('services/auth/src/app.ts')) as Linter.Config;
    linter = new ESLint({
      cwd: checkout,
      overrideConfigFile: true,
      overrideConfig: [{ files: ['**/*.js'], rules: { [ruleId]: config.rules?.[ruleId] ?? 'off' } }],
    });
  });

  const said = async (code: string): Promise<string[]> => {
    const [result] = await linter.lintText(code, { filePath: path.join(checkout, 'services/auth/src/app.js') });
    return (result?.messages ?? []).map(({ ruleId: rule, message }) =>
      rule === ruleId ? message : `unexpected: ${message}`,
    );
  };

  for (const [code, word] of losing) {
    it(`refuses ${code}`, async () => {
      const messages = await said(code);
      assert.ok(
        messages.some((message) => word.test(message)),
        messages.join('\n') || 'nothing was said',
      );
    });
  }

  it('leaves other writes alone', async () => {
    for (const code of harmless) assert.deepEqual(await said(code), [], code);
  });

  it('is an error in every service, and off only where the recorder and the tests are', async () => {
    const full = new ESLint({ cwd: checkout });
    const severity = async (file: string): Promise<unknown> => {
      const config = (await full.calculateConfigForFile(file)) as Linter.Config;
      const rule = config.rules?.[ruleId];
      return Array.isArray(rule) ? rule[0] : rule;
    };
    for (const service of ['auth', 'user', 'data', 'gateway'])
      assert.equal(await severity(`services/${service}/src/app.ts`), 2);
    assert.equal(await severity('packages/events/src/recording/record.ts'), 0);
    assert.equal(await severity('services/auth/src/sign-in.int.spec.ts'), 0);
  });
});
