import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { Fault, faults } from '@causeway/contracts';
import { createLogger } from '@causeway/telemetry';
import { exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT, type JSONWebKeySet, type JWTPayload } from 'jose';

import { testIdentity } from '../testing/test-identity.ts';
import { createIdentity } from './create-identity.ts';
import { ExpiringCache } from './expiring-cache.ts';
import type { Identity } from './identity.ts';
import { localKeys, remoteKeys } from './keys.ts';
import type { RevocationList } from './revocations.ts';

const nowS = Math.floor(Date.now() / 1000);

const payload = (): JWTPayload => ({
  sub: 'usr_1',
  sid: 'ses_1',
  jti: randomUUID(),
  client_id: 'test',
  iss: 'causeway',
  aud: 'causeway',
  iat: nowS,
  exp: nowS + 300,
});

const refused = async (identity: Identity, token: string): Promise<void> => {
  await assert.rejects(
    async () => identity.authenticate(`Bearer ${token}`),
    (error: unknown) => {
      assert.ok(error instanceof Fault, String(error));
      assert.equal(error.code, 'unauthenticated');
      assert.equal(error.headers['WWW-Authenticate'], 'Bearer error="invalid_token"');
      return true;
    },
  );
};

const issuer = await testIdentity();
const { identity, kid, privateKey, publicKey } = issuer;
const header = { alg: 'EdDSA', typ: 'at+jwt', kid };
const sign = (claims: JWTPayload, protectedHeader = header): Promise<string> =>
  new SignJWT(claims).setProtectedHeader(protectedHeader).sign(privateKey);

describe('an access token', () => {
  it('says who the caller is', async () => {
    const token = await issuer.token({ sub: 'usr_1', sid: 'ses_1', roles: ['admin'], org: 'org_1', scope: 'a b' });
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      const claims = await identity.authenticate(`${scheme} ${token}`);
      assert.equal(claims?.sub, 'usr_1');
      assert.equal(claims.sid, 'ses_1');
      assert.equal(claims.clientId, 'test');
      assert.deepEqual(claims.roles, ['admin']);
      assert.equal(claims.org, 'org_1');
      assert.equal(claims.scope, 'a b');
    }
  });

  it('says how and when its session was proved, and of which version of the account it is', async () => {
    const claims = { acr: 'aal2', amr: ['pwd', 'otp', 'mfa'], authTime: nowS - 700, accountVersion: 3 };
    const known = await identity.authenticate(`Bearer ${await issuer.token(claims)}`);
    const { acr, amr, authTime, accountVersion } = known ?? assert.fail('not known');
    assert.deepEqual({ acr, amr, authTime, accountVersion }, claims);
  });

  it('of an earlier release says nothing of that, and is of version 0', async () => {
    const claims = (await identity.authenticate(`Bearer ${await sign(payload())}`)) ?? assert.fail('not known');
    assert.equal(claims.accountVersion, 0);
    for (const name of ['acr', 'amr', 'authTime']) assert.ok(!(name in claims), name);
  });

  it('may be absent', async () => {
    assert.equal(await identity.authenticate(undefined), undefined);
  });

  it('is refused with alg none', async () => {
    await refused(identity, new UnsecuredJWT(payload()).encode());
    const [, body = ''] = (await sign(payload())).split('.');
    const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt', kid })).toString('base64url');
    await refused(identity, `${none}.${body}.`);
  });

  it('is refused when it is signed by the public key as a shared secret', async () => {
    const secret = new TextEncoder().encode(await exportSPKI(publicKey));
    await refused(
      identity,
      await new SignJWT(payload()).setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid }).sign(secret),
    );
  });

  it('is refused when somebody else has signed it under our key id', async () => {
    const other = await generateKeyPair('EdDSA');
    await refused(identity, await new SignJWT(payload()).setProtectedHeader(header).sign(other.privateKey));
  });

  it('is refused when its claims were changed', async () => {
    const [head = '', , signature = ''] = (await sign(payload())).split('.');
    const body = Buffer.from(JSON.stringify({ ...payload(), roles: ['admin'] })).toString('base64url');
    await refused(identity, `${head}.${body}.${signature}`);
  });

  for (const [what, claims] of [
    ['of another issuer', { iss: 'https://evil.test' }],
    ['for another audience', { aud: 'another' }],
    ['expired', { iat: nowS - 400, exp: nowS - 60 }],
    ['expired for longer than clocks differ', { iat: nowS - 400, exp: nowS - 8 }],
    ['issued in the future', { iat: nowS + 120 }],
    ['not valid yet', { nbf: nowS + 120 }],
    ['with roles that are no list', { roles: 'admin' }],
    ['with an empty subject', { sub: '' }],
    ['with a level that is no text', { acr: 2 }],
    ['with methods that are no list', { amr: 'pwd' }],
    ['with methods that are no texts', { amr: ['pwd', 1] }],
    ['with a time of proof that is a text', { auth_time: String(nowS) }],
    ['with a time of proof that is a fraction', { auth_time: nowS + 0.5 }],
    ['of a version below 0', { av: -1 }],
    ['of a version that is a text', { av: '1' }],
    ['of a version that is beyond whole numbers', { av: 2 ** 53 }],
  ] as const) {
    it(`is refused when it is ${what}`, async () => refused(identity, await sign({ ...payload(), ...claims })));
  }

  for (const claim of ['sub', 'sid', 'jti', 'client_id', 'exp', 'iat', 'iss', 'aud']) {
    it(`is refused without ${claim}`, async () => {
      const { [claim]: _left, ...rest } = payload();
      await refused(identity, await sign(rest));
    });
  }

  it('is refused when it is of another type, such as an ID token', async () => {
    await refused(identity, await sign(payload(), { ...header, typ: 'JWT' }));
  });

  for (const nonsense of ['', 'x', 'a.b.c', 'x'.repeat(10_000)]) {
    it(`is refused when it is ${nonsense.slice(0, 10)} (${nonsense.length} characters)`, () =>
      refused(identity, nonsense));
  }

  it('is not looked for under another scheme', async () => {
    await assert.rejects(async () => identity.authenticate('Basic dXNlcjpwYXNz'), /not a bearer token/);
  });
});

