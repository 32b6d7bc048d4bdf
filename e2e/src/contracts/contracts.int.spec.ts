import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { accountCreated } from '@causeway/contracts';
import { releasedFolder, type JsonSchema, type Verdict } from '@causeway/contracts/released';
import { findReaders, followers } from './readers.ts';

const checkout = path.resolve(import.meta.dirname, '../../..');

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `npm run contracts:…`, without npm. */
const contracts = (...args: readonly string[]): Promise<Ended> => {
  const program = ['--conditions=development', 'e2e/src/contracts/cli.ts', ...args];
  return new Promise((resolve) => {
    execFile(process.execPath, program, { cwd: checkout, timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
};

describe('npm run contracts:check', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'released-'));
    await cp(releasedFolder, folder, { recursive: true });
  });
  after(() => rm(folder, { recursive: true }));

  /** What was released, as if it had been otherwise. */
  const releasedAs = async (file: string, change: (schema: JsonSchema) => JsonSchema): Promise<() => Promise<void>> => {
    const whole = path.join(folder, file);
    const text = await readFile(whole, 'utf8');
    await writeFile(whole, JSON.stringify(change(JSON.parse(text) as JsonSchema)));
    return () => writeFile(whole, text);
  };

  it('is content with this repository, where all that is in the code has been released: what was not, is not protected', async () => {
    const { status, stdout, stderr } = await contracts('check');
    assert.equal(status, 0, `${stdout}\n${stderr}`);
    assert.match(
      stdout,
      /^contracts: \d+ released, 0 changed, 0 new, 0 broken$/m,
      `npm run contracts:release\n${stdout}`,
    );
  });

  it('says who breaks, in which order to deploy, and fails; and nothing is released then', async () => {
    const file = 'auth.account.created/1.schema.json';
    const undo = await releasedAs(file, (schema) => ({
      ...schema,
      required: ['accountId', 'email', 'emailVerified', 'name', 'roles'],
    }));
    const words =
      'auth.account.created 1: `name` has become optional. Readers that are deployed expect it as it was: auth (request-verification, append-audit) and user (create-profile). Make it as it was, or release version 2 with an upcaster; deploy user first, then auth.';
    const json = await contracts('check', '--json', '--folder', folder);
    assert.equal(json.status, 1);
    const verdicts = json.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Verdict);
    const broken = verdicts.filter(({ kind }) => kind === 'broken');
    assert.deepEqual(broken, [
      {
        type: accountCreated.type,
        version: 1,
        kind: 'broken',
        words,
        readers: ['auth (request-verification, append-audit)', 'user (create-profile)'],
        deploy: ['user', 'auth'],
      },
    ]);
    const release = await contracts('release', '--folder', folder);
    assert.equal(release.status, 1);
    assert.ok(release.stdout.includes(words), release.stdout);
    await undo();
  });

  it('tells of what is new without failing, and a release writes it down', async () => {
    const file = path.join(folder, 'data.record.created/1.schema.json');
    const text = await readFile(file, 'utf8');
    await rm(file);
    const { status, stdout } = await contracts('check', '--folder', folder);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /data\.record\.created 1 is not yet released: npm run contracts:release\./);
    await contracts('release', '--folder', folder);
    assert.equal(await readFile(file, 'utf8'), text);
  });

  it('fails where a golden sample is no longer read', async () => {
    const undo = await releasedAs('auth.session.ended/1.samples.json', (samples) => ({
      ...samples,
      odd: { sessionId: 'ses_1', accountId: 'usr_1', reason: 'bored' },
    }));
    const { status, stdout } = await contracts('check', '--folder', folder);
    assert.equal(status, 1, stdout);
    assert.match(stdout, /^✖ auth\.session\.ended 1: the sample `odd` can no longer be read: \/reason invalid_value/m);
    await undo();
  });

  it('says what is wrong with how it was asked, and ends with 2', async () => {
    for (const args of [[], ['nonsense'], ['check', 'more'], ['check', '--nonsense']]) {
      const { status, stderr } = await contracts(...args);
      assert.equal(status, 2, args.join(' '));
      assert.match(stderr, /usage: npm run contracts:check/);
    }
    const nowhere = await contracts('check', '--folder', path.join(folder, 'nowhere'));
    assert.equal(nowhere.status, 1);
    assert.match(nowhere.stderr, /nowhere/);
    assert.doesNotMatch(nowhere.stderr, /^ +at /m, 'no stack');
  });
});

describe('the readers that the check knows', async () => {
  const readers = await findReaders();

  it('are the handlers of every service', () => {
    const found = readers.map(({ service, reader, types }) => `${service} (${reader}): ${types.join()}`);
    assert.ok(found.includes('user (create-profile): auth.account.created,auth.account.updated'), found.join('\n'));
  });

  it('are whoever follows ended sessions, and no other', async () => {
    const services = ['gateway', 'auth', 'user', 'data'];
    const texts = services.map(async (service) => {
      const text = await readFile(path.join(checkout, 'services', service, 'src/app.ts'), 'utf8');
      return text.includes('followRevocations(') ? [service] : [];
    });
    assert.deepEqual((await Promise.all(texts)).flat(), followers);
  });
});
