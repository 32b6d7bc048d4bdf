import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { homeAt } from './home/home.ts';
import { lockHolder } from './home/lock.ts';
import { identify, isAlive, type ProcessIdentity } from './processes/identity.ts';
import { recordedChildren } from './processes/strays.ts';
import { externalSettings, throwAwaySettings } from './settings.ts';

const cli = path.join(import.meta.dirname, 'cli.ts');
const checkout = path.join(import.meta.dirname, 'testing/fixtures/checkout');

interface Command {
  readonly process: ChildProcess;
  readonly output: () => string;
  /** Resolves with the exit status. */
  readonly ended: Promise<number | null>;
  readonly says: (pattern: RegExp) => Promise<void>;
}

describe('npm start and its companions', { timeout: 170_000 }, () => {
  let dir: string;
  let env: NodeJS.ProcessEnv;
  let started: Command[] = [];

  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'cli-'));
    const { ports } = await throwAwaySettings(checkout, dir);
    const own = Object.entries(ports).map(([name, port]) => [name, String(port)] as const);
    // The servers of this run, so that a start takes a moment; those that are started are another test's matter.
    env = { ...process.env, ...Object.fromEntries(own), CAUSEWAY_HOME: dir, npm_lifecycle_event: undefined };
  });
  afterEach(async () => {
    await run('stop').ended;
    for (const command of started) command.process.kill('SIGKILL');
    started = [];
    await rm(dir, { recursive: true });
  });

  function run(...args: string[]): Command {
    return follow(spawn(process.execPath, ['--conditions=development', cli, ...args, '--checkout', checkout], { env }));
  }

  function follow(child: ChildProcess): Command {
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (part: string) => (text += part));
    const ended = once(child, 'close').then(([code]) => code as number | null);
    const says = async (pattern: RegExp): Promise<void> => {
      const deadline = performance.now() + 60_000;
      while (!pattern.test(text)) {
        assert.ok(
          performance.now() < deadline && child.exitCode === null,
          `waited for ${pattern.source}, got:\n${text}`,
        );
        await wait(20);
      }
    };
    const command = { process: child, output: () => text, ended, says };
    started.push(command);
    return command;
  }

  const children = () => recordedChildren(homeAt(dir).children);
  const identities = (): ProcessIdentity[] => children().flatMap(({ identity }) => identity ?? []);
  const url = (setting: string): string => `http://127.0.0.1:${env[setting] ?? ''}`;

  it('prints addresses, time and memory, and where the password is, but not the password', async () => {
    const start = run('start');
    await start.says(/ready in \d+\.\d s, \d+ MB resident/);
    assert.match(start.output(), new RegExp(`gateway +${url('CAUSEWAY_PORT')}`));
    assert.match(start.output(), /admin@causeway\.local, password in .*admin-password/);
    const password = await readFile(path.join(dir, 'admin-password'), 'utf8');
    assert.ok(!start.output().includes(password.trim()));
    const status = run('status');
    assert.equal(await status.ended, 0);
    assert.match(status.output(), /auth +ready +pid \d+ +\d+ MB/);
  });

  it('says where the first one runs when it is started twice', async () => {
    const first = run('start');
    await first.says(/ready in/);
    const second = run('start');
    assert.equal(await second.ended, 1);
    assert.match(
      second.output(),
      new RegExp(`running in ${dir} already, .* as pid ${first.process.pid ?? 0}: ${url('CAUSEWAY_PORT')}`),
    );
    assert.equal((await fetch(`${url('CAUSEWAY_PORT')}/readyz`)).status, 200);
  });

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    it(`ends everything on ${signal}`, async () => {
      const start = run('start');
      await start.says(/ready in/);
      const running = identities();
      assert.equal(running.length, 2);
      start.process.kill(signal);
      assert.equal(await start.ended, 0);
      assert.deepEqual(running.filter(isAlive), []);
      assert.equal(lockHolder(homeAt(dir).lock), undefined);
      assert.match(start.output(), /everything has ended/);
    });
  }

  it('is ended by npm run stop', async () => {
    const start = run('start');
    await start.says(/ready in/);
    const running = identities();
    const stop = run('stop');
    assert.equal(await stop.ended, 0);
    assert.equal(await start.ended, 0);
    assert.deepEqual(running.filter(isAlive), []);
    const status = run('status');
    assert.equal(await status.ended, 1);
    assert.match(status.output(), /nothing is running/);
  });

  it('ends when the npm that started it is killed, and a start at once after that waits for it', async () => {
    env.npm_lifecycle_event = 'start';
    const args = ['--conditions=development', cli, 'start', '--checkout', checkout];
    const npm = `require('node:child_process').spawn(process.execPath, ${JSON.stringify(args)}, { stdio: 'inherit' })`;
    const parent = follow(spawn(process.execPath, ['--eval', npm], { env }));
    await parent.says(/ready in/);
    const orphans = [...identities(), lockHolder(homeAt(dir).lock)?.holder].filter((each) => each !== undefined);
    assert.equal(orphans.length, 3);
    parent.process.kill('SIGKILL');
    env.npm_lifecycle_event = undefined;
    const second = run('start');
    await second.says(/ready in/);
    assert.deepEqual(orphans.filter(isAlive), []);
  });

  it('names who has a port, and starts nothing', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(Number(env.CAUSEWAY_AUTH_PORT), '127.0.0.1', resolve));
    const start = run('start');
    assert.equal(await start.ended, 1);
    assert.match(
      start.output(),
      new RegExp(`port ${env.CAUSEWAY_AUTH_PORT ?? ''}, for auth, is taken by pid ${process.pid} `),
    );
    assert.deepEqual(children(), []);
    await new Promise((resolve) => server.close(resolve));
  });

  it('names the setting when a server in the environment does not answer, and takes no other', async () => {
    env.REDIS_URL = 'redis://127.0.0.1:1';
    const start = run('start');
    assert.equal(await start.ended, 1);
    assert.match(start.output(), /^REDIS_URL \(redis:\/\/127\.0\.0\.1:1\) does not answer: .*ECONNREFUSED/m);
    assert.deepEqual(children(), []);
  });

  it('resets only what it made, when it is told so, and not while it runs', async () => {
    const start = run('start');
    await start.says(/ready in/);
    const refused = run('reset', '--yes');
    assert.equal(await refused.ended, 1);
    assert.match(refused.output(), /npm run stop first/);
    assert.equal(await run('stop').ended, 0);

    const unasked = run('reset');
    assert.equal(await unasked.ended, 1);
    assert.match(unasked.output(), /no terminal to ask at/);
    assert.ok(existsSync(path.join(dir, 'admin-password')));

    await writeFile(path.join(dir, 'notes.txt'), 'not ours');
    assert.equal(await run('reset', '--yes').ended, 0);
    assert.deepEqual(
      [existsSync(path.join(dir, 'admin-password')), existsSync(path.join(dir, 'notes.txt'))],
      [false, true],
    );
  });

  it('after SIGKILL ends what was left behind, and finds the data', async () => {
    for (const name of Object.values(externalSettings)) env[name] = undefined;
    const first = run('start', '--servers');
    await first.says(/ready in/);
    const address = `mongodb://127.0.0.1:${env.CAUSEWAY_MONGODB_PORT ?? ''}/?directConnection=true`;
    await write(address);
    const left = identities();
    assert.equal(left.length, 3);
    first.process.kill('SIGKILL');
    await first.ended;
    assert.deepEqual(left.filter(isAlive), left);

    const status = run('status');
    assert.equal(await status.ended, 1);
    assert.match(status.output(), /left behind: mongodb, kafka, redis/);

    const second = run('start', '--servers');
    await second.says(/ready in/);
    assert.match(second.output(), new RegExp(`ending what it left behind: mongodb \\(pid ${left[0]?.pid ?? 0}\\)`));
    assert.deepEqual(left.filter(isAlive), []);
    assert.equal(await count(address), 1);
    assert.ok(identify(second.process.pid ?? 0));
  });

  it('can be broken off while it starts', async () => {
    for (const name of Object.values(externalSettings)) env[name] = undefined;
    const start = run('start', '--servers');
    await start.says(/starting mongodb, kafka, redis/);
    start.process.kill('SIGINT');
    assert.equal(await start.ended, 0);
    assert.deepEqual(identities(), []);
    assert.equal(lockHolder(homeAt(dir).lock), undefined);
  });
});

async function write(address: string): Promise<void> {
  const client = new MongoClient(address);
  await client
    .db('cli-spec')
    .collection('kept')
    .insertOne({}, { writeConcern: { w: 'majority' } });
  await client.close();
}

async function count(address: string): Promise<number> {
  const client = new MongoClient(address);
  const found = await client.db('cli-spec').collection('kept').countDocuments();
  await client.close();
  return found;
}