describe('a verified token', () => {
  it('is verified once, and known until it expires', async () => {
    let now = Date.now();
    let lookups = 0;
    const keys = localKeys(() => issuer.jwks);
    const counting = createIdentity({
      issuer: 'causeway',
      audience: 'causeway',
      now: () => now,
      keys: {
        ...keys,
        find: (...found) => {
          lookups += 1;
          return keys.find(...found);
        },
      },
    });
    const token = await issuer.token();
    for (let call = 0; call < 3; call += 1) await counting.authenticate(`Bearer ${token}`);
    assert.equal(lookups, 1);
    now += 400_000;
    await refused(counting, token);
  });

  it('is refused as soon as its session has ended, known or not', async () => {
    const ended = new Set<string>();
    const revocations: Pick<RevocationList, 'isRevoked'> = { isRevoked: ({ sid }) => ended.has(sid) };
    const watching = await testIdentity({ revocations: revocations as RevocationList });
    const token = await watching.token({ sid: 'ses_9' });
    assert.ok(await watching.identity.authenticate(`Bearer ${token}`));
    ended.add('ses_9');
    await refused(watching.identity, token);
    await refused(watching.identity, await watching.token({ sid: 'ses_9' }));
    assert.ok(await watching.identity.authenticate(`Bearer ${await watching.token({ sid: 'ses_10' })}`));
  });

  it('waits for the answer where it has to be asked, and is refused where there is none', async () => {
    const answers: (() => Promise<boolean>)[] = [
      () => Promise.resolve(false),
      () => Promise.resolve(true),
      () => Promise.reject(faults.unavailable({ message: 'nobody says' })),
    ];
    const revocations: Pick<RevocationList, 'isRevoked'> = {
      isRevoked: () => answers.shift()?.() ?? assert.fail('was not to be asked'),
    };
    const { identity, token: sign } = await testIdentity({ revocations: revocations as RevocationList });
    const token = await sign();
    assert.ok(await identity.authenticate(`Bearer ${token}`));
    await refused(identity, token);
    await assert.rejects(async () => identity.authenticate(`Bearer ${token}`), { name: 'Fault', code: 'unavailable' });
  });

  it('is kept in a bounded number', () => {
    const cache = new ExpiringCache<number>(2, () => 0);
    cache.set('a', 1, 10);
    cache.set('b', 2, 10);
    cache.get('a');
    cache.set('c', 3, 10);
    assert.deepEqual([cache.get('a'), cache.get('b'), cache.get('c')], [1, undefined, 3]);
    assert.equal(cache.size, 2);
  });
});

