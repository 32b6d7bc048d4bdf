import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import type { PublishedEvents } from '@causeway/events/testing';

import { eventsOf, handledBy } from '../testing/handled-by.ts';
import { openTestAuth, password, personOf, signUp } from '../testing/test-auth.ts';
import type { Person, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { verifyAddress } from '../testing/test-links.ts';
import { openTestMailbox } from '../testing/test-mailbox.ts';
import type { TestMailbox } from '../testing/test-mailbox.ts';
import { addPasskey } from '../testing/test-passkey.ts';
import { enrolTotp } from '../testing/test-totp.ts';

const added = 'A second factor was added to your account at 127.0.0.1:8080';
const removed = 'A second factor was removed from your account at 127.0.0.1:8080';
const renewed = 'Your recovery codes for 127.0.0.1:8080 were made anew';
const suspected = 'Somebody may have a copy of your passkey for 127.0.0.1:8080';
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

describe('mails about second factors', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let mailbox: TestMailbox;
  let published: PublishedEvents;
  let ada: Person;

  const handled = (handler: string, events: readonly string[]) => handledBy(world, handler, events);
  const queued = async ({ id: accountId }: Person): Promise<string[]> => {
    const mails = await world.db.collection('mails').find({ accountId }).sort({ _id: 1 }).toArray();
    return mails.map(({ template }) => String(template)).sort();
  };
  const stepUp = async (person: Person, proof: object): Promise<Person> => {
    const answer = await auth.call('POST /v1/auth/step-up', { token: person.accessToken, body: proof });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return { ...person, ...(answer.body as Partial<Person>) };
  };

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica();
    mailbox = await openTestMailbox(world);
    published = await world.published();
  });
  after(() => world.stop());
  beforeEach(async () => {
    const { email } = await signUp(auth);
    const headers = { 'user-agent': firefox };
    ada = personOf(await auth.call('POST /v1/auth/sign-in', { body: { email, password }, headers }));
    await verifyAddress(auth, mailbox, ada);
  });

  it('tell of an app that was added: when, from where, and how to take it back', async () => {
    await enrolTotp(world, auth, ada);
    const { text, html } = await mailbox.mailAbout(ada.email, added);
    for (const words of [text, html]) {
      assert.match(words, /an authenticator app/);
      assert.match(words, /When: 20\d\d-\d\d-\d\d \d\d:\d\d UTC/);
      assert.match(words, /From: Firefox on Linux/);
      assert.match(words, /http:\/\/127\.0\.0\.1:8080\/account\/security/);
      assert.match(words, /http:\/\/127\.0\.0\.1:8080\/account\/take-back\/cwp_[\w-]+/);
    }
  });

  it('are one for each that is added, with the recovery codes that come with it where all are used', async () => {
    const key = await addPasskey(auth, ada);
    assert.match((await mailbox.mailAbout(ada.email, added)).text, /a passkey/);
    await world.db
      .collection('factors')
      .updateMany({ accountId: ada.id, kind: 'recovery-codes' }, { $set: { 'codes.$[].usedAt': new Date() } });
    const totp = await enrolTotp(world, auth, personOf(await key.signIn()));
    await mailbox.tokenTo(ada.email, 'take-back', 2);
    const [renewal] = await published.waitFor(({ data }) => (data as { cameWith?: string }).cameWith === totp.id);
    assert.deepEqual((renewal?.data as { changed: string[] }).changed, ['codes']);
    await handled('mail-of-factor', [renewal?.id ?? '']);
    assert.deepEqual(await queued(ada), ['factor-added', 'factor-added', 'verify-email']);
  });

  it('tell of one that was removed, and of recovery codes that were made anew', async () => {
    const totp = await enrolTotp(world, auth, ada);
    const sure = await stepUp(ada, { totp: await totp.code() });
    const by = { token: sure.accessToken };
    assert.equal((await auth.call('POST /v1/auth/factors/recovery-codes', by)).status, 200);
    const codes = await mailbox.mailAbout(ada.email, renewed);
    assert.match(codes.text, /From: Firefox on Linux[^]*\/account\/recovery-codes\n[^]*\/account\/reset\n/);
    assert.equal((await auth.call(`DELETE /v1/auth/factors/${totp.id}`, by)).status, 204);
    const gone = await mailbox.mailAbout(ada.email, removed);
    assert.match(gone.text, /an authenticator app[^]*From: Firefox on Linux[^]*\/account\/reset\n[^]*\/security\n/);
    await mailbox.tokenTo(ada.email, 'take-back');
    assert.deepEqual(await queued(ada), ['factor-added', 'factor-removed', 'recovery-codes-renewed', 'verify-email']);
  });

  it('tell nothing of one that was never confirmed', async () => {
    const begun = await auth.call('POST /v1/auth/factors/totp', { token: ada.accessToken, body: {} });
    const { id } = begun.body as unknown as { id: string };
    // Removing takes two proofs: those of a passkey.
    const key = await addPasskey(auth, ada);
    const { accessToken: token } = personOf(await key.signIn());
    const answer = await auth.call(`DELETE /v1/auth/factors/${id}`, { token });
    assert.equal(answer.status, 204);
    await handled('mail-of-removed-factor', eventsOf(answer));
    assert.ok(!(await queued(ada)).includes('factor-removed'));
  });

  it('tell of a passkey that was copied, once a day however often the copy is tried', async () => {
    const key = await addPasskey(auth, ada);
    assert.equal((await key.signInAs(10)).status, 200);
    for (const counter of [9, 8, 7]) assert.equal((await key.signInAs(counter)).status, 401);
    assert.match((await mailbox.mailAbout(ada.email, suspected)).text, /\/account\/security\n/);
    const isMark = ({ subject, type }: { readonly subject: string; readonly type: string }): boolean =>
      subject === `factor/${key.id}` && type === 'auth.factor.updated';
    for (const { id } of await published.waitFor(isMark, 3)) await handled('mail-of-factor', [id]);
    assert.equal((await queued(ada)).filter((template) => template === 'passkey-suspected').length, 1);
  });

  it('go to no address that nobody has verified', async () => {
    const eve = await signUp(auth);
    await mailbox.tokenTo(eve.email, 'verify');
    const totp = await enrolTotp(world, auth, eve);
    const sure = await stepUp(eve, { totp: await totp.code() });
    const by = { token: sure.accessToken };
    const codes = await auth.call('POST /v1/auth/factors/recovery-codes', by);
    await handled('mail-of-factor', eventsOf(codes));
    await handled('mail-of-removed-factor', eventsOf(await auth.call(`DELETE /v1/auth/factors/${totp.id}`, by)));
    assert.deepEqual(await queued(eve), ['verify-email']);
    assert.equal(await world.db.collection('proofs').countDocuments({ accountId: eve.id, kind: 'undo-factor' }), 0);
  });
});
