import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { newId } from '@causeway/contracts';
import mongoose from 'mongoose';

import { openTestAuth, password, randomEmail, signUp } from '../testing/test-auth.ts';
import type { TestAuth, TestReplica } from '../testing/test-auth.ts';
import { sendLink, verifyAddress } from '../testing/test-links.ts';
import { openTestMailbox } from '../testing/test-mailbox.ts';
import { proofQueries, proofsCollection } from './proof.model.ts';
import type { ProofDocument } from './proof.model.ts';

describe('links to addresses that nobody has', () => {
  let world: TestAuth;
  let auth: TestReplica;

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica({ ERASURE_SETTLE_TIME: '1s' });
  });
  after(() => world.stop());

  it('are found among all that are over, by an index', async () => {
    const mailbox = await openTestMailbox(world);
    const proofs = world.db.collection<ProofDocument>(proofsCollection);
    const [nobody, ada] = [randomEmail(), await signUp(auth)];
    await verifyAddress(auth, mailbox, ada);
    // Of hers one is used, one withdrawn and one open.
    for (const email of [nobody, ada.email, ada.email]) {
      await sendLink(auth, '/v1/auth/sign-in/link', email);
      if (email === ada.email) await mailbox.tokenTo(email, 'link');
    }
    const ofNobody = { emailKey: nobody, status: 'withdrawn' } as const;
    const deadline = performance.now() + 60_000;
    while ((await proofs.countDocuments(ofNobody)) === 0) {
      assert.ok(performance.now() < deadline, 'it was not withdrawn');
      await delay(20);
    }
    const connection = await mongoose
      .createConnection(world.environment.MONGODB_URL!, { dbName: world.db.databaseName })
      .asPromise();
    try {
      const { endedBefore, endedOfNobodyBefore } = proofQueries(connection);
      const [later, earlier] = [new Date(Date.now() + 1_000), new Date(Date.now() - 3_600_000)];
      const found = await proofs.find({ emailKey: nobody }).toArray();
      assert.deepEqual(
        await endedOfNobodyBefore(later, 10),
        found.map(({ _id }) => _id),
      );
      assert.deepEqual(await endedOfNobodyBefore(earlier, 10), []);
      assert.equal((await endedBefore(later, 10)).length, 3);
      const asked = { accountId: null, status: 'withdrawn', endedAt: { $lt: later } };
      const plan = await world.db.collection(proofsCollection).find(asked).explain('queryPlanner');
      assert.match(JSON.stringify(plan), /"indexName":"withdrawn"/);
    } finally {
      await connection.close();
    }
  });

  it('go with somebody whose removal an earlier release has left at its mails, before it came to links', async () => {
    const published = await world.published();
    const ada = await signUp(auth);
    const mailbox = await openTestMailbox(world);
    await mailbox.tokenTo(ada.email, 'verify');
    const proofs = world.db.collection<ProofDocument>(proofsCollection);
    const proof = await proofs.findOne({ accountId: ada.id });
    assert.ok(proof);
    const answer = await auth.call('DELETE /v1/auth/account', { body: { password }, token: ada.accessToken });
    assert.equal(answer.status, 202, JSON.stringify(answer.body));
    const removed = (times: number) =>
      published.waitFor(
        ({ type, subject }) => type === 'auth.removal.completed' && subject === `removal/${ada.id}`,
        times,
      );
    await removed(1);
    assert.equal(await proofs.countDocuments({ accountId: ada.id }), 0);
    await proofs.insertOne({ ...proof, _id: newId('prf'), outbox: [] });
    await world.leaveRemovalAt(ada.id, 'forget-mails');
    await removed(2);
    assert.equal(await proofs.countDocuments({ accountId: ada.id }), 0);
  });
});
