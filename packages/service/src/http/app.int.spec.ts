import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { defineFault } from '@causeway/contracts';
import { z } from 'zod';

import { testIdentity, type TestIdentity } from '../testing/test-identity.ts';
import { startTestService, type TestService } from '../testing/test-service.ts';
import type { Problem } from './problem.ts';
import { defineRoute, internalRoute } from './route.ts';

const taken = defineFault({ code: 'name-taken', category: 'conflict', title: 'Taken', description: 'Taken.' });
const gone = Promise.withResolvers<undefined>();
const changes: string[] = [];

const routes = [
  defineRoute({
    method: 'post',
    path: '/v1/things/{id}',
    operationId: 'createThing',
    tag: 'things',
    summary: 'Create',
    access: 'signed-in',
    params: z.object({ id: z.string().regex(/^thing_\d+$/) }),
    query: z.object({ dry: z.enum(['true', 'false']).optional() }),
    body: z.object({ email: z.email(), mood: z.enum(['throw', 'taken', 'reject']).optional() }),
    bodyLimitBytes: 200_000,
    responses: { 201: { description: 'Created.', schema: z.unknown() } },
    faults: [taken],
    handle: (call) => {
      if (call.body.mood === 'throw') throw new Error('E11000 secret driver words');
      if (call.body.mood === 'reject') return Promise.reject(new Error('secret words'));
      if (call.body.mood === 'taken') throw taken({ detail: 'Choose another.' });
      changes.push(call.params.id);
      const { token, principal, cause, requestId, clientIp, ifMatch } = call;
      return {
        status: 201,
        headers: { ETag: '"1"', 'cache-control': 'private', Location: undefined },
        body: { sub: token.sub, principal, cause, requestId, clientIp, ifMatch, email: call.body.email },
      };
    },
  }),
  defineRoute({
    method: 'patch',
    path: '/v1/things/{id}',
    operationId: 'patchThing',
    tag: 'things',
    summary: 'Patch',
    access: 'admin',
    bodies: { 'application/merge-patch+json': z.looseObject({}), 'application/x-ndjson': 'stream' },
    responses: { 200: { description: 'Patched.', schema: z.unknown() } },
    handle: async (call) => {
      if (call.body.mediaType === 'application/merge-patch+json') return { status: 200, body: call.body.value };
      let bytes = 0;
      for await (const chunk of call.body.value) bytes += (chunk as Buffer).length;
      return { status: 200, json: `{"bytes":${bytes}}` };
    },
  }),
  defineRoute({
    method: 'get',
    path: '/v1/things',
    operationId: 'listThings',
    tag: 'things',
    summary: 'List',
    access: 'public',
    responses: {
      200: { description: 'All.', schema: z.unknown(), mediaTypes: ['application/json', 'text/csv'] },
      204: { description: 'None.' },
    },
    handle: (call) => {
      if (call.mediaType === 'text/csv') {
        return { status: 200, headers: { 'Content-Type': 'text/csv' }, stream: Readable.from(['a,b\n', '1,2\n']) };
      }
      return { status: 200, body: { who: call.token?.sub ?? null } };
    },
  }),
  defineRoute({
    method: 'get',
    path: '/v1/feed',
    operationId: 'feed',
    tag: 'things',
    summary: 'Feed',
    access: 'anonymous',
    responses: { 200: { description: 'Feed.', mediaTypes: ['text/event-stream'] } },
    handle: (call) => ({
      status: 200,
      headers: { 'Content-Type': 'text/event-stream' },
      stream: async (response) => {
        response.write('id: 1\n\n');
        call.signal.addEventListener('abort', () => gone.resolve(undefined));
        await Promise.race([once(call.draining, 'abort'), once(call.signal, 'abort')]);
        response.write('event: end\n\n');
      },
    }),
  }),
  defineRoute({
    method: 'post',
    path: '/v1/things/{id}/touch',
    operationId: 'touchThing',
    tag: 'things',
    summary: 'Touch',
    access: 'anonymous',
    hidden: true,
    params: z.object({ id: z.string() }),
    responses: { 204: { description: 'Touched.' } },
    handle: () => ({ status: 204 }),
  }),
  internalRoute({
    method: 'get',
    path: '/internal/secret',
    operationId: 'secret',
    summary: 'Secret',
    responses: { 200: { description: 'Secret.', schema: z.unknown() } },
    handle: (call) => ({ status: 200, body: { requestId: call.requestId, clientIp: call.clientIp } }),
  }),
];

