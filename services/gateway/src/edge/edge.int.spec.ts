import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import process from 'node:process';
import { describe, it } from 'node:test';
import { connectRedis } from '@causeway/service';
import { testIdentity } from '@causeway/service/testing';
import { createLogger } from '@causeway/telemetry';

import { createLimits } from '../limits/limits.ts';
import { createOpenLimits } from '../limits/open-calls.ts';
import { eventually } from '../testing/eventually.ts';
import { noLimits, startTestEdge } from '../testing/test-edge.ts';
import { startUpstream } from '../testing/upstream.ts';

const logger = createLogger({ service: 'test', level: 'silent' });
const answering = () => startUpstream((_request, response) => response.end('{}'));

const limitsOn = (
  redisUrl: string,
  prefix: string,
  numbers: Partial<Record<'perAddress' | 'perPrincipal' | 'signIns', number>>,
) => {
  const redis = connectRedis({ url: redisUrl, name: 'test', logger });
  const limits = createLimits({
    redis,
    logger,
    prefix,
    windowMs: 60_000,
    perAddress: 1_000,
    perPrincipal: 1_000,
    signIns: 1_000,
    ...numbers,
  });
  const stop = (): void => {
    limits.stop();
    redis.disconnect();
  };
  return { limits, redis, [Symbol.dispose]: stop };
};

const redisUrl = process.env.REDIS_URL ?? '';

