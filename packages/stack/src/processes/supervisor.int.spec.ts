import assert from 'node:assert/strict';
import { writeSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { createHome, homeAt, type Home } from '../home/home.ts';
import { StackError } from '../stack-error.ts';
import { ChildLog } from './child-log.ts';
import type { ChildSpec } from './child-spec.ts';
import { identify, isAlive, type ProcessIdentity } from './identity.ts';
import { freePorts } from './ports.ts';
import { endStrays, recordChildren, recordedChildren } from './strays.ts';
import { assertPortsFree, Supervisor } from './supervisor.ts';

const quick = {
  backoff: { firstMs: 1, longestMs: 4, random: Math.random },
  attemptsAtStart: 3,
  attemptsLater: 4,
  stableAfterMs: 60_000,
};

describe('Supervisor', () => {
  let home: Home;
  let supervisor: Supervisor;
  let said: string[] = [];

  before(async () => {
    home = homeAt(await mkdtemp(path.join(tmpdir(), 'supervisor-')));
    createHome(home);
  });
  after(() => rm(home.dir, { recursive: true }));
  afterEach(() => supervisor.stop());

  function supervise(): Supervisor {
    said = [];
    supervisor = new Supervisor(home, (text) => void said.push(text), quick);
    return supervisor;
  }

  /** A child that runs a line of JavaScript, and is ready when it has printed `ready`. */
  function child(name: string, script: string, more: Partial<ChildSpec> = {}): ChildSpec {
    const log = path.join(home.logs, `${name}.log`);
    return {
      name,
      kind: 'service',
      command: process.execPath,
      args: ['--eval', script],
      env: process.env,
      cwd: home.dir,
      address: name,
      ports: [],
      probe: async () => {
        if (!(await readFile(log, 'utf8')).includes('ready')) throw new Error('it has not said so');
      },
      readyTimeoutMs: 20_000,
      stopTimeoutMs: 5000,
      ...more,
    };
  }

  async function until(what: string, isThere: () => boolean): Promise<void> {
    const deadline = performance.now() + 60_000;
    while (!isThere()) {
      assert.ok(performance.now() < deadline, `${what}\n${said.join('\n')}`);
      await wait(10);
    }
  }

  const identityOf = (name: string): ProcessIdentity => {
    const identity = childOf(name).identity;
    assert.ok(identity);
    return identity;
  };
  const childOf = (name: string) => supervisor.child(name);

  it('starts a child again that was killed, and says so', async () => {
    await supervise().start([child('phoenix', 'console.log("ready"); setInterval(() => {}, 1000)')]);
    const first = identityOf('phoenix');
    process.kill(first.pid, 'SIGKILL');
    await until('it is started again', () => childOf('phoenix').status().restarts === 1);
    await until('it is ready', () => childOf('phoenix').status().state === 'ready');
    assert.notEqual(identityOf('phoenix').pid, first.pid);
    assert.match(said.join('\n'), /phoenix was ended by SIGKILL; starting it again in \d/);
  });

  it('gives up a child that never becomes ready, with its last words', async () => {
    const failing = child('failing', 'console.error("no such database"); process.exit(3)');
    await assert.rejects(supervise().start([failing]), (error) => {
      assert.ok(error instanceof StackError);
      assert.match(error.message, /no such database/);
      return true;
    });
    assert.equal(childOf('failing').status().state, 'given-up');
    assert.match(said.at(-1) ?? '', /failing ended with status 3, 3 times in a row, and is not started again/);
  });

  it('gives up, visibly, a child that keeps falling after it was ready', async () => {
    await supervise().start([child('weary', 'console.log("ready"); setTimeout(() => process.exit(1), 100)')]);
    await until('it is given up', () => childOf('weary').status().state === 'given-up');
    assert.equal(recordedChildren(home.children).find(({ name }) => name === 'weary')?.state, 'given-up');
    assert.match(said.at(-1) ?? '', /weary ended with status 1, 4 times in a row/);
  });

  it('kills a child that hangs before it is ready', async () => {
    const hanging = child('hanging', 'setInterval(() => {}, 1000)', { readyTimeoutMs: 100 });
    await assert.rejects(supervise().start([hanging]), StackError);
    assert.match(said.join('\n'), /hanging was not ready after 0.1 s \(it has not said so\)/);
  });

  it('names a program that cannot be started', async () => {
    await assert.rejects(supervise().start([child('missing', '', { command: '/no/such/program' })]), StackError);
    assert.match(said.join('\n'), /missing could not be started: .*ENOENT/);
  });

  it('stops with SIGTERM, and with SIGKILL what does not listen, and what that has started', async () => {
    const stubborn = `
      const { spawn } = require('node:child_process');
      process.on('SIGTERM', () => {});
      const grandchild = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
      grandchild.once('spawn', () => console.log('grandchild', grandchild.pid, 'ready'));
      setInterval(() => {}, 1000);`;
    const polite =
      'process.on("SIGTERM", () => { console.log("goodbye"); process.exit(0); }); console.log("ready"); setInterval(() => {}, 1000)';
    await supervise().start([child('stubborn', stubborn, { stopTimeoutMs: 200 }), child('polite', polite)]);
    const [stubbornId, politeId] = [identityOf('stubborn'), identityOf('polite')];
    const log = await readFile(path.join(home.logs, 'stubborn.log'), 'utf8');
    const grandchild = identify(Number(/grandchild (\d+)/.exec(log)?.[1]));
    assert.ok(grandchild);
    await supervisor.stop();
    assert.equal(isAlive(stubbornId), false);
    assert.equal(isAlive(politeId), false);
    await until('the grandchild is gone', () => !isAlive(grandchild));
    assert.match(await readFile(path.join(home.logs, 'polite.log'), 'utf8'), /goodbye/);
    assert.match(said.join('\n'), /stubborn did not end within 0.2 s, and was killed/);
    assert.deepEqual(recordedChildren(home.children), []);
  });

  it('ends services before servers, the last one first', async () => {
    const ends = (name: string): string =>
      `process.on("SIGTERM", () => { require("fs").appendFileSync("ends", "${name} "); process.exit(0); }); console.log("ready"); setInterval(() => {}, 1000)`;
    supervise();
    await supervisor.start([child('server', ends('server'), { kind: 'server' })]);
    await supervisor.start([child('auth', ends('auth'))]);
    await supervisor.start([child('gateway', ends('gateway'))]);
    await supervisor.stop();
    assert.equal(await readFile(path.join(home.dir, 'ends'), 'utf8'), 'gateway auth server ');
  });

  it('moves a log aside that has grown, while its child goes on writing', async () => {
    const log = new ChildLog(path.join(home.logs, 'large.log'), { limitBytes: 10, kept: 2 });
    for (const text of ['first of all', 'second of all', 'third of all', 'last']) {
      writeSync(log.fd, text);
      log.rotateIfLarge();
    }
    log.close();
    const read = (name: string) => readFile(path.join(home.logs, name), 'utf8');
    assert.deepEqual(await Promise.all(['large.log', 'large.log.1', 'large.log.2'].map(read)), [
      'last',
      'third of all',
      'second of all',
    ]);
  });

  it('ends the strays of a killed supervisor, and never another process of the same number', async () => {
    await supervise().start([child('stray', 'console.log("ready"); setInterval(() => {}, 1000)')]);
    const stray = identityOf('stray');
    const recorded = recordedChildren(home.children);
    const reused = recorded.map((each) => ({ ...each, identity: { pid: stray.pid, startedAt: 'another time' } }));
    const other = path.join(home.dir, 'other.json');
    recordChildren(other, reused);
    assert.deepEqual(await endStrays(other, (text) => void said.push(text)), []);
    assert.equal(isAlive(stray), true);
    recordChildren(other, recorded);
    assert.deepEqual(await endStrays(other, (text) => void said.push(text)), ['stray']);
    assert.equal(isAlive(stray), false);
  });
});

describe('assertPortsFree', () => {
  it('names the port, who has it, and the setting that moves ours', async () => {
    const [port = 0] = await freePorts(1);
    const spec = { name: 'gateway', ports: [{ port, setting: 'CAUSEWAY_PORT' }] } as unknown as ChildSpec;
    await assertPortsFree([spec]);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    await assert.rejects(assertPortsFree([spec]), (error) => {
      assert.ok(error instanceof StackError);
      assert.match(error.message, new RegExp(`port ${port}, for gateway, is taken by pid ${process.pid} \\(.*node`));
      assert.match(error.message, /set CAUSEWAY_PORT/);
      return true;
    });
    await new Promise((resolve) => server.close(resolve));
  });
});