let service: TestService;
let authorization: string;
let issuer: TestIdentity;
/** Sessions that were asked about, and those that have ended. */
const [asked, ended] = [new Set<string>(), new Set<string>()];
before(async () => {
  issuer = await testIdentity({
    revocations: {
      isRevoked: ({ sid }) => {
        asked.add(sid);
        return ended.has(sid);
      },
      learn: () => undefined,
      start: () => Promise.resolve(),
      ready: () => true,
      stop: () => Promise.resolve(),
    },
  });
  ({ authorization } = await issuer.bearer({ sub: 'usr_1' }));
  service = await startTestService(routes, { identity: issuer.identity });
  admin = (await issuer.bearer({ roles: ['admin'] })).authorization;
});
after(() => service.stop());
let admin: string;

const post = (
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
  path = '/v1/things/thing_1',
) =>
  service.fetch(path, {
    method: 'POST',
    body,
    headers: { authorization, 'content-type': 'application/json', ...headers },
  });

const isProblem = async (answer: Response, status: number, code: string): Promise<Problem> => {
  const text = await answer.text();
  assert.equal(answer.status, status, text);
  assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  const problem = JSON.parse(text) as Problem;
  assert.equal(problem.status, status);
  assert.equal(problem.code, code);
  assert.equal(problem.type, `http://causeway.test/problems/${code}`);
  assert.equal(problem.requestId, answer.headers.get('x-request-id'));
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  return problem;
};