describe('keys from auth', () => {
  const logger = createLogger({ service: 'test', level: 'silent' });
  const remote = (answers: () => JSONWebKeySet) => {
    const clock = { now: 0 };
    const fetches = { count: 0 };
    const keys = remoteKeys({
      url: 'http://auth.test/jwks',
      logger,
      cooldownMs: 30_000,
      maxAgeMs: 600_000,
      now: () => clock.now,
      fetchKeys: () => {
        fetches.count += 1;
        return new Promise((resolve) => resolve(answers()));
      },
    });
    return { clock, fetches, keys, identity: createIdentity({ issuer: 'causeway', audience: 'causeway', keys }) };
  };

  it('are fetched once for however many tokens', async () => {
    const { fetches, identity: asking, keys } = remote(() => issuer.jwks);
    await keys.start(AbortSignal.timeout(1_000));
    const tokens = await Promise.all(Array.from({ length: 20 }, () => issuer.token()));
    await Promise.all(tokens.map(async (token) => asking.authenticate(`Bearer ${token}`)));
    assert.equal(fetches.count, 1);
    assert.equal(keys.ready(), true);
  });

  it('are fetched at most once a cooldown for key ids that nobody knows', async () => {
    const { clock, fetches, identity: asking } = remote(() => issuer.jwks);
    const unknown = () => sign(payload(), { ...header, kid: randomUUID() });
    for (let attempt = 0; attempt < 10; attempt += 1) await refused(asking, await unknown());
    assert.equal(fetches.count, 1);
    clock.now += 30_001;
    await Promise.all(Array.from({ length: 10 }, async () => refused(asking, await unknown())));
    assert.equal(fetches.count, 2);
  });

  it('are fetched anew for a key that has just been made', async () => {
    const next = await testIdentity();
    let served = issuer.jwks;
    const { clock, identity: asking } = remote(() => served);
    assert.ok(await asking.authenticate(`Bearer ${await issuer.token()}`));
    served = { keys: [...issuer.jwks.keys, ...next.jwks.keys] };
    clock.now += 30_001;
    assert.ok(await asking.authenticate(`Bearer ${await next.token()}`));
  });

  it('go out of use when auth withdraws them', async () => {
    let served = issuer.jwks;
    const { clock, identity: asking } = remote(() => served);
    assert.ok(await asking.authenticate(`Bearer ${await issuer.token()}`));
    served = (await testIdentity()).jwks;
    clock.now += 600_001;
    await asking.authenticate(`Bearer ${await issuer.token()}`);
    await refused(asking, await issuer.token());
  });

  it('serve on while auth is away, and their absence is no fault of the caller', async () => {
    let away = true;
    const { clock, identity: asking } = remote(() => {
      if (away) throw new Error('connect ECONNREFUSED');
      return issuer.jwks;
    });
    await assert.rejects(
      async () => asking.authenticate(`Bearer ${await issuer.token()}`),
      (error: unknown) => error instanceof Fault && error.code === faults.unavailable.declaration.code,
    );
    assert.equal(asking.ready(), false);
    away = false;
    clock.now += 1_001;
    assert.ok(await asking.authenticate(`Bearer ${await issuer.token()}`));
    away = true;
    clock.now += 700_000;
    assert.ok(await asking.authenticate(`Bearer ${await issuer.token()}`));
    assert.equal(asking.ready(), true);
  });

  it('are not waited for after the end', async () => {
    const { keys } = remote(() => {
      throw new Error('connect ECONNREFUSED');
    });
    const stopping = new AbortController();
    const starting = keys.start(stopping.signal);
    stopping.abort(new Error('stopped'));
    await assert.rejects(starting, /stopped/);
  });
});
