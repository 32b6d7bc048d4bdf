import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { newId } from '@causeway/contracts';

import { openTestAuth, password, signUp } from '../testing/test-auth.ts';
import type { Person, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { totpOf } from '../testing/test-totp.ts';

describe('the factors of somebody who is erased', () => {
  let world: TestAuth;
  let auth: TestReplica;

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica({ ERASURE_SETTLE_TIME: '1s' });
  });
  after(() => world.stop());

  it('are forgotten, with what their owner has called them and with sign-ins that were under way', async () => {
    const published = await world.published();
    const ada = await signUp(auth);
    const name = `Telephone of ${newId('usr')}`;
    const begun = await auth.call('POST /v1/auth/factors/totp', { token: ada.accessToken, body: { name } });
    const { id, secret } = begun.body as unknown as { id: string; secret: string };
    const confirmed = await auth.call(`POST /v1/auth/factors/totp/${id}/confirm`, {
      token: ada.accessToken,
      body: { code: await totpOf(secret, -1) },
    });
    assert.equal(confirmed.status, 200);
    const first = await auth.call('POST /v1/auth/sign-in', { body: { email: ada.email, password } });
    assert.equal(first.body.status, 'mfa-required');
    const rowsOf = (collection: string) => world.db.collection(collection).countDocuments({ accountId: ada.id });
    assert.deepEqual([await rowsOf('factors'), await rowsOf('tickets')], [2, 1]);

    const proof = { token: ada.accessToken, body: { totp: await totpOf(secret) } };
    const { accessToken: token } = (await auth.call('POST /v1/auth/step-up', proof)).body as unknown as Person;
    const erased = await auth.call('DELETE /v1/auth/account', { token, body: { password } });
    assert.equal(erased.status, 202, JSON.stringify(erased.body));
    const [removed] = await published.waitFor(
      ({ type, subject }) => type === 'auth.factor.removed' && subject === `factor/${id}`,
    );
    assert.deepEqual(removed?.data, { factorId: id, accountId: ada.id, kind: 'totp', reason: 'account-deleted' });
    await published.waitFor(
      ({ type, data }) => type === 'auth.removal.completed' && (data as { accountId?: string }).accountId === ada.id,
    );
    assert.deepEqual([await rowsOf('factors'), await rowsOf('tickets')], [0, 0]);
    for (const each of await world.db.listCollections().toArray()) {
      for await (const row of world.db.collection(each.name).find()) {
        assert.equal(JSON.stringify(row).includes(name), false, each.name);
      }
    }
  });
});
