import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { describe, it } from 'node:test';
import { isAlive } from './processes/identity.ts';
import { CliHarness } from './testing/cli-harness.ts';

describe('npm start and its companions', { timeout: 170_000 }, () => {
  const stack = new CliHarness();

  it('prints addresses, time and memory, and where the password is, but not the password', async () => {
    const start = stack.run('start');
    await start.says(/ready in \d+\.\d s, \d+ MB resident/);
    assert.match(start.output(), new RegExp(`gateway +${stack.url('CAUSEWAY_PORT')}`));
    assert.match(start.output(), /admin@causeway\.local, password in .*admin-password/);
    const password = await readFile(path.join(stack.dir, 'admin-password'), 'utf8');
    assert.ok(!start.output().includes(password.trim()));
    const status = stack.run('status');
    assert.equal(await status.ended, 0);
    assert.match(status.output(), /auth +ready +pid \d+ +\d+ MB/);
  });

  it('says where the first one runs when it is started twice', async () => {
    const first = stack.run('start');
    await first.says(/ready in/);
    const second = stack.run('start');
    assert.equal(await second.ended, 1);
    assert.match(
      second.output(),
      new RegExp(`running in ${stack.dir} already, .* as pid ${first.process.pid ?? 0}: ${stack.url('CAUSEWAY_PORT')}`),
    );
    assert.equal((await fetch(`${stack.url('CAUSEWAY_PORT')}/readyz`)).status, 200);
  });

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    it(`ends everything on ${signal}`, async () => {
      const start = stack.run('start');
      await start.says(/ready in/);
      const running = stack.identities();
      assert.equal(running.length, 2);
      start.process.kill(signal);
      assert.equal(await start.ended, 0);
      assert.deepEqual(running.filter(isAlive), []);
      assert.equal(stack.holder(), undefined);
      assert.match(start.output(), /everything has ended/);
    });
  }

  it('is ended by npm run stop', async () => {
    const start = stack.run('start');
    await start.says(/ready in/);
    const running = stack.identities();
    const stop = stack.run('stop');
    assert.equal(await stop.ended, 0);
    assert.equal(await start.ended, 0);
    assert.deepEqual(running.filter(isAlive), []);
    const status = stack.run('status');
    assert.equal(await status.ended, 1);
    assert.match(status.output(), /nothing is running/);
  });

  it('ends when the npm that started it is killed, and a start at once after that waits for it', async () => {
    stack.env.npm_lifecycle_event = 'start';
    const args = stack.args('start');
    const npm = `require('node:child_process').spawn(process.execPath, ${JSON.stringify(args)}, { stdio: 'inherit' })`;
    const parent = stack.follow(spawn(process.execPath, ['--eval', npm], { env: stack.env }));
    await parent.says(/ready in/);
    const orphans = [...stack.identities(), stack.holder()].filter((each) => each !== undefined);
    assert.equal(orphans.length, 3);
    parent.process.kill('SIGKILL');
    stack.env.npm_lifecycle_event = undefined;
    const second = stack.run('start');
    await second.says(/ready in/);
    assert.deepEqual(orphans.filter(isAlive), []);
  });

  it('names who has a port, and starts nothing', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(Number(stack.env.CAUSEWAY_AUTH_PORT), '127.0.0.1', resolve));
    const start = stack.run('start');
    assert.equal(await start.ended, 1);
    assert.match(
      start.output(),
      new RegExp(`port ${stack.env.CAUSEWAY_AUTH_PORT ?? ''}, for auth, is taken by pid ${process.pid} `),
    );
    assert.deepEqual(stack.children(), []);
    await new Promise((resolve) => server.close(resolve));
  });

  it('names the setting when a server in the environment does not answer, and takes no other', async () => {
    stack.env.REDIS_URL = 'redis://127.0.0.1:1';
    const start = stack.run('start');
    assert.equal(await start.ended, 1);
    assert.match(start.output(), /^REDIS_URL \(redis:\/\/127\.0\.0\.1:1\) does not answer: .*ECONNREFUSED/m);
    assert.deepEqual(stack.children(), []);
  });

  it('resets only what it made, when it is told so, and not while it runs', async () => {
    const start = stack.run('start');
    await start.says(/ready in/);
    const refused = stack.run('reset', '--yes');
    assert.equal(await refused.ended, 1);
    assert.match(refused.output(), /npm run stop first/);
    assert.equal(await stack.run('stop').ended, 0);

    const unasked = stack.run('reset');
    assert.equal(await unasked.ended, 1);
    assert.match(unasked.output(), /no terminal to ask at/);
    assert.ok(existsSync(path.join(stack.dir, 'admin-password')));

    await writeFile(path.join(stack.dir, 'notes.txt'), 'not ours');
    assert.equal(await stack.run('reset', '--yes').ended, 0);
    assert.deepEqual(
      [existsSync(path.join(stack.dir, 'admin-password')), existsSync(path.join(stack.dir, 'notes.txt'))],
      [false, true],
    );
  });
});