describe('edge', () => {
  it('knows who a browser’s cookie is, for limits too, and passes on no write of another site', async () => {
    await using upstream = await answering();
    const counted: string[] = [];
    const limits = { ...noLimits, byPrincipal: (sub: string) => (counted.push(sub), {}) };
    await using edge = await startTestEdge(upstream.url, { limits });
    const sub = `usr_${randomUUID()}`;
    const cookie = `a=1; __Host-causeway-refresh=r; __Host-causeway-access=${await edge.issuer.token({ sub })}`;
    const patch = (headers: Record<string, string>) =>
      edge.service.fetch('/v1/users/me', { method: 'PATCH', headers: { cookie, ...headers } });
    assert.equal((await edge.service.fetch('/v1/users/me', { headers: { cookie } })).status, 200);
    assert.equal((await patch({ 'sec-fetch-site': 'same-origin' })).status, 200);
    assert.deepEqual(counted, [sub, sub]);
    assert.match(upstream.seen.at(-1)?.headers.cookie ?? '', /^__Host-causeway-access=[^;]+$/);
    const before = upstream.seen.length;
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://app.example.test' }, {}]) {
      const answer = await patch(headers);
      assert.equal(answer.status, 403);
      assert.equal(((await answer.json()) as { code: string }).code, 'cross-site');
    }
    const bad = { cookie: '__Host-causeway-access=nonsense' };
    assert.equal((await edge.service.fetch('/v1/users/me', { headers: bad })).status, 401);
    assert.equal(upstream.seen.length, before);
    // What auth needs of a browser goes to auth as it came.
    await edge.service.fetch('/v1/auth/refresh', { method: 'POST', headers: { cookie } });
    assert.equal(upstream.seen.at(-1)?.headers.cookie, cookie);
  });

  it('refuses a token that is not valid, and lets calls without one pass', async () => {
    await using upstream = await answering();
    await using edge = await startTestEdge(upstream.url);
    const stranger = await testIdentity();
    const unsigned = `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${Buffer.from('{"sub":"usr_1"}').toString('base64url')}.`;
    const past = Math.floor(Date.now() / 1000) - 1_000;
    const bad = [
      `Bearer ${unsigned}`,
      `Bearer ${await stranger.token()}`,
      `Bearer ${await edge.issuer.token({ issuer: 'elsewhere' })}`,
      `Bearer ${await edge.issuer.token({ iat: past - 300, exp: past })}`,
      'Bearer nonsense',
      'Basic dXNlcjpwYXNz',
    ];
    for (const authorization of bad) {
      const refused = await edge.service.fetch('/v1/users/me', { headers: { authorization } });
      assert.equal(refused.status, 401, authorization);
      assert.match(refused.headers.get('www-authenticate') ?? '', /^Bearer/);
    }
    assert.equal(upstream.seen.length, 0);
    assert.equal((await edge.service.fetch('/v1/users/me', { headers: await edge.issuer.bearer() })).status, 200);
    assert.equal((await edge.service.fetch('/v1/data/a')).status, 200);
    const headers = { authorization: 'Bearer of-old' };
    assert.equal((await edge.service.fetch('/v1/auth/refresh', { method: 'POST', headers })).status, 200);
  });

  it('reads no token where everybody may read', async () => {
    await using upstream = await answering();
    await using edge = await startTestEdge(upstream.url);
    const headers = { authorization: 'Bearer of-old' };
    // This app has no routes of its own.
    for (const path of ['/openapi.json', '/docs', '/docs/page.css', '/problems/timeout', '/']) {
      assert.equal((await edge.service.fetch(path, { headers })).status, 404, path);
    }
    assert.equal((await edge.service.fetch('/v1/events', { headers })).status, 401);
  });

  it('passes no method on that is none of the interface, and names those that are', async () => {
    await using upstream = await answering();
    await using edge = await startTestEdge(upstream.url);
    const ask = async (method: string, path: string): Promise<[number | undefined, string | undefined]> => {
      const asking = request(`${edge.service.url}${path}`, { method, agent: false }).end();
      const [answer] = (await once(asking, 'response')) as [IncomingMessage];
      answer.resume();
      return [answer.statusCode, answer.headers.allow];
    };
    for (const method of ['TRACE', 'PROPFIND']) {
      assert.deepEqual(await ask(method, '/v1/users/me'), [405, 'GET, HEAD, OPTIONS, PATCH'], method);
      assert.deepEqual(await ask(method, '/v1/users/me/x'), [404, undefined], method);
      assert.deepEqual(await ask(method, '/nothing'), [404, undefined], method);
    }
    assert.equal(upstream.seen.length, 0);
  });

  it('lets allowed pages call, and read refusals too', async () => {
    await using upstream = await answering();
    await using edge = await startTestEdge(upstream.url);
    const origin = 'http://localhost:5173';
    const asked = {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization',
    };
    const preflight = await edge.service.fetch('/v1/data/a', { method: 'OPTIONS', headers: asked });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get('access-control-allow-origin'), origin);
    assert.equal(upstream.seen.length, 0);
    for (const [path, status] of [
      ['/v1/data/a', 200],
      ['/v1/nothing', 404],
    ] as const) {
      const answer = await edge.service.fetch(path, { headers: { origin } });
      assert.equal(answer.status, status);
      assert.equal(answer.headers.get('access-control-allow-origin'), origin);
      assert.match(answer.headers.get('vary') ?? '', /Origin/);
    }
    const stranger = await edge.service.fetch('/v1/data/a', { headers: { origin: 'https://evil.example' } });
    assert.equal(stranger.headers.get('access-control-allow-origin'), null);
  });

  it('limits calls by address and by principal, and says where one stands', async () => {
    await using upstream = await answering();
    using limited = limitsOn(redisUrl, randomUUID(), { perAddress: 5, perPrincipal: 2 });
    await using edge = await startTestEdge(upstream.url, { limits: limited.limits });
    const headers = await edge.issuer.bearer({ sub: 'usr_1' });
    const first = await edge.service.fetch('/v1/users/me', { headers });
    assert.equal(first.headers.get('ratelimit'), '"principal";r=1;t=60');
    assert.equal(first.headers.get('ratelimit-policy'), '"address";q=5;w=60, "principal";q=2;w=60');
    await edge.service.fetch('/v1/users/me', { headers });
    const third = await edge.service.fetch('/v1/users/me', { headers });
    assert.equal(third.status, 429);
    assert.equal(((await third.json()) as { code: string }).code, 'too-many-requests');
    assert.ok(Number(third.headers.get('retry-after')) > 0);
    assert.match(third.headers.get('ratelimit') ?? '', /^"principal";r=0;/);
    const statuses = [];
    for (let call = 0; call < 3; call += 1) statuses.push((await edge.service.fetch('/v1/data/a')).status);
    assert.deepEqual(statuses, [200, 200, 429]);
    assert.equal((await edge.service.fetch('/readyz')).status, 404, 'health has no limit; this app has no such route');
  });

  it('lets one address have so many calls open, and so many feeds', async () => {
    await using upstream = await startUpstream((request, response) => {
      if (request.url?.endsWith('/held') === true) return;
      response.writeHead(200);
      if (request.url?.endsWith('/changes') === true) response.flushHeaders();
      else response.end('{}');
    });
    await using edge = await startTestEdge(upstream.url, { open: createOpenLimits(2, 1) });
    const going = new AbortController();
    const { signal } = going;
    const held = [1, 2].map(() => edge.service.fetch('/v1/users/held', { signal }).catch(() => undefined));
    await eventually(() => upstream.seen.length === 2);
    const refused = await edge.service.fetch('/v1/users/me');
    assert.equal(refused.status, 429);
    assert.equal(refused.headers.get('retry-after'), '1');
    assert.equal(((await refused.json()) as { code: string }).code, 'too-many-requests');
    assert.equal((await edge.service.fetch('/v1/data/a/changes', { signal })).status, 200);
    assert.equal((await edge.service.fetch('/v1/data/a/changes')).status, 429);
    going.abort();
    await Promise.all(held);
    await eventually(async () => (await edge.service.fetch('/v1/users/me')).status === 200);
    for (let call = 0; call < 3; call += 1) {
      assert.equal((await edge.service.fetch('/v1/users/me')).status, 200, 'what is answered is not open');
    }
  });

  it('lets one principal have so many feeds, wherever it comes from', async () => {
    await using upstream = await startUpstream((_request, response) => response.writeHead(200).flushHeaders());
    await using edge = await startTestEdge(upstream.url, { open: createOpenLimits(10, 1), trustedProxies: 1 });
    const going = new AbortController();
    const feed = async (sub: string, address: string): Promise<number> => {
      const headers = { ...(await edge.issuer.bearer({ sub })), 'x-forwarded-for': address };
      return (await edge.service.fetch('/v1/data/a/changes', { headers, signal: going.signal })).status;
    };
    assert.equal(await feed('usr_1', '203.0.113.1'), 200);
    assert.equal(await feed('usr_1', '203.0.113.2'), 429);
    assert.equal(await feed('usr_2', '203.0.113.2'), 200);
    assert.equal(await feed('usr_3', '203.0.113.2'), 429);
    going.abort();
    const again = new AbortController();
    await eventually(async () => {
      const headers = { ...(await edge.issuer.bearer({ sub: 'usr_1' })), 'x-forwarded-for': '203.0.113.3' };
      return (await edge.service.fetch('/v1/data/a/changes', { headers, signal: again.signal })).status === 200;
    });
    again.abort();
  });

  it('counts together with other gateways', async () => {
    await using upstream = await answering();
    const prefix = randomUUID();
    using one = limitsOn(redisUrl, prefix, { perAddress: 4 });
    using other = limitsOn(redisUrl, prefix, { perAddress: 4 });
    await using first = await startTestEdge(upstream.url, { limits: one.limits });
    await using second = await startTestEdge(upstream.url, { limits: other.limits });
    const counted = (calls: number) =>
      eventually(async () => (await one.redis.get(`${prefix}:limit:address:127.0.0.1`)) === String(calls));
    for (let call = 0; call < 2; call += 1) await first.service.fetch('/v1/data/a');
    await counted(2);
    for (let call = 0; call < 2; call += 1) await second.service.fetch('/v1/data/a');
    await counted(4);
    // The second has heard of all four; the first has as many left as when it was last told.
    assert.equal((await second.service.fetch('/v1/data/a')).status, 429);
    await eventually(() => first.service.fetch('/v1/data/a').then(({ status }) => status === 429));
    assert.ok(upstream.seen.length <= 6, `${upstream.seen.length} calls went through`);
  });

  it('limits guessing at once for all gateways, and without Redis for itself', async () => {
    await using upstream = await answering();
    const prefix = randomUUID();
    using one = limitsOn(redisUrl, prefix, { signIns: 3 });
    using other = limitsOn(redisUrl, prefix, { signIns: 3 });
    using alone = limitsOn('redis://127.0.0.1:1', prefix, { signIns: 1, perAddress: 3 });
    await using first = await startTestEdge(upstream.url, { limits: one.limits });
    await using second = await startTestEdge(upstream.url, { limits: other.limits });
    await using third = await startTestEdge(upstream.url, { limits: alone.limits });
    // Before it has Redis, each counts for itself.
    for (const { redis } of [one, other]) await eventually(() => redis.status === 'ready');
    const signIn = async (edge: typeof first): Promise<number> =>
      (await edge.service.fetch('/v1/auth/sign-in', { method: 'POST', body: '{}' })).status;
    assert.deepEqual(
      [await signIn(first), await signIn(second), await signIn(first), await signIn(second)],
      [200, 200, 200, 429],
    );
    assert.equal(await signIn(first), 429);
    assert.equal((await first.service.fetch('/v1/auth/account')).status, 200, 'other calls go on');
    assert.deepEqual([await signIn(third), await signIn(third)], [200, 429]);
    assert.equal((await third.service.fetch('/v1/data/a')).status, 200);
    assert.equal((await third.service.fetch('/v1/data/a')).status, 429);
  });
});
