import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { identify, ownIdentity } from '../processes/identity.ts';
import { createHome, emptyHome, homeAt } from './home.ts';
import { lockHolder, takeLock } from './lock.ts';
import { secretsOf } from './secrets.ts';

describe('takeLock', () => {
  let dir: string;
  before(async () => (dir = await mkdtemp(path.join(tmpdir(), 'lock-'))));
  after(() => rm(dir, { recursive: true }));

  it('is held once, says by whom, and can be taken again when it was released', async () => {
    const file = path.join(dir, 'held.lock');
    const lock = takeLock(file, 'http://first');
    assert.ok('release' in lock);
    const second = takeLock(file, 'http://second');
    assert.ok('holder' in second);
    assert.deepEqual([second.holder, second.address], [ownIdentity(), 'http://first']);
    lock.release();
    assert.equal(lockHolder(file), undefined);
    const third = takeLock(file, 'http://third');
    assert.ok('release' in third);
    third.release();
    assert.deepEqual(await readdir(dir), []);
  });

  it('is stale when its holder has died, or its number belongs to another process', async () => {
    const file = path.join(dir, 'stale.lock');
    const child = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await once(child, 'spawn');
    const holder = identify(child.pid ?? 0);
    const write = (content: unknown) => writeFile(file, JSON.stringify({ holder: content, since: '', address: '' }));

    await write({ ...holder, startedAt: 'an hour ago' });
    assert.equal(lockHolder(file), undefined);
    await write(holder);
    assert.deepEqual(lockHolder(file)?.holder, holder);
    assert.ok('holder' in takeLock(file, ''));

    child.kill('SIGKILL');
    await once(child, 'exit');
    const taken = takeLock(file, '');
    assert.ok('release' in taken);
    taken.release();
  });

  it('is stale when its file was never finished', async () => {
    const file = path.join(dir, 'broken.lock');
    await writeFile(file, '{"holder":');
    const taken = takeLock(file, '');
    assert.ok('release' in taken);
    taken.release();
  });

  it('is given to one only of many that find it stale at once', async () => {
    const file = path.join(dir, 'contended.lock');
    await writeFile(file, JSON.stringify({ holder: { pid: 1, startedAt: 'never' }, since: '', address: '' }));
    const script = `
      const { takeLock } = await import(${JSON.stringify(new URL('lock.ts', import.meta.url).href)});
      process.stdout.write('release' in takeLock(${JSON.stringify(file)}, '') ? 'taken' : 'refused');
      setInterval(() => {}, 1000);`;
    const children = Array.from({ length: 6 }, () =>
      spawn(process.execPath, ['--input-type=module', '--eval', script]),
    );
    const answers = await Promise.all(
      children.map(async (child) => String((await once(child.stdout, 'data'))[0] as Buffer)),
    );
    for (const child of children) child.kill('SIGKILL');
    assert.deepEqual(answers.sort(), ['refused', 'refused', 'refused', 'refused', 'refused', 'taken']);
  });
});

describe('secretsOf', () => {
  it('makes secrets once, for the owner’s eyes only', async () => {
    const home = homeAt(await mkdtemp(path.join(tmpdir(), 'home-')));
    createHome(home);
    const first = secretsOf(home);
    assert.equal(Buffer.from(first.masterKey, 'base64').length, 32);
    assert.equal(first.adminPassword.length, 24);
    assert.deepEqual(secretsOf(home), first);
    assert.equal(Buffer.from(first.fieldKey, 'base64').length, 32);
    for (const file of [home.adminPassword, home.masterKey, home.fieldKey])
      assert.equal((await stat(file)).mode & 0o777, 0o600);

    await writeFile(path.join(home.dir, 'notes.txt'), 'not ours');
    emptyHome(home);
    assert.deepEqual(await readdir(home.dir), ['notes.txt']);
    createHome(home);
    assert.notDeepEqual(secretsOf(home), first);
    await rm(home.dir, { recursive: true });
  });
});
