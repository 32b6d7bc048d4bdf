import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';

const cli = path.resolve(import.meta.dirname, '../../../packages/stack/src/cli.ts');
const patienceMs = 60_000;

/** A Redis that answers every command with what a much older one says of itself. */
const oldRedis = (): Server =>
  createServer((socket) => {
    const info = '# Server\r\nredis_version:5.0.14\r\nredis_mode:standalone\r\nloading:0\r\n';
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      // Each command is an array: its first element is the name.
      for (const [, name] of chunk.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g)) {
        if (/^info$/i.test(name ?? '')) socket.write(`$${info.length}\r\n${info}\r\n`);
        else socket.write(/^ping$/i.test(name ?? '') ? '+PONG\r\n' : '+OK\r\n');
      }
    });
  });

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

describe('npm start with an address in the environment', () => {
  let home: string;
  let closedPort: number;
  const old = oldRedis();

  before(async () => {
    home = await mkdtemp(path.join(tmpdir(), 'causeway-test-'));
    const server = createServer();
    closedPort = await listening(server);
    server.close();
    await once(server, 'close');
    await listening(old);
  });
  after(async () => {
    old.close();
    await rm(home, { recursive: true, force: true });
  });

  async function start(env: Readonly<Record<string, string>>) {
    const child = spawn(process.execPath, ['--conditions=development', cli, 'start'], {
      env: { ...process.env, CAUSEWAY_HOME: home, MONGODB_URL: '', KAFKA_BROKERS: '', REDIS_URL: '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: patienceMs,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, output };
  }

  const unanswered = {
    MONGODB_URL: (port: number) => `mongodb://someone:secret@127.0.0.1:${port}/`,
    KAFKA_BROKERS: (port: number) => `127.0.0.1:${port}`,
    REDIS_URL: (port: number) => `redis://:secret@127.0.0.1:${port}`,
  };

  for (const [name, url] of Object.entries(unanswered)) {
    it(`that does not answer ends, and names ${name}`, async () => {
      const { code, output } = await start({ [name]: url(closedPort) });
      assert.equal(code, 1, output);
      assert.ok(output.includes(name), output);
      assert.ok(!output.includes('secret'), 'an address is told without its password');
      assert.doesNotMatch(output, /starting/, 'nothing is started in its place');
      const children = path.join(home, 'children.json');
      if (existsSync(children))
        assert.deepEqual(JSON.parse(readFileSync(children, 'utf8')), [], 'nothing is left behind');
    });
  }

  it('of a Redis that is too old ends, and says which it needs', async () => {
    const { port } = old.address() as AddressInfo;
    const { code, output } = await start({ REDIS_URL: `redis://127.0.0.1:${port}` });
    assert.equal(code, 1, output);
    assert.match(output, /REDIS_URL/);
    assert.match(output, /5\.0\.14/);
    assert.match(output, /6\.2/);
  });
});