/** Sends bytes and reads until the connection closes or an answer has come. */
const raw = async (bytes: string): Promise<string> => {
  const socket = net.connect(service.port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  socket.on('error', () => undefined);
  socket.write(bytes);
  await once(socket, 'close', { signal: AbortSignal.timeout(10_000) });
  return answer;
};

describe('an answer', () => {
  it('has what the handler gave, and the headers that all have', async () => {
    const answer = await post('{"email":"a@b.test"}', { 'if-match': '"3", "4"', 'x-request-id': 'chosen-by-caller' });
    assert.equal(answer.status, 201);
    assert.equal(answer.headers.get('etag'), '"1"');
    assert.equal(answer.headers.get('location'), null);
    assert.equal(answer.headers.get('cache-control'), 'private');
    assert.equal(answer.headers.get('content-type'), 'application/json');
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
    assert.equal(answer.headers.get('x-powered-by'), null);
    const requestId = answer.headers.get('x-request-id');
    assert.notEqual(requestId, 'chosen-by-caller');
    assert.deepEqual(await answer.json(), {
      sub: 'usr_1',
      principal: { type: 'app_user', id: 'usr_1' },
      cause: { correlationId: requestId, principal: { type: 'app_user', id: 'usr_1' } },
      requestId,
      clientIp: '127.0.0.1',
      ifMatch: [3, 4],
      email: 'a@b.test',
    });
  });

  it('is known to a public call whoever asks, and refused with a bad token', async () => {
    assert.deepEqual(await (await service.fetch('/v1/things')).json(), { who: null });
    assert.deepEqual(await (await service.fetch('/v1/things', { headers: { authorization } })).json(), {
      who: 'usr_1',
    });
    const answer = await service.fetch('/v1/things', { headers: { authorization: 'Bearer x' } });
    await isProblem(answer, 401, 'unauthenticated');
    assert.equal(answer.headers.get('www-authenticate'), 'Bearer error="invalid_token"');
  });

  it('is in the media type that was asked for', async () => {
    const answer = await service.fetch('/v1/things', { headers: { accept: 'text/csv' } });
    assert.equal(answer.headers.get('content-type'), 'text/csv');
    assert.equal(await answer.text(), 'a,b\n1,2\n');
    await isProblem(await service.fetch('/v1/things', { headers: { accept: 'image/png' } }), 406, 'not-acceptable');
  });

  it('to HEAD has no body', async () => {
    for (const accept of ['application/json', 'text/csv']) {
      const answer = await service.fetch('/v1/things', { method: 'HEAD', headers: { accept } });
      assert.equal(answer.status, 200);
      assert.equal(await answer.text(), '');
    }
    const feed = await service.fetch('/v1/feed', { method: 'HEAD' });
    assert.equal(feed.status, 200);
  });

  it('to OPTIONS names the methods', async () => {
    const answer = await service.fetch('/v1/things/thing_1', { method: 'OPTIONS' });
    assert.equal(answer.status, 204);
    assert.equal(answer.headers.get('allow'), 'OPTIONS, PATCH, POST');
    await isProblem(await service.fetch('/nowhere', { method: 'OPTIONS' }), 404, 'not-found');
  });
});

describe('bad input', () => {
  const bad: [string, () => Promise<Response>, number, string][] = [
    ['an unknown path', () => service.fetch('/v1/nothing'), 404, 'not-found'],
    ['a path that differs by case', () => service.fetch('/v1/Things'), 404, 'not-found'],
    ['a slash too many', () => service.fetch('/v1/things/'), 404, 'not-found'],
    ['a malformed percent-encoding in the path', () => post('{}', {}, '/v1/things/%zz'), 400, 'invalid-request'],
    [
      'a malformed percent-encoding in the query',
      () => post('{}', {}, '/v1/things/thing_1?dry=%zz'),
      400,
      'invalid-request',
    ],
    ['an id of another form', () => post('{"email":"a@b.test"}', {}, '/v1/things/other'), 404, 'not-found'],
    ['an unknown parameter', () => post('{"email":"a@b.test"}', {}, '/v1/things/thing_1?x=1'), 400, 'invalid-request'],
    ['a parameter where none is taken', () => service.fetch('/v1/things?x=1'), 400, 'invalid-request'],
    ['no token', () => post('{}', { authorization: '' }), 401, 'unauthenticated'],
    ['no JSON', () => post('{"email": nope}'), 400, 'invalid-request'],
    ['an empty body', () => post(''), 400, 'invalid-request'],
    ['no UTF-8', () => post(Uint8Array.of(0x22, 0xc3, 0x28, 0x22)), 400, 'invalid-request'],
    ['10,000 levels of JSON', () => post('['.repeat(10_000) + ']'.repeat(10_000)), 400, 'invalid-request'],
    ['a key __proto__', () => post('{"email":"a@b.test","__proto__":{"x":1}}'), 400, 'invalid-request'],
    ['an unknown field', () => post('{"email":"a@b.test","role":"admin"}'), 400, 'invalid-request'],
    ['an operator object for a text', () => post('{"email":{"$gt":""}}'), 400, 'invalid-request'],
    ['a malformed If-Match', () => post('{"email":"a@b.test"}', { 'if-match': '3' }), 400, 'invalid-request'],
    ['10 MB', () => post(JSON.stringify({ email: 'x'.repeat(10_000_000) })), 413, 'payload-too-large'],
    [
      'another media type',
      () => post('a=b', { 'content-type': 'application/x-www-form-urlencoded' }),
      415,
      'unsupported-media-type',
    ],
    [
      'another charset',
      () => post('{}', { 'content-type': 'application/json; charset=latin1' }),
      415,
      'unsupported-media-type',
    ],
    ['a compressed body', () => post('{}', { 'content-encoding': 'gzip' }), 415, 'unsupported-media-type'],
  ];
  for (const [what, send, status, code] of bad) {
    it(`${what} is ${status} ${code}, and changes nothing`, async () => {
      const before = changes.length;
      await isProblem(await send(), status, code);
      assert.equal(changes.length, before);
    });
  }

  it('of a wrong method is 405 with Allow', async () => {
    const answer = await service.fetch('/v1/things/thing_1');
    await isProblem(answer, 405, 'method-not-allowed');
    assert.equal(answer.headers.get('allow'), 'OPTIONS, PATCH, POST');
  });

  it('of an unknown media type on PATCH is 415 with Accept-Patch', async () => {
    const answer = await service.fetch('/v1/things/thing_1', {
      method: 'PATCH',
      body: '{}',
      headers: { authorization: admin, 'content-type': 'application/json' },
    });
    await isProblem(answer, 415, 'unsupported-media-type');
    assert.equal(answer.headers.get('accept-patch'), 'application/merge-patch+json, application/x-ndjson');
  });

  it('of a chunked body that grows too large is 413, and the connection serves on', async () => {
    const chunk = 'x'.repeat(50_000);
    const stream = new ReadableStream({
      start: (controller) => {
        for (let index = 0; index < 8; index += 1) controller.enqueue(new TextEncoder().encode(chunk));
        controller.close();
      },
    });
    const answer = await service.fetch('/v1/things/thing_1', {
      method: 'POST',
      body: stream,
      duplex: 'half',
      headers: { authorization, 'content-type': 'application/json' },
    });
    await isProblem(answer, 413, 'payload-too-large');
    assert.equal((await post('{"email":"a@b.test"}')).status, 201);
  });

  it('whose session ends while its body comes slowly is 401, and changes nothing', async () => {
    const before = changes.length;
    const sid = 'ses_ENDING';
    const { authorization: ending } = await issuer.bearer({ sid });
    const body = '{"email":"a@example.com"}';
    const head = [
      'POST /v1/things/thing_1 HTTP/1.1',
      'Host: a',
      'Connection: close',
      'Content-Type: application/json',
      `Authorization: ${ending}`,
      `Content-Length: ${body.length}`,
    ];
    const socket = net.connect(service.port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    socket.write(`${head.join('\r\n')}\r\n\r\n${body.slice(0, 5)}`);
    while (!asked.has(sid)) await delay(5);
    ended.add(sid);
    // The slow body itself: one that is there within a second is not asked about again.
    await delay(1_100);
    socket.end(body.slice(5));
    await once(socket, 'close', { signal: AbortSignal.timeout(10_000) });
    assert.match(answer, /^HTTP\/1\.1 401 /);
    assert.equal(changes.length, before);
  });

  it('from somebody who may not is 403', async () => {
    const answer = await service.fetch('/v1/things/thing_1', {
      method: 'PATCH',
      body: '{}',
      headers: { authorization },
    });
    await isProblem(answer, 403, 'forbidden');
  });

  it('that is no HTTP is 400, headers that are too large 431', async () => {
    const nonsense = await raw('NONSENSE\r\n\r\n');
    assert.match(nonsense, /^HTTP\/1\.1 400 [^]*application\/problem\+json[^]*"code":"invalid-request"/);
    const large = await raw(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
    assert.match(large, /^HTTP\/1\.1 431 [^]*"status":431,"code":"headers-too-large"/);
    const smuggled = await raw(
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    );
    assert.match(smuggled, /^HTTP\/1\.1 400 /);
  });
});

describe('a message', () => {
  const problemDocument = (status: number, code: string): RegExp =>
    new RegExp(`^HTTP/1\\.1 ${status} [^]*application/problem\\+json[^]*"status":${status},"code":"${code}"`);

  it('that is refused has an id too', async () => {
    for (const message of [
      'NONSENSE\r\n\r\n',
      `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      'GET / HTTP/1.1\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: x\r\nExpect: all\r\n\r\n',
    ]) {
      const answer = await raw(message);
      const [, id] = /\r\nX-Request-Id: ([\w-]{36})\r\n/i.exec(answer) ?? [];
      assert.ok(id !== undefined && answer.includes(`"requestId":"${id}"`), answer);
    }
  });

  it('has exactly one Host, unless it is of HTTP/1.0', async () => {
    const refused = problemDocument(400, 'invalid-request');
    assert.match(await raw('GET /v1/things HTTP/1.1\r\n\r\n'), refused);
    assert.match(await raw('GET /v1/things HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n'), refused);
    assert.match(await raw('GET /v1/things HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n'), refused);
    assert.match(await raw('GET /v1/things HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 /);
  });

  it('expects nothing but 100-continue', async () => {
    const expecting = (what: string) =>
      raw(`GET /v1/things HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: ${what}\r\n\r\n`);
    assert.match(await expecting('200-ok'), problemDocument(417, 'expectation-failed'));
    assert.match(await expecting('100-continue'), /HTTP\/1\.1 200 /);
  });
});

describe('a call that takes no body', () => {
  const touch = (body?: string | ReadableStream, type = 'application/json') =>
    service.fetch('/v1/things/thing_1/touch', {
      method: 'POST',
      headers: { authorization, 'content-type': type },
      ...(body !== undefined && { body, duplex: 'half' }),
    });

  it('takes an empty one', async () => {
    for (const body of [undefined, '', '{}', new Blob([]).stream()]) assert.equal((await touch(body)).status, 204);
  });

  it('refuses one that says something', async () => {
    const problem = await isProblem(await touch('{"all":1}'), 400, 'invalid-request');
    assert.deepEqual(
      problem.errors?.map(({ pointer, code }) => [pointer, code]),
      [['/all', 'unknown-field']],
    );
    for (const [body, type] of [
      ['all=1', 'application/x-www-form-urlencoded'],
      ['{', 'application/json'],
      ['[]', 'application/json'],
      [' '.repeat(2_000), 'application/json'],
      [new Blob(['x'.repeat(2_000)]).stream(), 'application/json'],
    ] as const) {
      await isProblem(await touch(body, type), 400, 'invalid-request');
    }
  });
});

describe('several media types', () => {
  it('are told apart', async () => {
    const patch = (type: string, body: string) =>
      service.fetch('/v1/things/thing_1', {
        method: 'PATCH',
        body,
        headers: { authorization: admin, 'content-type': type },
      });
    const merged = await patch('application/merge-patch+json; charset=UTF-8', '{"a":null}');
    assert.deepEqual(await merged.json(), { a: null });
    assert.deepEqual(await (await patch('application/x-ndjson', '{}\n{}\n')).json(), { bytes: 6 });
  });
});

describe('a failure', () => {
  for (const mood of ['throw', 'reject']) {
    it(`by ${mood} says the same to everybody, and the log knows why`, async () => {
      const answer = await post(`{"email":"a@b.test","mood":"${mood}"}`);
      const problem = await isProblem(answer, 500, 'internal');
      assert.deepEqual(Object.keys(problem).sort(), ['code', 'requestId', 'status', 'title', 'type']);
      const line = service.logged.find((each) => each.requestId === problem.requestId);
      assert.equal(line?.level, 'error');
      assert.match(JSON.stringify(line.error), /secret/);
      assert.match(JSON.stringify(line.error), /app\.int\.spec/);
    });
  }

  it('that a feature declares is told', async () => {
    const problem = await isProblem(await post('{"email":"a@b.test","mood":"taken"}'), 409, 'name-taken');
    assert.equal(problem.title, 'Taken');
    assert.equal(problem.detail, 'Choose another.');
  });
});

describe('the inside', () => {
  it('does not exist without the key, by whatever method', async () => {
    for (const method of ['POST', 'OPTIONS']) {
      for (const path of ['/internal/secret', '/internal/openapi.json']) {
        const answer = await service.fetch(path, { method });
        assert.equal(answer.headers.get('allow'), null);
        await isProblem(answer, 404, 'not-found');
      }
    }
    const known = await service.fetch('/internal/secret', { method: 'POST', headers: service.internalHeaders });
    assert.equal(known.headers.get('allow'), 'GET, HEAD, OPTIONS');
    await isProblem(known, 405, 'method-not-allowed');
    await isProblem(await service.fetch('/internal/secret'), 404, 'not-found');
    const wrong = { 'causeway-internal': 'x'.repeat(36) };
    await isProblem(await service.fetch('/internal/secret', { headers: wrong }), 404, 'not-found');
  });

  it('believes the request id and the address of a caller that has it', async () => {
    const headers = { ...service.internalHeaders, 'x-request-id': 'req_12345678', 'x-forwarded-for': '203.0.113.7' };
    const answer = await service.fetch('/internal/secret', { headers });
    assert.deepEqual(await answer.json(), { requestId: 'req_12345678', clientIp: '203.0.113.7' });
    const malformed = { ...service.internalHeaders, 'x-request-id': 'a b' };
    const other = (await (await service.fetch('/internal/secret', { headers: malformed })).json()) as Problem;
    assert.notEqual(other.requestId, 'a b');
  });

  it('documents the public routes for the gateway', async () => {
    const answer = await service.fetch('/internal/openapi.json', { headers: service.internalHeaders });
    const document = (await answer.json()) as {
      paths: Record<
        string,
        Record<string, { responses: object; security: object[]; requestBody?: { content: object } }>
      >;
      'x-problems': { code: string }[];
    };
    assert.deepEqual(Object.keys(document.paths).sort(), ['/v1/feed', '/v1/things', '/v1/things/{id}']);
    const create = document.paths['/v1/things/{id}']?.post;
    const statuses = ['201', '400', '401', '403', '404', '406', '409', '413', '415', '429', '500', '502', '503', '504'];
    assert.deepEqual(Object.keys(create?.responses ?? {}).sort(), statuses);
    assert.match(JSON.stringify(create?.requestBody), /"additionalProperties":false/);
    assert.deepEqual(document.paths['/v1/feed']?.get?.security, []);
    assert.ok(document['x-problems'].some((each) => each.code === 'name-taken'));
  });
});

describe('a stream', () => {
  it('learns that its reader has gone', async () => {
    const reading = new AbortController();
    const answer = await service.fetch('/v1/feed', { signal: reading.signal });
    await answer.body?.getReader().read();
    reading.abort();
    await gone.promise;
  });

  it('ends itself when the service begins to stop', async () => {
    await using stopping = await startTestService(routes.slice(3));
    const answer = await stopping.fetch('/v1/feed');
    stopping.drain();
    assert.match(await answer.text(), /event: end/);
    const next = await stopping.fetch('/nothing');
    assert.equal(next.headers.get('connection'), 'close');
  });
});
