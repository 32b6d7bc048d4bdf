import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { call } from '../harness/client.ts';
import { eventually } from '../harness/eventually.ts';
import { expectProblem, expectStatus } from '../harness/expectations.ts';
import { admin, signIn, signUp } from '../harness/people.ts';
import { platform } from '../harness/platform.ts';

/** A call to each service, and to the gateway's own routes, that demands a token. */
const guarded = ['/v1/auth/account', '/v1/users/me', '/v1/collections', '/v1/events/evt'].filter(
  (path) => path !== '/v1/collections' || platform.urls.data !== undefined,
);

/** Refused everywhere: promised within a second, held not to take four. */
const assertRefusedEverywhere = (token: string): Promise<void> =>
  eventually(
    async () => {
      for (const path of guarded) {
        const answer = await call('GET', path, { token });
        assert.equal(answer.status, 401, `${path} → ${answer.status}`);
      }
    },
    { withinMs: 4_000, everyMs: 20 },
  );

describe('an administrator', () => {
  it('disables an account: it is refused everywhere within a second, until it is enabled again', async () => {
    const token = await admin();
    const person = await signUp();
    const [found] = expectStatus(
      await call('GET', '/v1/auth/accounts', { token, query: { search: person.email } }),
      200,
    ).json<{ items: { id: string; disabledAt: string | null }[] }>().items;
    assert.deepEqual([found?.id, found?.disabledAt], [person.id, null]);
    for (const path of guarded)
      assert.notEqual((await call('GET', path, { token: person.accessToken })).status, 401, path);

    const path = `/v1/auth/accounts/${person.id}`;
    const json = { reason: 'a test' };
    expectStatus(await call('POST', `${path}/disable`, { token, json, headers: { 'if-match': '"1"' } }), 200);
    await assertRefusedEverywhere(person.accessToken);
    const refreshed = await call('POST', '/v1/auth/refresh', { json: { refreshToken: person.refreshToken } });
    await expectProblem(refreshed, 401, 'invalid-refresh-token');
    const { email, password } = person;
    const refused = await call('POST', '/v1/auth/sign-in', { json: { email, password } });
    await expectProblem(refused, 403, 'account-disabled');

    expectStatus(await call('POST', `${path}/enable`, { token }), 200);
    const again = await signIn(email, password);
    expectStatus(await call('GET', '/v1/users/me', { token: again.accessToken }), 200);
    await assertRefusedEverywhere(person.accessToken);
  });

  it('makes another one, and takes that back: their tokens are refused everywhere within a second', async () => {
    const token = await admin();
    const person = await signUp();
    const path = `/v1/auth/accounts/${person.id}/roles`;
    expectStatus(await call('PUT', path, { token, json: { roles: ['admin', 'member'] } }), 200);
    const other = await signIn(person.email, person.password);
    expectStatus(await call('GET', path.replace('roles', 'sessions'), { token: other.accessToken }), 200);
    expectStatus(await call('PUT', path, { token, json: { roles: ['member'] } }), 200);
    await assertRefusedEverywhere(other.accessToken);
    const next = await call('POST', '/v1/auth/refresh', { json: { refreshToken: other.refreshToken } });
    const { accessToken } = expectStatus(next, 200).json<{ accessToken: string }>();
    await expectProblem(await call('GET', '/v1/auth/accounts', { token: accessToken }), 403, 'forbidden');
  });

  it('ends all sessions of somebody', async () => {
    const token = await admin();
    const person = await signUp();
    const second = await signIn(person.email, person.password);
    expectStatus(await call('DELETE', `/v1/auth/accounts/${person.id}/sessions`, { token }), 204);
    for (const each of [person, second]) await assertRefusedEverywhere(each.accessToken);
  });
});
