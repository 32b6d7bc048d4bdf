import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { defineRoute } from '@causeway/service';
import type { WebSocket as ServiceSocket } from '@causeway/service';
import { startTestService } from '@causeway/service/testing';
import type { TestService } from '@causeway/service/testing';
import { WebSocket } from 'ws';

import { createOpenLimits } from '../limits/open-calls.ts';
import { eventually } from '../testing/eventually.ts';
import { noLimits, startTestEdge } from '../testing/test-edge.ts';
import { startUpstream } from '../testing/upstream.ts';

interface Service extends AsyncDisposable {
  readonly service: TestService;
  readonly seen: IncomingMessage[];
  readonly sockets: ServiceSocket[];
}

/** A service that says back what it hears; text `bye` closes, `big` is answered with a megabyte. */
const startEcho = async (): Promise<Service> => {
  const seen: IncomingMessage[] = [];
  const sockets: ServiceSocket[] = [];
  const serve = async (socket: ServiceSocket): Promise<void> => {
    sockets.push(socket);
    socket.on('message', (data: Buffer) => {
      const text = data.toString();
      if (text === 'bye') socket.close(4_401, 'session-ended');
      else socket.send(text === 'big' ? 'x'.repeat(1_048_576) : text);
    });
    await once(socket, 'close');
  };
  const route = defineRoute({
    method: 'get',
    path: '/v1/changes',
    operationId: 'openSocket',
    tag: 'data',
    summary: 'Echo',
    access: 'anonymous',
    responses: { 101: { description: 'A socket.' } },
    handle({ request }) {
      seen.push(request);
      return { status: 101, socket: { protocol: 'causeway.v1', serve } };
    },
  });
  const service = await startTestService([route]);
  return { service, seen, sockets, [Symbol.asyncDispose]: service.stop };
};

