import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, describe, it } from 'node:test';

import { decodeJwt, decodeProtectedHeader, generateKeyPair, jwtVerify } from 'jose';
import type { CryptoKey } from 'jose';

import { createAccessTokens } from './access-token.ts';
import type { AccessTokens } from './access-token.ts';

describe('access token', () => {
  let publicKey: CryptoKey;
  let accessTokens: AccessTokens;
  const subject = {
    accountId: 'usr_1',
    roles: ['member'],
    sessionId: 'ses_1',
    generation: 3,
    issuedAt: new Date('2026-01-02T03:04:05.678Z'),
    accountVersion: 4,
    amr: ['pwd', 'otp', 'mfa'],
    acr: 'aal2',
    authTime: new Date('2026-01-02T01:00:00.999Z'),
  };

  before(async () => {
    const pair = await generateKeyPair('EdDSA');
    publicKey = pair.publicKey;
    accessTokens = createAccessTokens({
      issuer: 'https://causeway.example',
      audience: 'causeway',
      signingKey: () => Promise.resolve({ kid: 'k1', privateKey: pair.privateKey }),
      secret: randomBytes(32),
    });
  });

  it('has the claims of RFC 9068 and ours, for five minutes', async () => {
    const { token, expiresAtS } = await accessTokens(subject);
    const { payload } = await jwtVerify(token, publicKey, { currentDate: subject.issuedAt });
    const { jti, ...claims } = payload;
    assert.match(jti ?? '', /^[\w-]{22}$/);
    assert.deepEqual(claims, {
      iss: 'https://causeway.example',
      aud: 'causeway',
      sub: 'usr_1',
      iat: 1767323045,
      exp: 1767323345,
      client_id: 'causeway',
      sid: 'ses_1',
      roles: ['member'],
      scope: 'full',
      acr: 'aal2',
      amr: ['pwd', 'otp', 'mfa'],
      auth_time: 1767315600,
      av: 4,
    });
    assert.equal(expiresAtS, 1767323345);
    assert.deepEqual(decodeProtectedHeader(token), { alg: 'EdDSA', typ: 'at+jwt', kid: 'k1' });
  });

  it('is the same again for the same generation, and another for the next', async () => {
    const [one, again, next] = await Promise.all([
      accessTokens(subject),
      accessTokens(subject),
      accessTokens({ ...subject, generation: 4 }),
    ]);
    assert.equal(one.token, again.token);
    assert.notEqual(one.token, next.token);
  });

  it('has an id that no other has: of its session and of its generation', async () => {
    const others = [{}, { sessionId: 'ses_2' }, { generation: 4 }];
    const tokens = await Promise.all(others.map((other) => accessTokens({ ...subject, ...other })));
    assert.equal(new Set(tokens.map(({ token }) => decodeJwt(token).jti)).size, 3);
  });
});
