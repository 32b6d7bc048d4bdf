import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import { SoftAuthenticator } from '../testing/soft-authenticator.ts';
import { openTestAuth, personOf, signUp } from '../testing/test-auth.ts';
import type { Answered, Person, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { markVerified } from '../testing/test-links.ts';
import { openTestMailbox } from '../testing/test-mailbox.ts';
import type { TestMailbox } from '../testing/test-mailbox.ts';
import { addPasskey } from '../testing/test-passkey.ts';
import type { TestPasskey } from '../testing/test-passkey.ts';

interface ProofRow {
  readonly _id: string;
  readonly createdAt: Date;
}

describe('second factors that are added over and over', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let mailbox: TestMailbox;
  let ada: Person;

  const proofs = () => world.db.collection<ProofRow>('proofs');
  const mailed = ({ id: accountId }: Person): Promise<number> =>
    proofs().countDocuments({ accountId, kind: 'undo-factor' });
  const register = async (token: string): Promise<Answered> => {
    const asked = await auth.call('POST /v1/auth/factors/passkeys/options', { token });
    assert.equal(asked.status, 200, JSON.stringify(asked.body));
    const { ticket, options } = asked.body as unknown as { ticket: string; options: { challenge: string } };
    const key = new SoftAuthenticator({ origin: 'http://localhost:8080', rpId: 'localhost' });
    return auth.call('POST /v1/auth/factors/passkeys', { token, body: { ticket, response: key.register(options) } });
  };
  const addAndRemove = async (key: TestPasskey, times: number): Promise<void> => {
    for (let count = 0; count < times; count += 1) {
      // Removing one ends all tokens.
      const { accessToken: token } = personOf(await key.signIn());
      const answer = await register(token);
      assert.equal(answer.status, 201, JSON.stringify(answer.body));
      const { id } = answer.body as unknown as { id: string };
      assert.equal((await auth.call(`DELETE /v1/auth/factors/${id}`, { token })).status, 204);
    }
  };

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica();
    mailbox = await openTestMailbox(world);
  });
  after(() => world.stop());
  beforeEach(async () => {
    ada = await signUp(auth);
  });

  it('are refused after ten in an hour, so that each has its mail', async () => {
    await markVerified(world, ada);
    const key = await addPasskey(auth, ada);
    await addAndRemove(key, 9);
    const { accessToken } = personOf(await key.signIn());
    const answer = await register(accessToken);
    assert.deepEqual([answer.status, answer.body.code], [429, 'too-many-factors'], JSON.stringify(answer.body));
    const retryAfterS = Number(answer.headers.get('retry-after'));
    assert.ok(retryAfterS > 3000 && retryAfterS <= 3600, `${retryAfterS}`);
    const listed = await auth.call('GET /v1/auth/factors', { token: accessToken });
    const { items } = listed.body as unknown as { items: readonly { id: string; kind: string }[] };
    assert.deepEqual(
      items.filter(({ kind }) => kind === 'passkey').map(({ id }) => id),
      [key.id],
    );
    assert.equal(await mailed(ada), 10);
    // The first was an hour ago: by the clock it would be too late for the token.
    const [first] = await proofs().find({ accountId: ada.id, kind: 'undo-factor' }).sort({ createdAt: 1 }).toArray();
    assert.ok(first !== undefined);
    const createdAt = new Date(first.createdAt.getTime() - 3_600_000);
    await proofs().updateOne({ _id: first._id }, { $set: { createdAt } });
    assert.equal((await register(accessToken)).status, 201);
    assert.equal(await mailed(ada), 11);
  });

  it('are not counted where the address is not verified, since nothing is mailed there', async () => {
    await addAndRemove(await addPasskey(auth, ada), 11);
    assert.equal(await mailed(ada), 0);
  });

  it('have no link left once one is used, however many there are', async () => {
    await markVerified(world, ada);
    await addPasskey(auth, ada);
    const token = await mailbox.tokenTo(ada.email, 'take-back');
    const row = await proofs().findOne({ accountId: ada.id, kind: 'undo-factor' });
    assert.ok(row !== null);
    const later = (index: number): Date => new Date(row.createdAt.getTime() + 1000 * (index + 1));
    // As they are before their first write, so that what withdraws them is the first that is told of them.
    const others = Array.from({ length: 120 }, (_, index) => ({
      ...{ ...row, _id: `${row._id.slice(0, -3)}${100 + index}`, createdAt: later(index) },
      ...{ revision: 0, outbox: [] },
    }));
    await proofs().insertMany(others);
    const answer = await auth.call('POST /v1/auth/factors/undo', { body: { token } });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.equal(await proofs().countDocuments({ accountId: ada.id, kind: 'undo-factor', status: 'open' }), 0);
  });
});
