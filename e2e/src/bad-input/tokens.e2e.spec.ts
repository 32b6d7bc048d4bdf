import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import process from 'node:process';
import { before, describe, it } from 'node:test';
import { call } from '../harness/client.ts';
import { eventually } from '../harness/eventually.ts';
import { expectProblem, expectStatus } from '../harness/expectations.ts';
import { type Person, signUp } from '../harness/people.ts';

type Json = Readonly<Record<string, unknown>>;

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const decode = (part: string | undefined): Json => JSON.parse(Buffer.from(part ?? '', 'base64url').toString()) as Json;

/** Signs with a key of one's own, whatever the header says of it. */
function forged(header: Json, claims: Json): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`;
}

const guarded = ['/v1/auth/account', '/v1/auth/sessions', '/v1/users/me', '/v1/collections', '/v1/events/none'];

describe('a token', () => {
  let person: Person;
  let header: Json;
  let claims: Json;
  let attacks: Readonly<Record<string, string>>;

  before(async () => {
    person = await signUp();
    const parts = person.accessToken.split('.');
    [header, claims] = [decode(parts[0]), decode(parts[1])];
    const { keys } = expectStatus(await call('GET', '/.well-known/jwks.json'), 200).json<{ keys: { x: string }[] }>();
    const hmac = (secret: string | Buffer): string => {
      const text = `${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`;
      return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
    };
    const publicKey = keys[0]?.x ?? '';
    const nowS = Math.floor(Date.now() / 1000);
    attacks = {
      'that is not signed (alg none)': `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`,
      'that is not signed (alg NONE)': `${encode({ ...header, alg: 'NONE' })}.${encode(claims)}.`,
      'that is signed with the public key as a secret': hmac(Buffer.from(publicKey, 'base64url')),
      'that is signed with the public key’s text as a secret': hmac(publicKey),
      'of another issuer': forged({ ...header, kid: 'theirs' }, { ...claims, iss: 'https://elsewhere.example' }),
      'of another issuer that names our key': forged(header, { ...claims, iss: 'https://elsewhere.example' }),
      'that was changed after it was signed': `${parts[0]}.${encode({ ...claims, roles: ['admin'] })}.${parts[2]}`,
      'that has expired': forged(header, { ...claims, iat: nowS - 600, exp: nowS - 300 }),
      'that brings its own key': forged({ ...header, jwk: { kty: 'OKP', crv: 'Ed25519', x: publicKey } }, claims),
      'that is no token': 'Bearer',
      'with a signature of another length': `${parts[0]}.${parts[1]}.AAAA`,
    };
  });

  it('of nobody’s making is refused by every service', async () => {
    for (const [what, token] of Object.entries(attacks)) {
      for (const path of guarded) {
        const answer = await call('GET', path, { token });
        await expectProblem(answer, 401, 'unauthenticated').catch((error: unknown) => {
          throw new Error(`a token ${what}: GET ${path}`, { cause: error });
        });
        assert.match(answer.headers['www-authenticate'] ?? '', /error="invalid_token"/, what);
      }
    }
  });

  it('of nobody’s making changes nothing', async () => {
    const type = 'application/merge-patch+json';
    for (const token of Object.values(attacks)) {
      const answer = await call('PATCH', '/v1/users/me', { token, type, json: { bio: 'not mine' } });
      await expectProblem(answer, 401, 'unauthenticated');
      await expectProblem(await call('POST', '/v1/auth/sign-out', { token }), 401, 'unauthenticated');
    }
    const profile = expectStatus(await call('GET', '/v1/users/me', { token: person.accessToken }), 200).json();
    assert.deepEqual([profile.revision, profile.bio], [1, undefined]);
  });

  it('of a session that has ended is refused', async () => {
    const { accessToken: token } = await signUp();
    expectStatus(await call('POST', '/v1/auth/sign-out', { token }), 204);
    await eventually(
      async () => {
        for (const path of guarded) {
          await expectProblem(await call('GET', path, { token }), 401, 'unauthenticated');
        }
      },
      { withinMs: 4_000, everyMs: 20 },
    );
  });

  if (process.env.CAUSEWAY_TEST_LONG !== undefined) {
    it('is refused once its five minutes are over', async () => {
      const { accessToken: token } = await signUp();
      const refusal = await eventually(
        async () => {
          const answer = await call('GET', '/v1/auth/account', { token });
          assert.equal(answer.status, 401);
          return answer;
        },
        { withinMs: 330_000, everyMs: 5000 },
      );
      await expectProblem(refusal, 401, 'unauthenticated');
      assert.ok(Date.now() / 1000 >= Number(decode(token.split('.')[1]).exp));
    });
  }

  it('in the query is no credential', async () => {
    const answer = await call('GET', '/v1/users/me', { query: { access_token: person.accessToken } });
    await expectProblem(answer, 401, 'unauthenticated');
  });
});