const open = async (port: number, headers: Record<string, string> = {}, protocol = 'causeway.v1') => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/changes`, [protocol], { headers });
  const messages: string[] = [];
  socket.on('message', (data: Buffer) => void messages.push(data.toString()));
  const closed = new Promise<string>((resolve) =>
    socket.once('close', (code, reason) => resolve(`${code} ${reason.toString()}`.trim())),
  );
  const answered = Promise.withResolvers<IncomingMessage>();
  socket.once('upgrade', answered.resolve);
  socket.once('unexpected-response', (_request, response: IncomingMessage) => answered.resolve(response));
  socket.on('error', answered.reject);
  const answer = await answered.promise;
  if (answer.statusCode === 101 && socket.readyState !== socket.OPEN) await once(socket, 'open');
  return { socket, messages, closed, answer };
};

const codeOf = async (answer: IncomingMessage): Promise<string> => {
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  assert.equal(answer.headers['content-type'], 'application/problem+json');
  return `${answer.statusCode ?? ''} ${(JSON.parse(text) as { code: string }).code}`;
};

describe('a WebSocket through the gateway', () => {
  it('that is asked for behind a call which is not answered yet ends its connection, and nothing else', async () => {
    await using data = await startEcho();
    await using edge = await startTestEdge(data.service.url);
    for (const port of [edge.service.port, data.service.port]) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.resume();
      const plain = 'GET /v1/changes HTTP/1.1\r\nHost: x\r\n';
      socket.write(`${plain}\r\n${plain}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
      await once(socket, 'close');
    }
    const client = await open(edge.service.port);
    assert.equal(client.answer.statusCode, 101);
    client.socket.terminate();
  });

  it('is passed both ways, with headers of ours alone', async () => {
    await using data = await startEcho();
    await using edge = await startTestEdge(data.service.url);
    const token = await edge.issuer.token({});
    const client = await open(edge.service.port, {
      authorization: `Bearer ${token}`,
      cookie: `__Host-causeway-access=${token}; other=1`,
      'x-forwarded-for': '192.0.2.1',
      'x-request-id': 'chosen-by-client',
      'causeway-internal': 'guessed',
      'causeway-after': '1.1',
    });
    assert.equal(client.answer.statusCode, 101);
    assert.equal(client.socket.protocol, 'causeway.v1');
    const headers = data.seen[0]?.headers ?? {};
    assert.equal(data.seen[0]?.url, '/v1/changes');
    assert.equal(headers.authorization, `Bearer ${token}`);
    assert.equal(headers['causeway-after'], '1.1');
    assert.equal(headers.cookie, undefined);
    assert.equal(headers['x-forwarded-for'], '127.0.0.1');
    assert.equal(headers['causeway-internal'], edge.internalKey);
    assert.equal(headers['x-request-id'], client.answer.headers['x-request-id']);
    assert.notEqual(headers['x-request-id'], 'chosen-by-client');
    assert.equal(headers.connection?.toLowerCase(), 'upgrade');
    assert.match(String(headers.traceparent), /^00-/);
    client.socket.send('hello');
    client.socket.send('big');
    await eventually(() => client.messages.length === 2);
    assert.deepEqual(
      client.messages.map(({ length }) => length),
      [5, 1_048_576],
    );
    client.socket.send('bye');
    assert.equal(await client.closed, '4401 session-ended');
  });

  it('takes what its head says to be of this connection alone for no more than that', async () => {
    await using data = await startEcho();
    await using edge = await startTestEdge(data.service.url);
    const socket = connect(edge.service.port, '127.0.0.1');
    const own = 'Connection: Upgrade, X-Secret, Authorization\r\nUpgrade: WebSocket\r\nX-Secret: 1\r\nKeep-Alive: 5';
    const handshake = `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16, 1).toString('base64')}`;
    const authorization = `Authorization: Bearer ${await edge.issuer.token({})}`;
    socket.write(`GET /v1/changes HTTP/1.1\r\nHost: x\r\n${own}\r\n${authorization}\r\n${handshake}\r\n\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 101 /);
    assert.match(answer.toString(), /\r\nconnection: Upgrade\r\nupgrade: websocket\r\n/i);
    const headers = data.seen[0]?.headers ?? {};
    assert.equal(headers['x-secret'], undefined);
    assert.equal(headers['keep-alive'], undefined);
    // Else it would be nobody's, whose token was verified here.
    assert.match(headers.authorization ?? '', /^Bearer /);
    assert.deepEqual([headers.connection, headers.upgrade], ['upgrade', 'websocket']);
    socket.destroy();
  });

  it('is refused as any call is, and what the service refuses is passed on', async () => {
    await using data = await startEcho();
    await using edge = await startTestEdge(data.service.url);
    const { port } = edge.service;
    assert.equal(await codeOf((await open(port, { authorization: 'Bearer nonsense' })).answer), '401 unauthenticated');
    assert.equal(await codeOf((await open(port, { origin: 'https://evil.example' })).answer), '403 foreign-origin');
    assert.equal(await codeOf((await open(port, { origin: 'null' })).answer), '403 foreign-origin');
    assert.equal(data.seen.length, 0);
    for (const origin of ['https://api.example.test', 'https://app.example.test', 'http://localhost:3000']) {
      const client = await open(port, { origin });
      assert.equal(client.answer.statusCode, 101, origin);
      client.socket.terminate();
    }
    assert.equal(await codeOf((await open(port, {}, 'graphql-ws')).answer), '400 invalid-request');
    const plain = await edge.service.fetch('/v1/changes');
    assert.equal(((await plain.json()) as { code: string }).code, 'upgrade-required');
  });

  it('is never signed in by a cookie, whatever that holds', async () => {
    await using data = await startEcho();
    const counted: string[] = [];
    const limits = { ...noLimits, byPrincipal: (sub: string) => (counted.push(sub), {}) };
    await using edge = await startTestEdge(data.service.url, { limits });
    const cookie = `__Host-causeway-access=${await edge.issuer.token({ sub: `usr_${randomUUID()}` })}`;
    for (const each of [cookie, '__Host-causeway-access=nonsense']) {
      const client = await open(edge.service.port, { cookie: each });
      assert.equal(client.answer.statusCode, 101);
      client.socket.terminate();
    }
    assert.deepEqual(counted, []);
    assert.deepEqual(
      data.seen.map(({ headers }) => headers.cookie),
      [undefined, undefined],
    );
  });

  it('counts as a feed for as long as it is open', async () => {
    await using data = await startEcho();
    await using edge = await startTestEdge(data.service.url, { open: createOpenLimits(100, 1), feeds: 1 });
    const { port } = edge.service;
    const first = await open(port);
    assert.equal(await codeOf((await open(port)).answer), '429 too-many-requests');
    const half = (first.socket as unknown as { _socket: Socket })._socket;
    half.end();
    await first.closed;
    await eventually(async () => {
      const next = await open(port);
      next.socket.terminate();
      return next.answer.statusCode === 101;
    });
  });

  it('ends on both sides, whichever goes', async () => {
    await using data = await startEcho();
    await using edge = await startTestEdge(data.service.url);
    const gone = await open(edge.service.port);
    gone.socket.terminate();
    await eventually(() => data.sockets[0]?.readyState === WebSocket.CLOSED);
    // Without a word: neither side sees an end.
    const reset = await open(edge.service.port);
    (reset.socket as unknown as { _socket: Socket })._socket.resetAndDestroy();
    await eventually(() => data.sockets[1]?.readyState === WebSocket.CLOSED);
    const cut = await open(edge.service.port);
    await eventually(() => data.sockets.length === 3);
    data.sockets[2]?.terminate();
    assert.equal(await cut.closed, '1006');
    const drained = await open(edge.service.port);
    edge.drain();
    assert.equal(await drained.closed, '1006');
    await eventually(() => data.sockets[3]?.readyState === WebSocket.CLOSED);
  });

  it('is not waited for without end, nor by who is not there', async () => {
    await using silent = await startUpstream(() => undefined);
    await using edge = await startTestEdge(silent.url, { timeoutMs: 300 });
    assert.equal(await codeOf((await open(edge.service.port)).answer), '504 timeout');
    await using away = await startTestEdge('http://127.0.0.1:1');
    assert.equal(await codeOf((await open(away.service.port)).answer), '503 unavailable');
  });

  it('is not what other calls become, whatever they ask for', async () => {
    await using upstream = await startUpstream((_request, response) => response.end('{}'));
    await using edge = await startTestEdge(upstream.url);
    const token = await edge.issuer.token({ sub: `usr_${randomUUID()}` });
    const raw = async (head: string): Promise<string> => {
      const socket = connect(edge.service.port, '127.0.0.1');
      socket.write(`GET /v1/users/me HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n`);
      let text = '';
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
      await eventually(() => text.endsWith('{}'));
      socket.destroy();
      return text;
    };
    const cookie = `Cookie: __Host-causeway-access=${token}\r\n`;
    const offers = [
      'Connection: Upgrade\r\nUpgrade: websocket',
      'Connection: Upgrade\r\nUpgrade: h2c',
      'Upgrade: websocket',
    ];
    for (const text of await Promise.all(offers.map((each) => raw(cookie + each))))
      assert.match(text, /^HTTP\/1\.1 200 /);
    // Whom the gateway has counted as nobody the service is not told of.
    const cookies = upstream.seen.map(({ headers }) => headers.cookie !== undefined);
    assert.equal(cookies.filter((isThere) => isThere).length, 1, 'that of h2c alone, which is a call as others are');
    assert.ok(upstream.seen.every(({ headers }) => headers.upgrade === undefined));
  });
});
