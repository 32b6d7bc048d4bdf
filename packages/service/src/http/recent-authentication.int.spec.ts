import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';

import { testIdentity, type TestIdentity, type TestTokenClaims } from '../testing/test-identity.ts';
import { startTestService, type TestService } from '../testing/test-service.ts';
import type { RecentAuthentication } from './recent-authentication.ts';
import { defineRoute, type Access } from './route.ts';

const done: string[] = [];

const route = (path: string, access: Access, recent: RecentAuthentication) =>
  defineRoute({
    method: 'post',
    path,
    operationId: path,
    tag: 'things',
    summary: 'Something that matters',
    access,
    recent,
    body: z.object({ name: z.string() }),
    responses: { 204: { description: 'Done.' } },
    handle: () => {
      done.push(path);
      return { status: 204 };
    },
  });

const maxAgeMs = 900_000;
const routes = [
  route('/v1/recent', 'signed-in', { maxAgeMs }),
  route('/v1/surely', 'signed-in', { maxAgeMs, acr: 'aal2' }),
  route('/v1/enrolled', 'signed-in', { maxAgeMs, acr: 'enrolled' }),
  route('/v1/admin', 'admin', { maxAgeMs }),
];

describe('a route that asks for a recent authentication', () => {
  let service: TestService;
  let issuer: TestIdentity;
  const nowS = (): number => Math.floor(Date.now() / 1000);
  const post = async (path: string, claims: TestTokenClaims, body: unknown = { name: 'a' }) => {
    const headers = { 'content-type': 'application/json', ...(await issuer.bearer(claims)) };
    const answer = await service.fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: answer.status, challenge: answer.headers.get('www-authenticate') };
  };
  before(async () => {
    issuer = await testIdentity();
    service = await startTestService(routes, {
      identity: issuer.identity,
      hasSecondFactor: (accountId) => Promise.resolve(accountId === 'usr_enrolled'),
    });
  });
  after(() => service.stop());

  it('takes a fresh one, and refuses an old one however young its token is', async () => {
    assert.equal((await post('/v1/recent', { authTime: nowS() - 60 })).status, 204);
    const old = await post('/v1/recent', { authTime: nowS() - 1_000, iat: nowS() });
    assert.equal(old.status, 401);
    assert.match(old.challenge ?? '', /insufficient_user_authentication.*max_age="900"$/);
    assert.equal((await post('/v1/recent', {})).status, 401);
    assert.equal(done.length, 1);
  });

  it('asks for a second factor of everybody, or of those who have set one up', async () => {
    const fresh = { authTime: nowS() - 60, acr: 'aal1' };
    assert.equal((await post('/v1/surely', fresh)).status, 401);
    assert.equal((await post('/v1/surely', { ...fresh, acr: 'aal2' })).status, 204);
    assert.equal((await post('/v1/enrolled', { ...fresh, sub: 'usr_plain' })).status, 204);
    const weak = await post('/v1/enrolled', { ...fresh, sub: 'usr_enrolled' });
    assert.equal(weak.status, 401);
    assert.match(weak.challenge ?? '', /acr_values="aal2"$/);
    assert.equal((await post('/v1/enrolled', { ...fresh, sub: 'usr_enrolled', acr: 'aal2' })).status, 204);
  });

  it('tells whoever may not call at all that, and says so before it looks at the body', async () => {
    assert.equal((await post('/v1/admin', {})).status, 403);
    assert.equal((await post('/v1/admin', { roles: ['admin'] })).status, 401);
    assert.equal((await post('/v1/recent', {}, { rubbish: true })).status, 401);
    assert.equal((await post('/v1/recent', { authTime: nowS() }, { rubbish: true })).status, 400);
  });

  it('says so in the documentation', async () => {
    const answer = await service.fetch('/internal/openapi.json', { headers: service.internalHeaders });
    const { paths } = (await answer.json()) as {
      paths: Record<string, { post: { responses: Record<string, { description: string }> } }>;
    };
    assert.match(paths['/v1/recent']?.post.responses['401']?.description ?? '', /insufficient-authentication/);
  });

  it('cannot be declared where nobody is known, or nobody knows of second factors', async () => {
    const open = route('/v1/open', 'anonymous', { maxAgeMs });
    await assert.rejects(startTestService([open], { identity: issuer.identity }), /knows nobody/);
    const { identity } = issuer;
    await assert.rejects(startTestService([route('/v1/e', 'signed-in', { maxAgeMs, acr: 'enrolled' })], { identity }));
  });
});
