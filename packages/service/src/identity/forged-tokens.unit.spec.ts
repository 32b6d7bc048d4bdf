import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { Fault } from '@causeway/contracts';
import { createLogger } from '@causeway/telemetry';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type JWTPayload } from 'jose';

import { testIdentity } from '../testing/test-identity.ts';
import { createIdentity } from './create-identity.ts';
import { localKeys, remoteKeys } from './keys.ts';
import { faultOfForm } from './token-form.ts';

const nowS = Math.floor(Date.now() / 1000);
const issuer = await testIdentity();
const { kid, privateKey, publicKey } = issuer;
const header = { alg: 'EdDSA', typ: 'at+jwt', kid };
const payload = (): JWTPayload => ({
  ...{ sub: 'usr_1', sid: 'ses_1', jti: randomUUID(), client_id: 'test', iss: 'causeway', aud: 'causeway' },
  ...{ iat: nowS, exp: nowS + 300 },
});

const encoded = (part: unknown): string =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
const signed = (protectedHeader: object = header, claims: JWTPayload = payload()): Promise<string> =>
  new SignJWT(claims).setProtectedHeader(protectedHeader as typeof header).sign(privateKey);
/** As somebody would send it who cannot sign: whatever they like, and 64 bytes. */
const unsigned = (protectedHeader: unknown, signature = randomBytes(64).toString('base64url')): string =>
  `${encoded(protectedHeader)}.${encoded(payload())}.${signature}`;
const zero = Buffer.alloc(64).toString('base64url');

/** Services with keys of their own; how often these were fetched. */
const asking = () => {
  const fetches = { count: 0 };
  const keys = remoteKeys({
    url: 'http://auth.test/jwks',
    logger: createLogger({ service: 'test', level: 'silent' }),
    now: () => 0,
    fetchKeys: () => {
      fetches.count += 1;
      return Promise.resolve(issuer.jwks);
    },
  });
  return { fetches, identity: createIdentity({ issuer: 'causeway', audience: 'causeway', keys }) };
};

const { fetches, identity } = asking();
const refused = async (token: string): Promise<void> => {
  await assert.rejects(
    async () => identity.authenticate(`Bearer ${token}`),
    (error: unknown) => {
      assert.ok(error instanceof Fault, String(error));
      assert.equal(error.status, 401);
      assert.equal(error.headers['WWW-Authenticate'], 'Bearer error="invalid_token"');
      return true;
    },
  );
};

const good = await signed();
const another = await signed();
const [head = '', body = '', signature = ''] = good.split('.');
/** The same bytes, written otherwise: a lenient decoder reads them alike. */
const twin = (part: string): string => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet[alphabet.indexOf(part.at(-1) ?? '') ^ 1] ?? '';
  return part.slice(0, -1) + last;
};

const none = ['none', 'None', 'NONE', 'nOnE', '', ' none', 'none\u0000'];
const others = ['HS256', 'HS512', 'RS256', 'ES256', 'PS256', 'EdDSA ', 'eddsa', 'Ed448'];
const keyIds: readonly [string, unknown][] = [
  ['a path', '../../../dev/null'],
  ['a URL', 'https://evil.test/key'],
  ['a query', "x' OR '1'='1"],
  ['an object', { $gt: '' }],
  ['a list', [kid]],
  ['a number', 7],
  ['nothing', null],
  ['empty', ''],
  ['long', 'k'.repeat(65)],
];
const parameters: readonly [string, unknown][] = [
  ['jku', 'https://evil.test/jwks'],
  ['x5u', 'https://evil.test/cert'],
  ['x5c', ['MIIB']],
  ['jwk', await exportJWK(publicKey)],
  ['crit', ['exp']],
  ['b64', false],
  ['zip', 'DEF'],
  ['cty', 'JWT'],
];

