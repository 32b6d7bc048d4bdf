import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { openTestAuth, randomEmail, signUp } from '../testing/test-auth.ts';
import type { TestAuth, TestReplica } from '../testing/test-auth.ts';
import { alike, sendLink } from '../testing/test-links.ts';
import { openTestMailbox } from '../testing/test-mailbox.ts';
import type { TestMailbox } from '../testing/test-mailbox.ts';

const noAccount = 'You have no account at 127.0.0.1:8080 with this address';

describe('a link that is asked for with an address that nobody has, where MAIL_UNKNOWN_ADDRESSES is set', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let mailbox: TestMailbox;

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica({ MAIL_UNKNOWN_ADDRESSES: 'true' });
    mailbox = await openTestMailbox(world);
  });
  after(() => world.stop());

  for (const [path, page] of [
    ['/v1/auth/sign-in/link', 'link'],
    ['/v1/auth/password/reset', 'reset'],
  ] as const) {
    it(`is answered by a mail without one, and by nothing else: ${path}`, async () => {
      const nobody = randomEmail();
      const { email } = await signUp(auth);
      const [unknown, known] = [await sendLink(auth, path, nobody), await sendLink(auth, path, email)];
      assert.deepEqual(alike(unknown.headers), alike(known.headers));
      const mail = await mailbox.mailAbout(nobody, noAccount);
      assert.doesNotMatch(mail.text, /cwp_/);
      assert.match(mail.text, /http:\/\/127\.0\.0\.1:8080\/account\/sign-up\n/);
      await mailbox.tokenTo(email, page);
      assert.ok((await mailbox.mailsTo(email)).every(({ subject }) => subject !== noAccount));
      assert.equal((await mailbox.mailsTo(nobody)).length, 1);
      const proof = await world.db.collection('proofs').findOne({ emailKey: nobody });
      assert.equal(proof?.status, 'withdrawn');
    });
  }

  it('is not where somebody asks to have an address verified, which they can only have said themselves', async () => {
    const nobody = randomEmail();
    await sendLink(auth, '/v1/auth/email/verification', nobody);
    await sendLink(auth, '/v1/auth/sign-in/link', nobody);
    await mailbox.mailAbout(nobody, noAccount);
    const proofs = world.db.collection('proofs');
    const deadline = performance.now() + 60_000;
    while ((await proofs.countDocuments({ emailKey: nobody, status: 'open' })) > 0) {
      assert.ok(performance.now() < deadline, 'it is open still');
      await delay(20);
    }
    assert.equal(await world.db.collection('mails').countDocuments({ to: nobody }), 1);
  });
});
