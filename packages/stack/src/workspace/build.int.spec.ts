import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { before, beforeEach, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { homeAt } from '../home/home.ts';
import { freePorts } from '../processes/ports.ts';
import { kafkaBrokers } from '../servers/kafka-child.ts';
import { redisUrl } from '../servers/redis-child.ts';
import { externalSettings } from '../settings.ts';
import { CliHarness } from '../testing/cli-harness.ts';
import { checkout } from '../testing/throw-away-servers.ts';

describe('npm run build', { timeout: 170_000 }, () => {
  const stack = new CliHarness(checkout);
  before(() => promisify(execFile)('npm', ['run', '--silent', 'build'], { cwd: checkout }));
  beforeEach(() => {
    for (const name of Object.values(externalSettings)) stack.env[name] = undefined;
  });

  it('makes what npm start -- --dist runs, with its servers in less than 1.5 GB, and what an image runs', async () => {
    const start = stack.run('start', '--dist');
    await start.says(/ready in/);
    assert.deepEqual(
      stack.children().map(({ name, state }) => `${name} ${state}`),
      ['mongodb', 'kafka', 'redis', 'auth', 'user', 'data', 'gateway'].map((name) => `${name} ready`),
    );
    const megabytes = Number(/(\d+) MB resident/.exec(start.output())?.[1]);
    assert.ok(megabytes < 1500, start.output());

    const dockerfile = await readFile(path.join(checkout, 'deploy', 'docker', 'Dockerfile'), 'utf8');
    assert.match(dockerfile, /^RUN npx nx run @causeway\/\$\{SERVICE\}:build /m);
    const [node, ...args] = JSON.parse(/^CMD (.*)$/m.exec(dockerfile)?.[1] ?? '[]') as string[];
    assert.equal(node, 'node');
    const [port = 0, opsPort = 0] = await freePorts(2);
    const cwd = path.join(checkout, 'services', 'gateway');
    const gateway = stack.follow(spawn(process.execPath, args, { cwd, env: await gatewayEnvironment(port, opsPort) }));
    await gateway.says(/"message":"listening"/);
    assert.equal((await fetch(`http://127.0.0.1:${port}/readyz`)).status, 200);
    gateway.process.kill('SIGTERM');
    assert.equal(await gateway.ended, 0, gateway.output());
  });

  async function gatewayEnvironment(port: number, opsPort: number): Promise<NodeJS.ProcessEnv> {
    return {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      PORT: String(port),
      OPS_PORT: String(opsPort),
      KAFKA_BROKERS: kafkaBrokers(Number(stack.env.CAUSEWAY_KAFKA_PORT)),
      REDIS_URL: redisUrl(Number(stack.env.CAUSEWAY_REDIS_PORT)),
      AUTH_URL: stack.url('CAUSEWAY_AUTH_PORT'),
      USER_URL: stack.url('CAUSEWAY_USER_PORT'),
      DATA_URL: stack.url('CAUSEWAY_DATA_PORT'),
      JWKS_URL: `${stack.url('CAUSEWAY_AUTH_PORT')}/.well-known/jwks.json`,
      CAUSEWAY_INTERNAL_KEY: (await readFile(homeAt(stack.dir).internalKey, 'utf8')).trim(),
    };
  }
});