void describe('a forged access token', () => {
  it('stands beside one that is good', async () => {
    assert.equal((await identity.authenticate(`Bearer ${good}`))?.sub, 'usr_1');
    assert.equal(fetches.count, 1);
  });

  for (const alg of none) {
    it(`is refused with the algorithm ${JSON.stringify(alg)}, signed by nothing or by whatever`, async () => {
      for (const end of ['', zero, signature]) await refused(unsigned({ ...header, alg }, end));
    });
  }
  for (const alg of others) {
    it(`is refused with the algorithm ${alg}`, () => refused(unsigned({ ...header, alg }, signature)));
  }
  it('is refused where the public key was taken for a shared secret', async () => {
    const secret = new TextEncoder().encode(await exportSPKI(publicKey));
    await refused(await new SignJWT(payload()).setProtectedHeader({ ...header, alg: 'HS256' }).sign(secret));
  });

  for (const [what, id] of keyIds) {
    it(`is refused where its key id is ${what}`, () => refused(unsigned({ ...header, kid: id })));
  }
  for (const [name, value] of parameters) {
    // As if the issuer itself had been made to sign it.
    it(`is refused with ${name} in its header, whoever has signed it`, async () => {
      const whole = encoded({ ...header, [name]: value });
      const bytes = new Uint8Array(
        await crypto.subtle.sign('Ed25519', privateKey, new TextEncoder().encode(`${whole}.${body}`)),
      );
      await refused(`${whole}.${body}.${Buffer.from(bytes).toString('base64url')}`);
    });
  }
  for (const typ of ['JWT', 'at+jwt2', 'refresh+jwt', 'logout+jwt', undefined]) {
    it(`is refused with the type ${typ ?? 'of none'}`, async () => refused(await signed({ ...header, typ })));
  }
  for (const [what, claims] of [
    ['an audience among others that is not ours', { aud: ['other', 'another'] }],
    ['an issuer that only begins like ours', { iss: 'causeway.evil.test' }],
    ['times that are texts', { exp: String(nowS + 300) }],
    ['a subject that is an object', { sub: { $ne: '' } }],
  ] as const) {
    it(`is refused with ${what}`, async () => refused(await signed(header, { ...payload(), ...claims } as never)));
  }

  for (const [what, token] of [
    ['the last bits of its header', `${twin(head)}.${body}.${signature}`],
    ['the last bits of its signature', `${head}.${body}.${twin(signature)}`],
    ['padding', `${head}.${body}.${signature}==`],
    ['the alphabet of base64', `${head}.${body}.${signature.replaceAll('-', '+').replaceAll('_', '/')}=`],
    ['a space in it', `${head}.${body} .${signature}`],
    ['a line break in it', `${head}.${body.slice(0, 9)}\n${body.slice(9)}.${signature}`],
    ['a part more', `${good}.${signature}`],
    ['a part less', `${head}.${body}`],
    ['an empty payload', `${head}..${signature}`],
    ['a signature of zeros', `${head}.${body}.${zero}`],
    ['a signature that is cut', `${head}.${body}.${signature.slice(0, 84)}`],
    ['the signature of another', `${head}.${body}.${another.split('.')[2] ?? ''}`],
    ['a header that is a list', `${encoded([header])}.${body}.${signature}`],
    ['a header that is no JSON', `${encoded('{"alg"')}.${body}.${signature}`],
  ] as const) {
    it(`is refused where it differs by ${what}`, () => refused(token));
  }
  it('differs from a good one only in how it is written: a lenient decoder takes both', () => {
    assert.deepEqual(Buffer.from(twin(signature), 'base64url'), Buffer.from(signature, 'base64url'));
    assert.match(faultOfForm(`${head}.${body}.${twin(signature)}`) ?? '', /one form/);
    assert.equal(faultOfForm(good), undefined);
  });

  it('is refused with any one bit of its header or signature turned', async () => {
    for (const [index, part] of [head, signature].entries()) {
      const bytes = Buffer.from(part, 'base64url');
      for (let bit = 0; bit < bytes.length * 8; bit += 1) {
        const turned = Buffer.from(bytes);
        turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const parts = [head, body, signature];
        parts[index === 0 ? 0 : 2] = turned.toString('base64url');
        await refused(parts.join('.'));
      }
    }
  });

  it('is refused with an algorithm that is not ours, also where a key of that kind is among the keys', async () => {
    const strange = await generateKeyPair('ES256');
    const named = { kid: 'another', alg: 'ES256' };
    const jwks = { keys: [...issuer.jwks.keys, { ...(await exportJWK(strange.publicKey)), ...named }] };
    const keys = localKeys(() => jwks);
    const { authenticate } = createIdentity({ issuer: 'causeway', audience: 'causeway', keys });
    const claims = new SignJWT(payload()).setProtectedHeader({ ...header, ...named });
    const token = await claims.sign(strange.privateKey);
    assert.equal((await authenticate(`Bearer ${good}`))?.sub, 'usr_1');
    await assert.rejects(
      async () => authenticate(`Bearer ${token}`),
      (error) => error instanceof Fault && error.status === 401,
    );
  });

  it('costs at most one fetch of keys, a thousand of them with key ids that nobody knows', async () => {
    const some = asking();
    for (let each = 0; each < 1_000; each += 1) {
      const token = unsigned({ ...header, kid: randomUUID() });
      assert.equal(faultOfForm(token), undefined, 'its form tells nothing');
      await assert.rejects(async () => some.identity.authenticate(`Bearer ${token}`));
    }
    assert.equal(some.fetches.count, 1);
  });

  it('costs none where its form tells', async () => {
    const none = asking();
    const tokens = [
      ...keyIds.map(([, id]) => unsigned({ ...header, kid: id })),
      ...[0, 63, 65].map((bytes) => unsigned(header, randomBytes(bytes).toString('base64url'))),
    ];
    for (const token of tokens) {
      await assert.rejects(async () => none.identity.authenticate(`Bearer ${token}`));
      assert.equal(none.fetches.count, 0, token);
    }
  });
});
