import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import { Browser, toldBy } from '../testing/browser.ts';
import { openTestAuth, password, signUp } from '../testing/test-auth.ts';
import type { Person, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { verifyAddress } from '../testing/test-links.ts';
import { openTestMailbox } from '../testing/test-mailbox.ts';
import type { TestMailbox } from '../testing/test-mailbox.ts';
import { enrolTotp } from '../testing/test-totp.ts';

const foreignSite = { 'sec-fetch-site': 'cross-site' };

describe('the page that takes a second factor back', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let mailbox: TestMailbox;
  let ada: Person;
  let link: string;

  const factors = () => world.db.collection('factors').countDocuments({ accountId: ada.id });

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica({ PUBLIC_URL: 'https://causeway.example', GUESSES_PER_BLOCK: '100000' });
    mailbox = await openTestMailbox(world);
  });
  after(() => world.stop());
  beforeEach(async () => {
    ada = await signUp(auth);
    await verifyAddress(auth, mailbox, ada);
    await enrolTotp(world, auth, ada);
    link = `/account/take-back/${await mailbox.tokenTo(ada.email, 'take-back')}`;
  });

  it('says what is taken back, and does it by its button alone, once', async () => {
    const thief = new Browser(auth);
    const victim = new Browser(auth);
    const page = await victim.open(link, foreignSite);
    assert.match(page.text, new RegExp(`<strong>${ada.email}</strong>[^]*an authenticator app`));
    assert.equal((await victim.send(page, {}, { headers: foreignSite })).status, 403);
    assert.equal((await victim.send(page, { csrf: 'nonsense' })).status, 403);
    assert.equal(await factors(), 2);
    const done = await victim.send(page, {});
    assert.deepEqual([done.status, done.location], [303, '/account/sign-in?done=factor-undone'], toldBy(done));
    assert.match(toldBy(await victim.open('/account/sign-in?done=factor-undone')) ?? '', /is taken back/);
    assert.equal(await factors(), 0);
    const signIn = await thief.send(await thief.open('/account/sign-in'), { email: ada.email, password });
    assert.equal(signIn.status, 401);
    const again = await victim.send(page, {});
    assert.equal(again.status, 404);
    assert.match(again.text, /href="\/account\/reset"/);
    assert.match(await mailbox.tokenTo(ada.email, 'reset'), /^cwp_/);
  });

  it('says why where the account would have none of what it had before', async () => {
    const proofs = world.db.collection('proofs');
    const before = { factorIds: ['fac_that_was_there'] };
    await proofs.updateOne({ accountId: ada.id, kind: 'undo-factor' }, { $set: { before } });
    const victim = new Browser(auth);
    const refused = await victim.send(await victim.open(link), {});
    assert.equal(refused.status, 409);
    assert.match(toldBy(refused) ?? '', /the only second factor[^]*administrator/);
    assert.equal(await factors(), 2);
  });

  it('opens nothing with the link of another page', async () => {
    const browser = new Browser(auth);
    const token = link.split('/').at(-1) ?? '';
    for (const page of ['undo', 'reset', 'verify'])
      assert.equal((await browser.open(`/account/${page}/${token}`)).status, 404);
    assert.equal(await factors(), 2);
  });
});
