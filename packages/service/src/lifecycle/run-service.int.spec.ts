import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { describe, it } from 'node:test';

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

interface Line {
  readonly message?: string;
  readonly level?: string;
  readonly [field: string]: unknown;
}

const start = async (environment: Record<string, string> = {}) => {
  const [port, opsPort] = [await freePort(), await freePort()];
  const file = path.resolve(import.meta.dirname, '..', 'testing', 'drain-child.ts');
  const child = spawn(process.execPath, ['--conditions=development', file], {
    env: {
      PATH: process.env.PATH,
      PORT: String(port),
      OPS_PORT: String(opsPort),
      CAUSEWAY_INTERNAL_KEY: 'a-key-for-the-test',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: Line[] = [];
  let errors = '';
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) lines.push(JSON.parse(part) as Line);
  });
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const exited = once(child, 'close').then(([code]) => code as number | null);
  const until = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
    const deadline = Date.now() + 60_000;
    while (!(await holds())) {
      assert.ok(Date.now() < deadline && child.exitCode === null, `${what}: ${JSON.stringify(lines)} ${errors}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const said = (message: string): boolean => lines.some((each) => each.message === message);
  return {
    url: `http://127.0.0.1:${port}`,
    opsUrl: `http://127.0.0.1:${opsPort}`,
    lines,
    errors: () => errors,
    exited,
    said,
    until,
    listening: () => until('listening', () => said('listening')),
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
};

const order = (lines: readonly Line[], ...messages: string[]): number[] =>
  messages.map((message) => lines.findIndex((each) => each.message === message));

describe('a service', () => {
  it('finishes what has begun, then leaves, in order, with 0', async () => {
    await using service = await start();
    await service.listening();
    const slow = fetch(`${service.url}/slow`, { method: 'POST' });
    await service.until('slow begins', () => service.said('slow begins'));
    service.kill('SIGTERM');
    await service.until('not ready', async () => {
      const answer = await fetch(`${service.opsUrl}/readyz`).catch(() => undefined);
      return answer === undefined || answer.status === 503;
    });
    await assert.rejects(fetch(`${service.url}/slow`, { method: 'POST' }));
    assert.deepEqual(await (await slow).json(), { done: true });
    assert.equal(await service.exited, 0);
    const messages = ['slow begins', 'draining', 'slow ends', 'consumer left', 'connection closed', 'stopped'];
    const found = order(service.lines, ...messages);
    assert.ok(!found.includes(-1), JSON.stringify(service.lines));
    assert.deepEqual(
      found.toSorted((a, b) => a - b),
      found,
    );
  });

  it('ends only when an answer that has begun is out, however slowly its client reads', async () => {
    await using service = await start();
    await service.listening();
    const answer = await fetch(`${service.url}/large`);
    service.kill('SIGTERM');
    await service.until('draining', () => service.said('draining'));
    await service.until('closed', () =>
      fetch(`${service.url}/healthz`).then(
        () => false,
        () => true,
      ),
    );
    assert.equal((await answer.arrayBuffer()).byteLength, Number(answer.headers.get('content-length')));
    assert.equal(await service.exited, 0);
    assert.ok(!service.said('requests that took too long were cut off'));
  });

  for (const [who, head] of [
    ['does not read its answer', 'GET /large HTTP/1.1\r\nHost: x\r\n\r\n'],
    [
      'sends its body for ever',
      'POST /upload HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
    ],
  ] as const) {
    it(`waits a part of its time for a client that ${who}, and then leaves in order`, async () => {
      await using service = await start({ SHUTDOWN_TIMEOUT: '2s' });
      await service.listening();
      const client = connect(Number(new URL(service.url).port), '127.0.0.1').on('error', () => undefined);
      client.write(head);
      // An answer has begun, or the next request finds its connection open after the one that is not complete.
      if (head.startsWith('GET')) await once(client, 'readable');
      else await fetch(`${service.url}/healthz`);
      service.kill('SIGTERM');
      assert.equal(await service.exited, 0);
      client.destroy();
      assert.ok(service.said('requests that took too long were cut off'));
      const found = order(service.lines, 'consumer left', 'connection closed', 'stopped');
      assert.ok(!found.includes(-1), JSON.stringify(service.lines));
      assert.deepEqual(
        found.toSorted((a, b) => a - b),
        found,
      );
    });
  }

  it('ends with 1 and names what hangs, within its time', async () => {
    await using service = await start({ MOOD: 'hang', SHUTDOWN_TIMEOUT: '500ms' });
    await service.listening();
    service.kill('SIGINT');
    assert.equal(await service.exited, 1);
    const line = service.lines.find((each) => each.message === 'the shutdown takes too long');
    assert.equal(line?.hanging, 'consumer');
  });

  it('ends with 1 when it cannot start, and closes what it has opened', async () => {
    await using service = await start({ MOOD: 'refuse' });
    assert.equal(await service.exited, 1);
    const line = service.lines.find((each) => each.level === 'fatal');
    assert.match(JSON.stringify(line), /MongoDB 5\.0 is too old/);
    assert.ok(service.said('connection closed'));
  });

  it('says what it waits for while it starts', async () => {
    await using service = await start({ MOOD: 'wait' });
    await service.until('waiting', () => service.said('waiting'));
    const answer = await fetch(`${service.opsUrl}/readyz`);
    assert.equal(answer.status, 503);
    assert.deepEqual(await answer.json(), { status: 'not-ready', notReady: ['starting', 'redis'], degraded: [] });
    service.kill('SIGTERM');
    assert.equal(await service.exited, 0);
  });

  it('ends with 1 when nobody handles a rejection', async () => {
    await using service = await start();
    await service.listening();
    await fetch(`${service.url}/crash`, { method: 'POST' }).catch(() => undefined);
    assert.equal(await service.exited, 1);
    assert.match(JSON.stringify(service.lines.find((each) => each.level === 'fatal')), /nobody awaits me/);
  });

  it('names every bad setting at once, and nothing else', async () => {
    await using service = await start({
      MOOD: 'strange',
      LOG_LEVEL: 'loud',
      CAUSEWAY_INTERNAL_KEY: 'short',
      OPS_HOST: '127.0.0.2',
    });
    assert.equal(await service.exited, 78);
    assert.match(service.errors(), /LOG_LEVEL[^]*MOOD|MOOD[^]*LOG_LEVEL/);
    assert.match(service.errors(), /CAUSEWAY_INTERNAL_KEY must have at least 16/);
    assert.match(service.errors(), /OPS_HOST must be HOST/, 'and what two of them are together');
    assert.doesNotMatch(service.errors(), /short/);
  });

  it('does not start with settings that are wrong only together', async () => {
    await using service = await start({ OPS_HOST: '127.0.0.2' });
    assert.equal(await service.exited, 78);
    assert.match(service.errors(), /OPS_HOST must be HOST/);
  });

  it('says on both ports whether it lives and what is not ready; metrics on one', async () => {
    await using service = await start();
    await service.listening();
    for (const url of [service.url, service.opsUrl]) {
      assert.deepEqual(await (await fetch(`${url}/healthz`)).json(), { status: 'alive' });
      assert.deepEqual(await (await fetch(`${url}/readyz`)).json(), { status: 'ready', notReady: [], degraded: [] });
    }
    await fetch(`${service.url}/break`, { method: 'POST' });
    for (const url of [service.url, service.opsUrl]) {
      const answer = await fetch(`${url}/readyz`);
      assert.equal(answer.status, 503);
      assert.deepEqual(await answer.json(), { status: 'not-ready', notReady: ['mongodb'], degraded: [] });
    }
    assert.equal((await fetch(`${service.url}/metrics`)).status, 404);
    const metrics = await fetch(`${service.opsUrl}/metrics`);
    assert.match(metrics.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    assert.match(await metrics.text(), /http_server_request_duration_count\{[^}]*http_route="\/break"/);
  });
});
