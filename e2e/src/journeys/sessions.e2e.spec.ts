import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { call } from '../harness/client.ts';
import { eventually } from '../harness/eventually.ts';
import { expectProblem, expectStatus } from '../harness/expectations.ts';
import { type Person, signIn, type SignedIn, signUp } from '../harness/people.ts';
import { platform } from '../harness/platform.ts';

interface Session {
  readonly id: string;
  readonly current: boolean;
  readonly userAgent: string | null;
}

/** A call to each service, and to the gateway's own routes, that demands a token. */
const guarded = ['/v1/auth/account', '/v1/users/me', '/v1/collections', '/v1/events/evt'].filter(
  (path) => path !== '/v1/collections' || platform.urls.data !== undefined,
);

const refresh = (refreshToken: string) => call('POST', '/v1/auth/refresh', { json: { refreshToken } });

async function sessionsOf(token: string): Promise<readonly Session[]> {
  const answer = expectStatus(await call('GET', '/v1/auth/sessions', { token }), 200);
  return answer.json<{ items: Session[] }>().items;
}

/** The access token of a session that has ended is refused everywhere: promised within a second, held not to take four. */
async function assertRefusedEverywhere(token: string): Promise<void> {
  await eventually(
    async () => {
      for (const path of guarded) {
        const answer = await call('GET', path, { token });
        assert.equal(answer.status, 401, `${path} → ${answer.status}`);
      }
    },
    { withinMs: 4_000, everyMs: 20 },
  );
}

describe('sessions', () => {
  it('are listed with the one in use marked, and ended one by one or all others at once', async () => {
    const person = await signUp();
    const second = await signIn(person.email, person.password);
    const third = await signIn(person.email, person.password);
    const listed = await sessionsOf(person.accessToken);
    assert.equal(listed.length, 3);
    assert.equal(listed.filter((each) => each.current).length, 1);

    const own = (await sessionsOf(second.accessToken)).find((each) => each.current);
    assert.ok(own);
    const path = `/v1/auth/sessions/${own.id}`;
    expectStatus(await call('DELETE', path, { token: person.accessToken }), 204);
    await assertRefusedEverywhere(second.accessToken);
    await expectProblem(await refresh(second.refreshToken), 401, 'invalid-refresh-token');

    expectStatus(await call('DELETE', '/v1/auth/sessions', { token: person.accessToken }), 204);
    await assertRefusedEverywhere(third.accessToken);
    assert.deepEqual(
      (await sessionsOf(person.accessToken)).map((each) => each.current),
      [true],
    );
  });

  it('of somebody else are not there', async () => {
    const [one, other] = await Promise.all([signUp(), signUp()]);
    const [session] = await sessionsOf(one.accessToken);
    const path = `/v1/auth/sessions/${session?.id}`;
    await expectProblem(await call('DELETE', path, { token: other.accessToken }), 404, 'not-found');
    assert.equal((await sessionsOf(one.accessToken)).length, 1);
  });

  it('end with a sign-out, everywhere within a second', async () => {
    const { accessToken: token, refreshToken } = await signUp();
    for (const path of guarded) assert.notEqual((await call('GET', path, { token })).status, 401, path);
    expectStatus(await call('POST', '/v1/auth/sign-out', { token }), 204);
    await assertRefusedEverywhere(token);
    await expectProblem(await refresh(refreshToken), 401, 'invalid-refresh-token');
  });
});

describe('a refresh token', () => {
  const exchange = async (refreshToken: string): Promise<SignedIn> =>
    expectStatus(await refresh(refreshToken), 200).json<SignedIn>();

  it('is exchanged once; a repetition that was under way gets the same pair', async () => {
    const person: Person = await signUp();
    const [one, other] = await Promise.all([exchange(person.refreshToken), exchange(person.refreshToken)]);
    assert.equal(one.refreshToken, other.refreshToken);
    assert.notEqual(one.refreshToken, person.refreshToken);
    expectStatus(await call('GET', '/v1/auth/account', { token: one.accessToken }), 200);
  });

  it('ends the session when it comes again after the next exchange', async () => {
    const person = await signUp();
    const second = await exchange(person.refreshToken);
    const third = await exchange(second.refreshToken);
    await expectProblem(await refresh(person.refreshToken), 401, 'refresh-reused');
    await expectProblem(await refresh(third.refreshToken), 401, 'invalid-refresh-token');
    await assertRefusedEverywhere(third.accessToken);
  });
});

describe('the public keys', () => {
  it('verify what was signed, and may be kept', async () => {
    const answer = expectStatus(await call('GET', '/.well-known/jwks.json'), 200);
    const { keys } = answer.json<{ keys: { kid: string }[] }>();
    const { accessToken } = await signUp();
    const header = JSON.parse(Buffer.from(accessToken.split('.')[0] ?? '', 'base64url').toString()) as { kid: string };
    assert.ok(keys.some((key) => key.kid === header.kid));
    assert.match(answer.headers['cache-control'] ?? '', /max-age=\d+/);
  });
});
