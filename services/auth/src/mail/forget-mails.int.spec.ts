import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import mongoose from 'mongoose';

import { openTestAuth, randomEmail, signUp } from '../testing/test-auth.ts';
import type { TestAuth } from '../testing/test-auth.ts';
import { sendLink } from '../testing/test-links.ts';
import { openTestMailbox } from '../testing/test-mailbox.ts';
import { mailQueries, mailsCollection } from './mail.model.ts';
import type { MailDocument } from './mail.model.ts';

describe('mails to addresses that nobody has', () => {
  let world: TestAuth;

  before(async () => {
    world = await openTestAuth();
  });
  after(() => world.stop());

  it('are found among all that are over, by an index', async () => {
    const auth = await world.replica({ MAIL_UNKNOWN_ADDRESSES: 'true' });
    const mailbox = await openTestMailbox(world);
    const [nobody, ada] = [randomEmail(), await signUp(auth)];
    await sendLink(auth, '/v1/auth/sign-in/link', nobody.toUpperCase());
    await mailbox.mailsTo(nobody);
    await mailbox.tokenTo(ada.email, 'verify');
    const mails = world.db.collection<MailDocument>(mailsCollection);
    const deadline = performance.now() + 60_000;
    while ((await mails.countDocuments({ status: 'sent' })) < 2) {
      assert.ok(performance.now() < deadline, 'they were not sent');
      await delay(20);
    }
    const connection = await mongoose
      .createConnection(world.environment.MONGODB_URL!, { dbName: world.db.databaseName })
      .asPromise();
    try {
      const { endedBefore, endedOfNobodyBefore } = mailQueries(connection);
      const [later, earlier] = [new Date(Date.now() + 1_000), new Date(Date.now() - 3_600_000)];
      const [found, ...others] = await mails.find({ toKey: nobody }).toArray();
      assert.ok(found !== undefined && others.length === 0);
      assert.deepEqual(await endedOfNobodyBefore(later, 10), [found._id]);
      assert.deepEqual(await endedOfNobodyBefore(later, 10, [found._id]), []);
      assert.deepEqual(await endedOfNobodyBefore(earlier, 10), []);
      assert.equal((await endedBefore(later, 10)).length, 2);
      assert.equal((await endedBefore(later, 10, [found._id])).length, 1);
      const asked = { accountId: null, endedAt: { $lt: later } };
      const plan = await mails.find(asked as never).explain('queryPlanner');
      assert.match(JSON.stringify(plan), /"indexName":"of-owner"/);
    } finally {
      await connection.close();
    }
  });
});
