import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { json as jsonOf } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { handlersTopic, schemaUrn, sessionEnded, topicOf, type EventEnvelope } from '@causeway/contracts';
import { createKafka, toBinary } from '@causeway/events';
import { isolatedKafka } from '@causeway/events/testing';
import {
  connectRedis,
  createRevocationTeller,
  EndedTokens,
  readSettings,
  whichEndedPath,
  type ServiceParts,
} from '@causeway/service';
import { altered, startTestService, testIdentity } from '@causeway/service/testing';
import type { TestIdentity, TestService } from '@causeway/service/testing';
import { createLogger } from '@causeway/telemetry';

import { start } from './app.ts';
import { settings } from './config.ts';
import { eventually } from './testing/eventually.ts';
import { startUpstream, type Upstream } from './testing/upstream.ts';

const logger = createLogger({ service: 'test', level: 'silent' });
const { KAFKA_BROKERS = '', REDIS_URL = '' } = process.env;

const problem = { code: 'email-taken', status: 409, title: 'The <address> is taken', description: 'Sign in instead.' };
const part = {
  openapi: '3.1.0',
  info: { title: 'auth', version: '1.0.0' },
  paths: { '/v1/auth/account': { get: { operationId: 'readAccount', responses: {} } } },
  components: { schemas: { Problem: { type: 'object' } } },
  'x-problems': [problem],
};

const ended = (sessionId: string, time = new Date()): EventEnvelope => ({
  specversion: '1.0',
  id: randomUUID(),
  type: sessionEnded.type,
  source: '/causeway/auth',
  subject: `session/${sessionId}`,
  sequence: '0000000000000002',
  time: time.toISOString(),
  datacontenttype: 'application/json',
  dataschema: schemaUrn(sessionEnded),
  correlationid: randomUUID(),
  authtype: 'system',
  data: { sessionId, accountId: 'usr_1', reason: 'signed-out' },
});

