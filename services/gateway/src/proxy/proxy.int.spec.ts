import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Agent, request } from 'undici';

import { eventually } from '../testing/eventually.ts';
import { startTestEdge } from '../testing/test-edge.ts';
import { startUpstream } from '../testing/upstream.ts';
import { defaultBodyTimeouts } from './request-body.ts';

interface ProblemBody {
  readonly code: string;
  readonly status: number;
}

const expectProblem = async (response: Response, status: number, code: string): Promise<void> => {
  assert.equal(response.status, status);
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
  assert.equal(((await response.json()) as ProblemBody).code, code);
};

/** Sends bytes as they are and gives back all that comes until the connection ends. */
const raw = async (port: number, text: string): Promise<string> => {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  socket.write(text);
  await once(socket, 'close');
  return answer;
};

/** Begins a request and stops in its body; resolves when the gateway has seen its head. */
const halfSent = async (port: number, length: string, part: string) => {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
  const closed = once(socket, 'close');
  socket.write(`POST /v1/auth/sign-in HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n${length}\r\n\r\n${part}`);
  await eventually(() => answer.startsWith('HTTP/1.1 100 '));
  return { socket, rest: closed.then(() => answer) };
};

const get = async (url: string): Promise<IncomingMessage> => {
  const request = httpRequest(url).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
};

/** A client whose calls share one connection. */
const keptAlive = () => {
  const agent = new Agent({ connections: 1, pipelining: 1 });
  return { agent, [Symbol.asyncDispose]: () => agent.destroy() };
};

/** Waits until a number has not changed for a while: all buffers on the way are full. */
const standsStill = async (value: () => number, forMs = 300): Promise<void> => {
  let before = -1;
  let since = performance.now();
  await eventually(() => {
    if (value() !== before) since = performance.now();
    before = value();
    return performance.now() - since > forMs;
  });
};

