import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { administratorSettings, signInAdministrator } from '../testing/test-administrator.ts';
import { openTestAuth, password, randomEmail, signUp } from '../testing/test-auth.ts';
import type { Person, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { changeAddress, sendLink, verifyAddress } from '../testing/test-links.ts';
import { openTestMailbox } from '../testing/test-mailbox.ts';
import type { TestMailbox } from '../testing/test-mailbox.ts';
import { enrolTotp } from '../testing/test-totp.ts';

describe('sign-ins that are half done', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let mailbox: TestMailbox;

  const ticketsOf = ({ id: accountId }: Person) => world.db.collection('tickets').countDocuments({ accountId });
  const firstStep = async ({ email }: Person): Promise<string> => {
    const answer = await auth.call('POST /v1/auth/sign-in', { body: { email, password } });
    assert.equal(answer.body.status, 'mfa-required', JSON.stringify(answer.body));
    return String(answer.body.mfaToken);
  };
  /** Somebody with an app of long ago, who has just shown a code of it, and a code that is new still. */
  const enrolled = async (isVerified: boolean): Promise<{ person: Person; code: () => Promise<string> }> => {
    const person = await signUp(auth);
    if (isVerified) await verifyAddress(auth, mailbox, person);
    const totp = await enrolTotp(world, auth, person);
    const long = new Date(Date.now() - 30 * 24 * 3_600_000);
    await world.db
      .collection('factors')
      .updateMany({ accountId: person.id }, { $set: { createdAt: long, codesAt: long } });
    const proof = { token: person.accessToken, body: { totp: await totp.code() } };
    const stepped = (await auth.call('POST /v1/auth/step-up', proof)).body as Partial<Person>;
    return { person: { ...person, ...stepped }, code: () => totp.code(1) };
  };
  const lastStepOf = async ({ id: accountId }: Person): Promise<unknown> =>
    (await world.db.collection('factors').findOne({ accountId, kind: 'totp' }))?.lastStep;
  const isOver = async (person: Person, mfaToken: string, totp: string): Promise<void> => {
    const [step, sessions] = [await lastStepOf(person), world.db.collection('sessions')];
    const begun = await sessions.countDocuments({ accountId: person.id });
    const options = await auth.call('POST /v1/auth/sign-in/second-factor/options', { body: { mfaToken } });
    assert.deepEqual([options.status, options.body.code], [404, 'ticket-invalid']);
    const answer = await auth.call('POST /v1/auth/sign-in/second-factor', { body: { mfaToken, totp } });
    assert.deepEqual([answer.status, answer.body.code], [404, 'ticket-invalid']);
    assert.equal(await lastStepOf(person), step, 'the code is not taken');
    assert.equal(await sessions.countDocuments({ accountId: person.id }), begun, 'no session is begun');
  };

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica(administratorSettings);
    mailbox = await openTestMailbox(world);
  });
  after(() => world.stop());

  it('go with a claim of the account', async () => {
    const { person, code } = await enrolled(false);
    const mfaToken = await firstStep(person);
    await sendLink(auth, '/v1/auth/sign-in/link', person.email);
    const token = await mailbox.tokenTo(person.email, 'link');
    const answer = await auth.call('POST /v1/auth/sign-in/link/redeem', { body: { token } });
    assert.equal(answer.body.status, 'signed-in', JSON.stringify(answer.body));
    assert.equal(await ticketsOf(person), 0);
    await isOver(person, mfaToken, await code());
  });

  it('go with a new password', async () => {
    const { person, code } = await enrolled(true);
    const mfaToken = await firstStep(person);
    await sendLink(auth, '/v1/auth/password/reset', person.email);
    const chosen = { token: await mailbox.tokenTo(person.email, 'reset'), password: 'a lantern under the harbour' };
    assert.equal((await auth.call('POST /v1/auth/password/reset/confirm', { body: chosen })).status, 200);
    assert.equal(await ticketsOf(person), 0);
    await isOver(person, mfaToken, await code());
  });

  it('go where the change of the address is undone', async () => {
    const { person, code } = await enrolled(true);
    const thief = await changeAddress(auth, mailbox, person, randomEmail());
    const mfaToken = await firstStep(thief);
    const token = await mailbox.tokenTo(person.email, 'undo');
    assert.equal((await auth.call('POST /v1/auth/email/undo', { body: { token } })).status, 200);
    assert.equal(await ticketsOf(person), 0);
    await isOver(person, mfaToken, await code());
  });

  it('are over where an administrator ends the sessions, or disables the account', async () => {
    const by = { token: (await signInAdministrator(auth)).accessToken };
    const { person, code } = await enrolled(true);
    const first = await firstStep(person);
    assert.equal((await auth.call(`DELETE /v1/auth/accounts/${person.id}/sessions`, by)).status, 204);
    await isOver(person, first, await code());
    const second = await firstStep(person);
    const disabled = await auth.call(`POST /v1/auth/accounts/${person.id}/disable`, { ...by, body: {} });
    assert.equal(disabled.status, 200, JSON.stringify(disabled.body));
    await isOver(person, second, await code());
  });
});
