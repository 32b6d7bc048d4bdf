import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { createMasterKey } from '@causeway/service';

import { runAuthCli } from '../cli/run-auth-cli.ts';
import { openTestAuth, signUp } from '../testing/test-auth.ts';
import type { Person, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { loadRootKey, rootKeys } from './root-key.ts';

const cli = fileURLToPath(new URL('../cli/auth-cli.ts', import.meta.url));
const newKey = (): string => `${randomUUID()}${randomUUID()}`;
const idOf = (key: string): string => createMasterKey(key, 'auth').id;

interface Ran {
  readonly status: number;
  readonly out: string;
}

describe('the root key', () => {
  let world: TestAuth;
  let first: string;

  const run = async (args: readonly string[], environment: Record<string, string>): Promise<Ran> => {
    const { MONGODB_URL = '', AUTH_DATABASE = '' } = world.environment;
    const { status, text } = await runAuthCli(args, { MONGODB_URL, AUTH_DATABASE, ...environment });
    return { status, out: text };
  };

  const works = async (replica: TestReplica, { accessToken, refreshToken }: Person): Promise<Person> => {
    assert.equal((await replica.call('GET /v1/auth/account', { token: accessToken })).status, 200);
    const answer = await replica.call('POST /v1/auth/refresh', { body: { refreshToken } });
    assert.equal(answer.status, 200);
    return { ...(answer.body as unknown as Person) };
  };

  before(async () => {
    world = await openTestAuth();
    first = world.environment.CAUSEWAY_MASTER_KEY!;
  });
  after(() => world.stop());

  it('is one for all who make it at once, random, and nowhere in clear', async () => {
    const keys = await Promise.all(Array.from({ length: 10 }, () => loadRootKey(world.db, first)));
    for (const { id } of keys) assert.equal(id, keys[0]!.id);
    assert.notEqual(keys[0]!.id, idOf(first), 'it is not the master key');
    assert.equal(await rootKeys(world.db).countDocuments(), 1);
  });

  it('is opened by another master key once that was added, while all that was derived stays what it was', async () => {
    const [second, third] = [newKey(), newKey()];
    const old = await world.replica();
    const published = await world.published();
    const resealed = (count: number) =>
      published.waitFor(({ data }) => (data as { change?: string }).change === 'resealed', count);
    let ada = await signUp(old);
    const idempotent = {
      body: { email: `${randomUUID()}@example.com`, password: 'correct horse battery staple' },
      headers: { 'idempotency-key': randomUUID() },
    };
    const answered = await old.call('POST /v1/auth/sign-up', idempotent);
    assert.equal(answered.status, 201);

    await assert.rejects(world.replica({ CAUSEWAY_MASTER_KEY: second }), /CAUSEWAY_MASTER_KEY is not the one/);
    const add = await run(['master-key', 'add'], { CAUSEWAY_MASTER_KEY: first, CAUSEWAY_MASTER_KEY_NEXT: second });
    assert.deepEqual(
      [add.status, add.out.startsWith(`${idOf(second)} opens the root key now, too`)],
      [0, true],
      add.out,
    );
    const again = await run(['master-key', 'add'], { CAUSEWAY_MASTER_KEY: first, CAUSEWAY_MASTER_KEY_NEXT: second });
    assert.deepEqual([again.status, again.out], [0, `${idOf(second)} opened the root key already`]);

    // What the command has done is told by whoever runs.
    const [event] = await resealed(1);
    assert.deepEqual([event?.type, event?.subject], ['auth.keyring.changed', 'keyring/signing']);

    // In between replicas run with either.
    const next = await world.replica({ CAUSEWAY_MASTER_KEY: second });
    ada = await works(next, ada);
    ada = await works(old, ada);
    const repeated = await next.call('POST /v1/auth/sign-up', idempotent);
    assert.deepEqual(repeated.body, answered.body);

    const early = await run(['master-key', 'drop'], { CAUSEWAY_MASTER_KEY: second });
    assert.deepEqual(
      [early.status, early.out.includes(`restart them with ${idOf(second)} first`)],
      [1, true],
      early.out,
    );
    await old.stop();
    await world.db.collection('replicas').deleteMany({ masterKeyId: idOf(first) });
    const foreign = await run(['master-key', 'drop'], { CAUSEWAY_MASTER_KEY: third });
    assert.deepEqual([foreign.status, foreign.out.includes('is not the one')], [1, true], foreign.out);
    const drop = await run(['master-key', 'drop'], { CAUSEWAY_MASTER_KEY: second });
    assert.deepEqual([drop.status, drop.out], [0, `nothing but ${idOf(second)} opens the root key any more`]);

    await resealed(2);
    await assert.rejects(world.replica(), /CAUSEWAY_MASTER_KEY is not the one/);
    const later = await world.replica({ CAUSEWAY_MASTER_KEY: second });
    await works(later, ada);
    const status = await run(['master-key', 'status'], { CAUSEWAY_MASTER_KEY: first });
    assert.equal(status.status, 0, status.out);
    assert.match(status.out, new RegExp(`${idOf(first)}, and does not open`));
    assert.match(status.out, new RegExp(`replicas run with ${idOf(second)} \\(2\\)`));
    for (const { out } of [add, again, early, foreign, drop, status])
      for (const key of [first, second, third]) assert.ok(!out.includes(key), 'a key is never printed');
    await Promise.all([next.stop(), later.stop()]);
  });

  it('is not given up while no replica has shown that it runs with the new master key', async () => {
    const other = await openTestAuth();
    const [one, two] = [newKey(), newKey()];
    await loadRootKey(other.db, one);
    const at = { AUTH_DATABASE: other.environment.AUTH_DATABASE! };
    await run(['master-key', 'add'], { ...at, CAUSEWAY_MASTER_KEY: one, CAUSEWAY_MASTER_KEY_NEXT: two });
    const drop = await run(['master-key', 'drop'], { ...at, CAUSEWAY_MASTER_KEY: two });
    assert.deepEqual([drop.status, drop.out.includes('no replica runs with')], [1, true], drop.out);
    await loadRootKey(other.db, one);
    await other.stop();
  });

  it('is the master key of then in a database of an earlier release', async () => {
    const other = await openTestAuth();
    const master = other.environment.CAUSEWAY_MASTER_KEY!;
    const [kid, vault] = ['kid-1', createMasterKey(master, 'auth').vault('signing-keys')];
    const sealedPrivateJwk = vault.seal('{}', `signing-keys/${kid}`);
    await other.db.collection('signing-keys').insertOne({ kid, sealedPrivateJwk });
    await assert.rejects(loadRootKey(other.db, newKey()), /CAUSEWAY_MASTER_KEY is not the one/);
    assert.equal(await rootKeys(other.db).countDocuments(), 0, 'a wrong key leaves nothing behind');
    assert.deepEqual((await loadRootKey(other.db, master)).derive('x'), createMasterKey(master, 'auth').derive('x'));
    await other.stop();
  });

  it('is opened by a master key in a file, if nobody else may read it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'causeway-key-'));
    const other = await openTestAuth();
    const master = newKey();
    await loadRootKey(other.db, master);
    const at = { AUTH_DATABASE: other.environment.AUTH_DATABASE! };
    const from = async (text: string, mode: number): Promise<Ran> => {
      const file = join(folder, randomUUID());
      await writeFile(file, text, { mode });
      return run(['master-key', 'status'], { ...at, CAUSEWAY_MASTER_KEY_FILE: file });
    };
    for (const text of [master, `${master}\n`, `${master}\r\n`]) {
      const { status, out } = await from(text, 0o600);
      assert.deepEqual([status, out.includes(`${idOf(master)}, and opens`)], [0, true], out);
    }
    assert.match((await from(master, 0o644)).out, /mode 0644/);
    assert.match((await from('short', 0o600)).out, /less than 32 characters/);
    const missing = { ...at, CAUSEWAY_MASTER_KEY_FILE: join(folder, 'missing') };
    assert.match((await run(['master-key', 'status'], missing)).out, /cannot be read/);
    const both = { ...missing, CAUSEWAY_MASTER_KEY: master };
    assert.match((await run(['master-key', 'status'], both)).out, /and not both/);
    await other.stop();
    await rm(folder, { recursive: true });
  });

  it('is not touched by what is not understood', async () => {
    for (const args of [
      [],
      ['master-key'],
      ['master-key', 'nonsense'],
      ['master-key', 'drop', 'more'],
      ['constructor', 'status'],
    ])
      assert.equal((await run(args, { CAUSEWAY_MASTER_KEY: first })).status, 2, args.join(' '));
    const none = await run(['master-key', 'status'], {});
    assert.deepEqual(
      [none.status, none.out.includes('CAUSEWAY_MASTER_KEY or CAUSEWAY_MASTER_KEY_FILE has to be set')],
      [1, true],
    );
    const { status, stderr } = spawnSync(process.execPath, ['--conditions=development', cli, 'nonsense']);
    assert.deepEqual([status, stderr.toString().startsWith('usage: ')], [2, true]);
  });
});
