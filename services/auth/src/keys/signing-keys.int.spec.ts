import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { openTestAuth, signUp } from '../testing/test-auth.ts';
import type { TestAuth, TestReplica } from '../testing/test-auth.ts';

interface Jwks {
  readonly keys: readonly Readonly<Record<string, string>>[];
}

const jwksOf = async (replica: TestReplica): Promise<Jwks> => {
  const answer = await replica.call('GET /.well-known/jwks.json');
  assert.equal(answer.status, 200);
  return answer.body as unknown as Jwks;
};

describe('signing keys', () => {
  let world: TestAuth;
  let replicas: TestReplica[];

  before(async () => {
    world = await openTestAuth();
    // None of them finds a key: they have to agree on one.
    replicas = await Promise.all([world.replica(), world.replica(), world.replica()]);
  });
  after(() => world.stop());

  it('are one for replicas that start at once, each of which believes what the others sign', async () => {
    const [first, ...others] = await Promise.all(replicas.map(jwksOf));
    for (const other of others) assert.deepEqual(other, first);
    assert.equal(await world.db.collection('signing-keys').countDocuments(), 1);
    const { accessToken } = await signUp(replicas[0]!);
    for (const replica of replicas) {
      assert.equal((await replica.call('GET /v1/auth/account', { token: accessToken })).status, 200);
    }
  });

  it('are published without their private half, for five minutes of caching', async () => {
    const answer = await replicas[0]!.call('GET /.well-known/jwks.json');
    assert.equal(answer.headers.get('cache-control'), 'public, max-age=300');
    const [key, ...others] = (answer.body as unknown as Jwks).keys;
    assert.equal(others.length, 0);
    const { kid, x, ...rest } = key!;
    assert.match(kid!, /^[\w-]{43}$/);
    assert.match(x!, /^[\w-]{43}$/);
    assert.deepEqual(rest, { kty: 'OKP', crv: 'Ed25519', use: 'sig', alg: 'EdDSA' });
  });

  it('are the same after a restart', async () => {
    const { accessToken } = await signUp(replicas[0]!);
    const later = await world.replica();
    assert.deepEqual(await jwksOf(later), await jwksOf(replicas[0]!));
    assert.equal((await later.call('GET /v1/auth/account', { token: accessToken })).status, 200);
    await later.stop();
  });

  it('do not open under another master key: the start says which setting is wrong', async () => {
    await assert.rejects(
      world.replica({ CAUSEWAY_MASTER_KEY: 'another master key, with enough characters' }),
      /CAUSEWAY_MASTER_KEY is not the one/,
    );
  });
});