describe('proxy', () => {
  it('passes a call on with what is ours to say, and none of what a client may not say', async () => {
    await using upstream = await startUpstream((_request, response) => {
      response.setHeader('Connection', 'X-Hop');
      response.setHeader('X-Hop', 'one');
      response.setHeader('Causeway-Position', 'p1');
      response.setHeader('X-Request-Id', 'the-services-own');
      response.setHeader('Vary', 'Accept');
      response.end('{}');
    });
    await using edge = await startTestEdge(upstream.url);
    const answer = await raw(
      edge.service.port,
      [
        'GET /v1/data/articles?limit=1 HTTP/1.1',
        'Host: evil.example',
        'Connection: close, X-Mine',
        'X-Mine: one',
        'Causeway-Internal: guessed',
        'Causeway-After: p0',
        'Causeway-Principal: usr_root',
        'X-Request-Id: mine',
        'X-Forwarded-For: 1.2.3.4',
        'X-Forwarded-Host: evil.example',
        'X-Real-IP: 1.2.3.4',
        'Forwarded: for=1.2.3.4',
        'traceparent: 00-11111111111111111111111111111111-2222222222222222-01',
        'If-None-Match: "7"',
        '',
        '',
      ].join('\r\n'),
    );
    const [seen] = upstream.seen;
    assert.equal(seen?.url, '/v1/data/articles?limit=1');
    const { headers } = seen;
    assert.equal(headers['causeway-internal'], edge.internalKey);
    assert.equal(headers['causeway-after'], 'p0');
    assert.equal(headers['if-none-match'], '"7"');
    assert.equal(headers['x-forwarded-for'], '127.0.0.1');
    assert.equal(headers['x-forwarded-proto'], 'https');
    assert.equal(headers['x-forwarded-host'], 'api.example.test');
    for (const name of ['causeway-principal', 'x-real-ip', 'forwarded', 'x-mine'])
      assert.equal(headers[name], undefined);
    assert.notEqual(headers['x-request-id'], 'mine');
    assert.notEqual(headers.host, 'evil.example');
    assert.doesNotMatch(String(headers.traceparent), /2222222222222222/);
    assert.match(answer, /^HTTP\/1\.1 200 /);
    assert.ok(answer.includes(`x-request-id: ${String(headers['x-request-id'])}`), answer);
    assert.match(answer, /causeway-position: p1/i);
    assert.match(answer, /vary: Accept, Origin/i);
    assert.doesNotMatch(answer, /x-hop|the-services-own/i);
  });

  it('leaves to a service what caches are told, and passes on that nothing has changed', async () => {
    const kept = { ETag: 'W/"abc"', 'Cache-Control': 'public, no-cache', Vary: 'Authorization, Cookie, Accept' };
    await using upstream = await startUpstream((request, response) => {
      const isKnown = request.headers['if-none-match'] === 'W/"abc"';
      response.writeHead(isKnown ? 304 : 200, kept).end(isKnown ? undefined : '{}');
    });
    await using edge = await startTestEdge(upstream.url);
    for (const [headers, status, text] of [
      [{}, 200, '{}'],
      [{ 'if-none-match': 'W/"abc"' }, 304, ''],
    ] as const) {
      const answer = await edge.service.fetch('/v1/data/articles', { headers });
      assert.deepEqual([answer.status, await answer.text()], [status, text]);
      const [etag, control, vary] = ['etag', 'cache-control', 'vary'].map((name) => answer.headers.get(name));
      assert.deepEqual([etag, control, vary], ['W/"abc"', 'public, no-cache', 'Authorization, Cookie, Accept, Origin']);
    }
    await using silent = await startUpstream((_request, response) => response.end('{}'));
    await using other = await startTestEdge(silent.url);
    assert.equal((await other.service.fetch('/v1/data/articles')).headers.get('cache-control'), 'no-store');
  });

  it('routes nothing that is not in the table, and no path that could be read in two ways', async () => {
    await using upstream = await startUpstream((_request, response) => response.end('{}'));
    await using edge = await startTestEdge(upstream.url);
    for (const path of ['/internal/openapi.json', '/v1', '/v1/usersx', '/v2/users', '/metrics']) {
      await expectProblem(await edge.service.fetch(path), 404, 'not-found');
    }
    for (const path of ['/v1/data/../../internal/log', '/v1/data/%2e%2e/x', '//v1/users', '/v1/users\\..\\internal']) {
      const answer = await raw(edge.service.port, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 400 /, path);
    }
    const absolute = 'GET http://127.0.0.1/internal/log HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    assert.match(await raw(edge.service.port, absolute), /^HTTP\/1\.1 400 /);
    assert.equal(upstream.seen.length, 0);
  });

  it('refuses requests whose length is not plain, and lets nothing of them through', async () => {
    await using upstream = await startUpstream((request, response) => {
      request.resume();
      response.end('{}');
    });
    await using edge = await startTestEdge(upstream.url);
    const head = 'POST /v1/data/a HTTP/1.1\r\nHost: x\r\n';
    const smuggled = 'GET /v1/auth/account HTTP/1.1\r\nHost: x\r\n\r\n';
    for (const lengths of [
      'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n',
      'Transfer-Encoding: chunked\r\nContent-Length: 4\r\n',
      'Content-Length: 4\r\nContent-Length: 5\r\n',
      'Transfer-Encoding: xchunked\r\n',
      'Transfer-Encoding: gzip, chunked\r\n',
      'Content-Length: +4\r\n',
    ]) {
      const answer = await raw(edge.service.port, `${head}${lengths}Connection: close\r\n\r\n0\r\n\r\n${smuggled}`);
      assert.match(answer, /^HTTP\/1\.1 400 /, lengths);
      assert.doesNotMatch(answer, /HTTP\/1\.1 200/);
    }
    assert.equal(upstream.seen.length, 0);
    const long = `GET /v1/users/me HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(20_000)}\r\n\r\n`;
    assert.match(await raw(edge.service.port, long), /^HTTP\/1\.1 431 /);
  });

  it('answers for a service that cannot be reached, is silent, or ends the connection', async () => {
    const gone = await startUpstream(() => undefined);
    await gone[Symbol.asyncDispose]();
    {
      await using edge = await startTestEdge(gone.url);
      const refused = await edge.service.fetch('/v1/users/me');
      assert.equal(refused.headers.get('retry-after'), '1');
      await expectProblem(refused, 503, 'unavailable');
    }
    await using silent = await startUpstream(() => undefined);
    {
      await using edge = await startTestEdge(silent.url, { timeoutMs: 300 });
      await expectProblem(await edge.service.fetch('/v1/users/me'), 504, 'timeout');
    }
    await using rude = await startUpstream((request) => request.socket.resetAndDestroy());
    await using edge = await startTestEdge(rude.url);
    await expectProblem(await edge.service.fetch('/v1/users/me'), 502, 'bad-gateway');
    assert.equal(rude.seen.length, 2, 'a GET is tried once more');
    const post = await edge.service.fetch('/v1/data/a', { method: 'POST', body: '{}' });
    assert.equal(post.headers.get('retry-after'), '1');
    await expectProblem(post, 502, 'bad-gateway');
    assert.equal(rude.seen.length, 3, 'a POST is not');
  });

  it('tries a GET again whose connection was lost before an answer', async () => {
    let calls = 0;
    await using upstream = await startUpstream((request, response) => {
      calls += 1;
      if (calls === 1) request.socket.destroy();
      else response.end('"again"');
    });
    await using edge = await startTestEdge(upstream.url);
    const answer = await edge.service.fetch('/v1/users/me');
    assert.equal(answer.status, 200);
    assert.equal(await answer.text(), '"again"');
    assert.equal(calls, 2);
  });

  it('cuts the connection where a service ends in the middle of its answer', async () => {
    for (const length of [undefined, 100]) {
      await using upstream = await startUpstream((_request, response) => {
        if (length !== undefined) response.setHeader('Content-Length', length);
        response.write('the first half');
      });
      await using edge = await startTestEdge(upstream.url);
      const response = await get(`${edge.service.url}/v1/data/a`);
      assert.equal(response.statusCode, 200);
      await once(response, 'data');
      upstream.cut();
      const [error] = (await once(response, 'error')) as [NodeJS.ErrnoException];
      assert.equal(error.code, 'ECONNRESET');
      assert.equal(response.complete, false);
    }
  });

  it('tells the service when the client goes: before, and in the middle of the answer', async () => {
    const closed: string[] = [];
    await using upstream = await startUpstream((request, response) => {
      response.once('close', () => void closed.push(request.url ?? ''));
      if (request.url?.endsWith('/changes') === true) response.write('id: 1\n\n');
    });
    await using edge = await startTestEdge(upstream.url);
    const silent = httpRequest(`${edge.service.url}/v1/users/me`)
      .on('error', () => undefined)
      .end();
    await eventually(() => upstream.seen.length === 1);
    silent.destroy();
    await eventually(() => closed.length === 1);
    const feed = await get(`${edge.service.url}/v1/data/a/changes`);
    await once(feed, 'data');
    feed.on('error', () => undefined).destroy();
    await eventually(() => closed.length === 2);
    assert.deepEqual(closed, ['/v1/users/me', '/v1/data/a/changes']);
  });

  it('hands a feed’s head and each of its pieces on at once', async () => {
    const said = Promise.withResolvers<(text: string) => void>();
    await using upstream = await startUpstream((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.flushHeaders();
      said.resolve((text) => void response.write(text));
    });
    await using edge = await startTestEdge(upstream.url);
    const feed = await get(`${edge.service.url}/v1/data/a/changes`);
    assert.equal(feed.headers['content-type'], 'text/event-stream');
    const say = await said.promise;
    for (const text of ['id: 1\n\n', 'id: 2\n\n']) {
      say(text);
      const [chunk] = (await once(feed, 'data')) as [Buffer];
      assert.equal(chunk.toString(), text);
    }
    edge.drain();
    await once(feed, 'end');
  });

  it('takes no more from a service than the client takes', async () => {
    const megabyte = Buffer.alloc(1_048_576);
    let written = 0;
    await using upstream = await startUpstream((_request, response) => {
      const more = (): void => {
        while (written < 256) {
          written += 1;
          if (!response.write(megabyte)) {
            response.once('drain', more);
            return;
          }
        }
        response.end();
      };
      more();
    });
    await using edge = await startTestEdge(upstream.url);
    const response = await get(`${edge.service.url}/v1/data/a`);
    response.pause();
    await standsStill(() => written);
    assert.ok(written < 64, `${written} MB are on their way to a client that takes nothing`);
    let bytes = 0;
    response.on('data', (chunk: Buffer) => (bytes += chunk.length));
    response.resume();
    await once(response, 'end');
    assert.equal(bytes, 256 * megabyte.length);
  });

  it('streams an upload, and no faster than the service takes it', async () => {
    let received = 0;
    const go = Promise.withResolvers<undefined>();
    await using upstream = await startUpstream((request, response) => {
      request.pause();
      void go.promise.then(() => {
        request.on('data', (chunk: Buffer) => (received += chunk.length));
        request.on('end', () => response.end(String(received)));
        request.resume();
      });
    });
    await using edge = await startTestEdge(upstream.url, {
      timeoutMs: 30_000,
      // The service is silent for longer: that is nothing that the client could help.
      bodyTimeouts: { ...defaultBodyTimeouts, streamSilenceMs: 1_500 },
    });
    const headers = { 'Content-Type': 'application/x-ndjson' };
    const upload = httpRequest(`${edge.service.url}/v1/data/a`, { method: 'POST', headers });
    const chunk = Buffer.alloc(1_048_576, 'a');
    let sent = 0;
    const more = (): void => {
      while (sent < 48) {
        sent += 1;
        if (!upload.write(chunk)) {
          upload.once('drain', more);
          return;
        }
      }
      upload.end();
    };
    more();
    await standsStill(() => sent, 2_000);
    assert.equal(upstream.seen.length, 1);
    assert.ok(sent < 32, `${sent} MB are on their way to a service that takes nothing`);
    go.resolve(undefined);
    const [response] = (await once(upload, 'response')) as [IncomingMessage];
    assert.equal(response.statusCode, 200);
    response.resume();
    assert.equal(received, 48 * chunk.length);
  });

  it('refuses a body beyond the limit by its length, and one without a length when it gets there', async () => {
    let ended = 0;
    let aborted = 0;
    await using upstream = await startUpstream((request, response) => {
      request.on('error', () => (aborted += 1));
      request.on('end', () => {
        ended += 1;
        response.end('{}');
      });
      request.resume();
    });
    const limitBytes = 100_000;
    await using edge = await startTestEdge(upstream.url, { bodyLimitBytes: limitBytes });
    const send = (body: string | ReadableStream): Promise<Response> =>
      edge.service.fetch('/v1/data/a', { method: 'POST', body, duplex: 'half' });
    assert.equal((await send('a'.repeat(limitBytes))).status, 200);
    await expectProblem(await send('a'.repeat(limitBytes + 1)), 413, 'payload-too-large');
    assert.equal(upstream.seen.length, 1, 'what says its length is refused before the service hears of it');
    const chunked = new TransformStream<Uint8Array, Uint8Array>();
    const writer = chunked.writable.getWriter();
    const answer = send(chunked.readable);
    await writer.write(Buffer.alloc(70_000));
    await eventually(() => upstream.seen.length === 2);
    await writer.write(Buffer.alloc(30_001));
    await expectProblem(await answer, 413, 'payload-too-large');
    await eventually(() => aborted === 1);
    assert.equal(ended, 1, 'the service never takes a part for the whole');
    await using narrow = await startTestEdge(upstream.url, { bodyLimitBytes: 1_024 });
    const body = new Blob(['a'.repeat(1_025)]).stream();
    const refused = await narrow.service.fetch('/v1/data/a', { method: 'POST', body, duplex: 'half' });
    await expectProblem(refused, 413, 'payload-too-large');
    assert.equal(upstream.seen.length, 2, 'below what is taken in first, the service hears of neither');
  });

  it('takes in what is left of a body that a service has answered before its end: the connection serves the next call', async () => {
    await using upstream = await startUpstream((request, response) => {
      // As services do: the answer at once, and what still comes is thrown away.
      request.resume();
      response.writeHead(413, { 'Content-Type': 'application/json' }).end('{}');
    });
    await using edge = await startTestEdge(upstream.url, { bodyLimitBytes: 4 * 1_048_576 });
    await using client = keptAlive();
    const body = 'a'.repeat(1_048_576);
    for (let call = 0; call < 100; call += 1) {
      const dispatched = {
        method: 'POST',
        dispatcher: client.agent,
        body,
        signal: AbortSignal.timeout(20_000),
      } as const;
      const answer = await request(new URL('/v1/auth/sign-in', edge.service.url), dispatched);
      await answer.body.dump();
      assert.equal(answer.statusCode, 413);
    }
    // And what the gateway itself refuses on its way.
    await using narrow = await startTestEdge(upstream.url, { bodyLimitBytes: 100_000 });
    for (let call = 0; call < 100; call += 1) {
      const chunks = Readable.from([body.slice(0, 90_000), body]);
      const dispatched = { method: 'POST', dispatcher: client.agent, signal: AbortSignal.timeout(20_000) } as const;
      const answer = await request(new URL('/v1/data/a', narrow.service.url), { ...dispatched, body: chunks });
      await answer.body.dump();
      assert.equal(answer.statusCode, 413);
    }
  });

  it('lets no client that stops at the beginning of its body keep others from a service', async () => {
    await using upstream = await startUpstream((request, response) => {
      request.resume().once('end', () => response.end('{}'));
    });
    await using edge = await startTestEdge(upstream.url, { connections: 2 });
    const beginnings = [
      ['Content-Length: 1000', 'x'],
      ['Transfer-Encoding: chunked', '1\r\nx\r\n'],
      ['Transfer-Encoding: chunked\r\nContent-Type: application/x-ndjson', '1\r\nx\r\n'],
      ['Content-Length: 65537', 'x'],
    ] as const;
    const held = await Promise.all(beginnings.map(([length, part]) => halfSent(edge.service.port, length, part)));
    const signIn = () => edge.service.fetch('/v1/auth/sign-in', { method: 'POST', body: '{}' });
    assert.equal((await signIn()).status, 200);
    assert.equal(
      upstream.seen.length,
      1,
      'the service hears of a small body when it is whole, and of a larger one when it goes on',
    );
    for (const each of held) each.socket.destroy();
    assert.equal((await signIn()).status, 200);
  });

  it('ends a body that stops on its way with 408, and the service never takes a part for the whole', async () => {
    let aborted = 0;
    let ended = 0;
    await using upstream = await startUpstream((request) => {
      request.on('error', () => (aborted += 1));
      request.on('end', () => (ended += 1)).resume();
    });
    const bodyTimeouts = { wholeMs: 60_000, wholeSilenceMs: 60_000, streamSilenceMs: 60_000, streamMs: 60_000 };
    const declared = 'Content-Length: 1000';
    const large = 'x'.repeat(65_537);
    const cases = [
      [{ wholeSilenceMs: 100 }, declared, 'x', 0],
      [{ wholeMs: 100 }, declared, 'x', 0],
      [{ wholeMs: 100 }, 'Transfer-Encoding: chunked', '1\r\nx\r\n', 0],
      [{ wholeSilenceMs: 100 }, 'Content-Length: 70000', 'x', 0],
      [{ streamSilenceMs: 1_000 }, 'Transfer-Encoding: chunked', `10001\r\n${large}\r\n`, 1],
      [{ streamSilenceMs: 1_000 }, 'Content-Length: 70000', large, 1],
      [{ streamMs: 1_000 }, 'Content-Length: 70000', large, 1],
    ] as const;
    for (const [bounds, length, part, streamed] of cases) {
      await using edge = await startTestEdge(upstream.url, {
        timeoutMs: 60_000,
        bodyLimitBytes: 100_000,
        bodyTimeouts: { ...bodyTimeouts, ...bounds },
      });
      const before = aborted;
      const { rest } = await halfSent(edge.service.port, length, part);
      assert.match(await rest, /HTTP\/1\.1 408 [^]*application\/problem\+json[^]*"code":"request-timeout"/, length);
      await eventually(() => aborted - before === streamed);
    }
    assert.equal(ended, 0);
  });

  it('takes as long over an import as it goes on, from somebody who is known', async () => {
    await using upstream = await startUpstream((request, response) => {
      request.resume().once('end', () => response.end('{}'));
    });
    await using edge = await startTestEdge(upstream.url, {
      timeoutMs: 60_000,
      bodyTimeouts: { wholeMs: 100, wholeSilenceMs: 60_000, streamSilenceMs: 60_000, streamMs: 300 },
    });
    const send = async (headers: Record<string, string>): Promise<number | undefined> => {
      const sent = { ...headers, 'Content-Type': 'application/x-ndjson; charset=utf-8', 'Content-Length': 70_000 };
      const upload = httpRequest(`${edge.service.url}/v1/data/a`, { method: 'POST', headers: sent });
      upload.on('error', () => undefined).write('x'.repeat(1_000));
      const answered = once(upload, 'response') as Promise<[IncomingMessage]>;
      // Longer than any other body may take: at its beginning, and as a whole.
      await Promise.race([answered, pause(400)]);
      upload.write('x'.repeat(65_000));
      await Promise.race([answered, pause(400)]);
      upload.end('x'.repeat(4_000));
      const [response] = await answered;
      response.resume();
      return response.statusCode;
    };
    assert.equal(await send(await edge.issuer.bearer()), 200);
    assert.equal(await send({}), 408);
  });

  it('waits longer for the answer to an import, whose last lines are still written when all are sent', async () => {
    await using upstream = await startUpstream((request, response) => {
      request.resume();
      if (request.url === '/v1/data/slow') request.once('end', () => void setTimeout(() => response.end('{}'), 2_500));
    });
    await using edge = await startTestEdge(upstream.url, { timeoutMs: 400 });
    const bearer = await edge.issuer.bearer();
    const send = async (path: string, type: string): Promise<number> => {
      const headers = { ...bearer, 'Content-Type': type };
      const body = 'x'.repeat(1_000);
      const { status } = await fetch(`${edge.service.url}${path}`, { method: 'POST', headers, body });
      return status;
    };
    assert.equal(await send('/v1/data/slow', 'application/x-ndjson'), 200);
    assert.equal(await send('/v1/data/slow', 'application/json'), 504);
    assert.equal(await send('/v1/data/silent', 'application/x-ndjson'), 504);
  });

  it('has no more calls under way than connections, and says so', async () => {
    await using upstream = await startUpstream((request, response) => {
      if (request.url === '/v1/users/me') response.end('{}');
    });
    await using edge = await startTestEdge(upstream.url, { connections: 2 });
    const going = new AbortController();
    const held = [1, 2].map(() => edge.service.fetch('/v1/users/x', { signal: going.signal }).catch(() => undefined));
    await eventually(() => upstream.seen.length === 2);
    await expectProblem(await edge.service.fetch('/v1/users/me'), 503, 'unavailable');
    going.abort();
    await Promise.all(held);
    await eventually(async () => (await edge.service.fetch('/v1/users/me')).status === 200);
  });

  it('passes every kind of answer on as it is', async () => {
    await using upstream = await startUpstream((request, response) => {
      const status = Number(request.url?.split('/').at(-1));
      response.writeHead(status, { ETag: '"7"', 'Set-Cookie': ['a=1', 'b=2'], 'X-Status': status });
      response.end(status === 204 || status === 304 ? undefined : `"${status}"`);
    });
    await using edge = await startTestEdge(upstream.url);
    for (const status of [200, 201, 202, 204, 304, 400, 401, 403, 404, 409, 412, 413, 415, 422, 429, 500, 503]) {
      const answer = await edge.service.fetch(`/v1/data/a/${status}`);
      assert.equal(answer.status, status);
      assert.equal(answer.headers.get('etag'), '"7"');
      assert.deepEqual(answer.headers.getSetCookie(), ['a=1', 'b=2']);
      assert.equal(await answer.text(), status === 204 || status === 304 ? '' : `"${status}"`);
    }
    const head = await edge.service.fetch('/v1/data/a/200', { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(await head.text(), '');
  });
});