describe('gateway', () => {
  const prefix = randomUUID();
  const kafka = isolatedKafka(
    createKafka({ driver: 'platformatic', brokers: [KAFKA_BROKERS], clientId: 'test' }),
    `${prefix}.`,
  );
  const redis = connectRedis({ url: REDIS_URL, name: 'test', logger });
  /** What auth knows, whether it confirms that it has told everything, and whether it answers. */
  const auth = { confirms: true, answers: true, ended: new Set<string>() };
  const teller = createRevocationTeller({
    ...{ redis, logger, prefix, tokens: new EndedTokens() },
    load: async function* () {
      // Nothing has ended before.
    },
    settled: () => (auth.confirms ? Promise.resolve() : Promise.reject(new Error('no majority'))),
  });
  const stops: (() => Promise<void> | void)[] = [];
  const events = new Map<string, EventEnvelope>();
  /** What the services were asked for lists of events with. */
  const lists: URLSearchParams[] = [];
  let issuer: TestIdentity;
  let upstream: Upstream;
  let parts: ServiceParts;
  let service: TestService;
  /** Of the services. */
  let position = '';

  const publish = async (event: EventEnvelope): Promise<void> => {
    const producer = await kafka.producer();
    await producer.send([{ topic: topicOf('auth'), partition: 0, ...toBinary(event) }]);
    await producer.close();
  };

  const answerWhichEnded = (body: unknown, json: (value: unknown, status?: number) => void): void => {
    const { tokens } = body as { tokens: readonly { readonly sid: string }[] };
    const ended = tokens.flatMap(({ sid }, index) => (auth.ended.has(sid) ? [index] : []));
    if (auth.answers) json({ asked: tokens.length, ended });
    else json({}, 503);
  };

  const statusFor = async (sid: string): Promise<number> =>
    (await service.fetch('/v1/users/me', { headers: await issuer.bearer({ sid }) })).status;

  before(async () => {
    issuer = await testIdentity();
    await teller.start();
    upstream = await startUpstream((request, response) => {
      const json = (value: unknown, status = 200): void => {
        const headers = {
          'Content-Type': 'application/json',
          ...(position !== '' && { 'Causeway-Position': position }),
        };
        response.writeHead(status, headers).end(JSON.stringify(value));
      };
      const path = request.url ?? '';
      if (path.startsWith('/internal/events?')) lists.push(new URLSearchParams(path.split('?')[1]));
      const found = events.get(path.split('/').at(-1) ?? '');
      if (path === '/.well-known/jwks.json') json(issuer.jwks);
      else if (path === whichEndedPath) void jsonOf(request).then((body) => answerWhichEnded(body, json));
      else if (path === '/internal/openapi.json') json(part);
      else if (path.startsWith('/internal/events?correlationId=refused')) json({}, 400);
      else if (path.startsWith('/internal/events?'))
        json({ items: [...events.values()].map((event) => ({ slot: 0, pos: 1, event })), more: false });
      else if (path.startsWith('/internal/events/')) json(found ?? {}, found === undefined ? 404 : 200);
      else json({});
    });
    await kafka.ensureTopics([
      { name: topicOf('auth'), partitions: 2 },
      { name: handlersTopic, partitions: 1, config: { 'cleanup.policy': 'compact' } },
    ]);
    await publish(ended('ses_before'));
    const environment = {
      KAFKA_BROKERS,
      REDIS_URL,
      CAUSEWAY_INTERNAL_KEY: randomUUID(),
      AUTH_URL: upstream.url,
      REVOCATION_BOUND: '2s',
      USER_URL: upstream.url,
      DATA_URL: upstream.url,
    };
    parts = await start(
      {
        settings: readSettings(settings, environment),
        logger,
        draining: new AbortController().signal,
        onStop: (_name, stop) => stops.unshift(stop),
      },
      { kafka: () => kafka, redisPrefix: prefix },
    );
    const { routes, ...rest } = parts;
    service = await startTestService(routes, { edge: true, ...rest });
  });

  after(async () => {
    await service.stop();
    await kafka.deleteTopics([topicOf('auth'), handlersTopic]);
    for (const stop of stops) await stop();
    await teller.stop();
    redis.disconnect();
    await upstream[Symbol.asyncDispose]();
  });

  it('refuses from its first call what had ended before it started, though Redis knows nothing of it', async () => {
    assert.equal(await statusFor('ses_before'), 401);
    assert.equal(await statusFor('ses_other'), 200);
  });

  it('refuses a session that ends, told by Redis or by its event', async () => {
    assert.equal(await statusFor('ses_redis'), 200);
    assert.equal(await teller.tell([{ sid: 'ses_redis', untilMs: Date.now() + 60_000 }]), true);
    await eventually(async () => (await statusFor('ses_redis')) === 401);
    assert.equal(await statusFor('ses_kafka'), 200);
    await publish({ ...ended('ses_broken'), data: {} });
    await publish(ended('ses_kafka'));
    await eventually(async () => (await statusFor('ses_kafka')) === 401);
  });

  it('asks auth about each token where nobody confirms that all was told, and lets nobody in where it does not answer', async () => {
    auth.confirms = false;
    auth.ended.add('ses_asked');
    // Known from memory until then.
    await eventually(async () => (await statusFor('ses_asked')) === 401);
    assert.equal(await statusFor('ses_fine'), 200);
    auth.answers = false;
    await eventually(async () => (await statusFor('ses_fine')) === 503);
    const answer = await service.fetch('/v1/users/me', { headers: await issuer.bearer({ sid: 'ses_unknown' }) });
    assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '1']);
    assert.equal(await statusFor('ses_redis'), 401, 'what is known is refused all the same');
    assert.equal((await service.fetch('/v1/users/me')).status, 200, 'who brings no token is not asked about');
    auth.answers = true;
    await eventually(async () => (await statusFor('ses_fine')) === 200);
    auth.confirms = true;
    auth.answers = false;
    await eventually(async () => (await statusFor('ses_never_asked')) === 200);
    auth.answers = true;
  });

  it('shows an event to who caused it and to administrators, and to nobody else', async () => {
    const id = '01a2088b-c4a9-72e1-b504-7c69bec549b7';
    events.set(id, { ...ended('ses_1'), id, authtype: 'app_user', authid: 'usr_1' });
    const get = async (path: string, claims?: { sub?: string; roles?: string[] }): Promise<Response> =>
      service.fetch(path, claims === undefined ? {} : { headers: await issuer.bearer(claims) });
    for (const path of [`/v1/events/${id}`, `/v1/events/${id}/effects?wait=1s`]) {
      await eventually(async () => (await get(path, { sub: 'usr_1' })).status === 200);
      assert.equal((await get(path, { roles: ['admin'] })).status, 200);
      assert.equal((await get(path, { sub: 'usr_2' })).status, 404);
      assert.equal((await get(path)).status, 401);
    }
    for (const [accept, type] of [
      ['*/*', 'application/json'],
      ['application/cloudevents+json', 'application/cloudevents+json'],
      ['application/json', 'application/json'],
    ] as const) {
      const headers = { ...(await issuer.bearer({ sub: 'usr_1' })), accept };
      const answer = await service.fetch(`/v1/events/${id}`, { headers });
      assert.equal(answer.headers.get('content-type'), type);
      assert.equal(((await answer.json()) as EventEnvelope).id, id);
    }
    const list = '/v1/events?correlationId=c&limit=1';
    const page = (await (await get(list, { sub: 'usr_1' })).json()) as { items: unknown[]; nextCursor: string };
    assert.equal(page.items.length, 1);
    assert.equal((await get(`${list}&cursor=${page.nextCursor}`, { sub: 'usr_1' })).status, 200);
    assert.equal((await get(`/v1/events?correlationId=d&cursor=${page.nextCursor}`, { sub: 'usr_1' })).status, 400);
    assert.equal((await get(`${list}&cursor=${page.nextCursor}`, { sub: 'usr_2' })).status, 404);
    for (const cursor of ['x', altered(page.nextCursor), Buffer.from(`["c","${id}"]`).toString('base64url')]) {
      assert.equal((await get(`${list}&cursor=${cursor}`, { sub: 'usr_1' })).status, 400, cursor);
    }
    assert.equal((await get('/v1/events?correlationId=refused', { sub: 'usr_1' })).status, 400, 'nobody is away');
    const strangers = (await (await get(list, { sub: 'usr_2' })).json()) as { items: unknown[] };
    assert.deepEqual(strangers.items, []);
    const other = await get(`/v1/events?correlationId=c&subject=session/s&cursor=${page.nextCursor}`, { sub: 'usr_1' });
    assert.equal(other.status, 400, 'a cursor is of one query');
    for (const query of ['', '?limit=5', '?subject=x', '?correlationId=c&type=x', '?types=a.b.c', '?correlationId=']) {
      assert.equal((await get(`/v1/events${query}`, { sub: 'usr_1' })).status, 400, query);
    }
    assert.equal((await get(`/v1/events/${id}/effects?wait=31s`, { sub: 'usr_1' })).status, 400);
    assert.equal((await get('/v1/events/nonsense', { sub: 'usr_1' })).status, 404);
  });

  it('has the services look at nothing that a caller may not see', async () => {
    const asked = async (claims: { sub?: string; roles?: string[] }): Promise<readonly (string | null)[]> => {
      lists.length = 0;
      const headers = await issuer.bearer(claims);
      const answer = await service.fetch('/v1/events?type=user.profile.updated,user.profile.created', { headers });
      assert.equal(answer.status, 200);
      return lists.flatMap((query) => [query.get('types'), query.get('causedBy')]);
    };
    const types = 'user.profile.created,user.profile.updated';
    assert.deepEqual(await asked({ sub: 'usr_1' }), [types, 'usr_1']);
    assert.deepEqual(await asked({ sub: 'usr_2', roles: ['member'] }), [types, 'usr_2']);
    assert.deepEqual(await asked({ sub: 'usr_3', roles: ['admin'] }), [types, null]);
  });

  it('says how far the commits reach that an answer of the services reflects: whoever sends it back reads every effect', async () => {
    const id = '01a2088b-c4a9-72e1-b504-7c69bec549b8';
    events.set(id, { ...ended('ses_2'), id, authtype: 'app_user', authid: 'usr_1' });
    const headers = await issuer.bearer({ sub: 'usr_1' });
    const positionOf = async (): Promise<string | null> =>
      (await service.fetch(`/v1/events/${id}/effects`, { headers })).headers.get('causeway-position');
    position = '1795437812.9';
    assert.equal(await positionOf(), position);
    position = '1795437812.10';
    assert.equal(await positionOf(), position);
    position = '1795437812.3';
    assert.equal(await positionOf(), '1795437812.10', 'never back: another service is behind');
  });

  it('serves one document of all services, its own calls in it, and nothing of the inside', async () => {
    const answer = await service.fetch('/openapi.json');
    const text = await answer.text();
    const { paths } = JSON.parse(text) as { paths: Record<string, unknown> };
    for (const path of ['/v1/auth/account', '/v1/events/{id}/effects', '/openapi.json']) assert.ok(path in paths, path);
    assert.doesNotMatch(text, /\/internal\/|x-problems/);
    const headers = { 'If-None-Match': answer.headers.get('etag') ?? '' };
    assert.equal((await service.fetch('/openapi.json', { headers })).status, 304);
    assert.equal((await service.fetch('/internal/openapi.json')).status, 404);
  });

  it('has pages that load only what is here, and explain each problem', async () => {
    const docs = await service.fetch('/docs');
    assert.match(docs.headers.get('content-security-policy') ?? '', /default-src 'none'.*script-src 'self'/);
    const html = await docs.text();
    const loaded = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
    assert.ok(loaded.length >= 4);
    for (const path of loaded) assert.equal((await service.fetch(path)).status, 200, path);
    assert.match(await (await service.fetch('/problems')).text(), /href="\/problems\/email-taken"/);
    const page = await (await service.fetch('/problems/email-taken')).text();
    assert.match(page, /The &lt;address&gt; is taken/);
    assert.match(page, /Sign in instead\./);
    for (const code of ['not-found', 'timeout', 'request-timeout', 'headers-too-large', 'expectation-failed'])
      assert.equal((await service.fetch(`/problems/${code}`)).status, 200);
    assert.equal((await service.fetch('/problems/nothing')).status, 404);
    assert.equal((await service.fetch('/')).headers.get('location'), '/docs');
  });

  it('still serves the document when the services are down, and names them as degraded', async () => {
    assert.equal(await parts.helpful?.auth?.(), true);
    const before = await (await service.fetch('/openapi.json')).text();
    await upstream[Symbol.asyncDispose]();
    assert.equal(await (await service.fetch('/openapi.json')).text(), before);
    await eventually(async () => (await parts.helpful?.auth?.()) === false);
    assert.equal(parts.readiness, undefined, 'a service that is down takes no other down');
  });
});
