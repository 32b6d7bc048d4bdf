import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { generate } from 'otplib';

import { SoftAuthenticator } from '../../testing/soft-authenticator.ts';
import { openTestAuth, randomEmail, signUp } from '../../testing/test-auth.ts';
import type { Person, TestAuth, TestReplica } from '../../testing/test-auth.ts';
import { verifyAddress } from '../../testing/test-links.ts';
import { openTestMailbox } from '../../testing/test-mailbox.ts';
import type { TestMailbox } from '../../testing/test-mailbox.ts';
import { totpOf } from '../../testing/test-totp.ts';

const hourMs = 3_600_000;

interface Asked {
  readonly ticket: string;
  readonly options: { readonly challenge: string };
}

describe('second factors, where the change of an address is undone', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let mailbox: TestMailbox;

  const call = async (path: string, { accessToken: token }: Person, body?: object) => {
    const answer = await auth.call(path, { token, ...(body !== undefined && { body }) });
    assert.ok(answer.status < 300, `${path}: ${JSON.stringify(answer.body)}`);
    return answer.body as unknown;
  };
  /** Somebody with a verified address and an authenticator app of that age, who has just shown a code of both kinds. */
  const enrolled = async (ageMs: number): Promise<Person & { readonly secret: string; readonly code: string }> => {
    const person = await signUp(auth);
    await verifyAddress(auth, mailbox, person);
    const begun = (await call('POST /v1/auth/factors/totp', person, {})) as { id: string; secret: string };
    const code = await generate({ secret: begun.secret });
    const confirmed = await call(`POST /v1/auth/factors/totp/${begun.id}/confirm`, person, { code });
    const at = new Date(Date.now() - ageMs);
    const factors = world.db.collection('factors');
    await factors.updateMany({ accountId: person.id }, { $set: { createdAt: at } });
    await factors.updateMany({ accountId: person.id, kind: 'recovery-codes' }, { $set: { codesAt: at } });
    const [recoveryCode] = (confirmed as { recoveryCodes: string[] }).recoveryCodes;
    const stepped = (await call('POST /v1/auth/step-up', person, { recoveryCode })) as Partial<Person>;
    return { ...person, ...stepped, secret: begun.secret, code };
  };
  /** Changes the address of somebody, and takes that back; gives what is left. */
  const changeAndUndo = async (person: Person) => {
    const email = randomEmail();
    await call('POST /v1/auth/email', person, { email });
    await call('POST /v1/auth/email/confirm', person, { token: await mailbox.tokenTo(email, 'email') });
    const token = await mailbox.tokenTo(person.email, 'undo');
    assert.equal((await auth.call('POST /v1/auth/email/undo', { body: { token } })).status, 200);
    const account = await world.db.collection<{ _id: string }>('accounts').findOne({ _id: person.id });
    const factors = await world.db.collection('factors').find({ accountId: person.id }).toArray();
    return {
      kinds: factors.map(({ kind }) => String(kind)).sort(),
      hasSecondFactor: (account as { hasSecondFactor?: boolean } | null)?.hasSecondFactor,
    };
  };

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica();
    mailbox = await openTestMailbox(world);
  });
  after(() => world.stop());

  it('stay where they are older than a change can be undone, and a passkey of just before it goes', async () => {
    const person = await enrolled(73 * hourMs);
    const begun = await call('POST /v1/auth/factors/passkeys/options', person);
    const { ticket, options } = begun as Asked;
    const key = new SoftAuthenticator({ origin: 'http://localhost:8080', rpId: 'localhost' });
    await call('POST /v1/auth/factors/passkeys', person, { ticket, response: key.register(options) });
    assert.deepEqual(await changeAndUndo(person), { kinds: ['recovery-codes', 'totp'], hasSecondFactor: true });

    const entering = (await auth.call('POST /v1/auth/sign-in/passkey/options')).body as unknown as Asked;
    const answer = { ticket: entering.ticket, response: key.use(entering.options) };
    assert.equal((await auth.call('POST /v1/auth/sign-in/passkey', { body: answer })).status, 401, 'the thief');
    const chosen = 'a lantern under the harbour';
    const reset = { token: await mailbox.tokenTo(person.email, 'reset'), password: chosen };
    assert.equal((await auth.call('POST /v1/auth/password/reset/confirm', { body: reset })).status, 200);
    const signedIn = await auth.call('POST /v1/auth/sign-in', { body: { email: person.email, password: chosen } });
    assert.equal(signedIn.body.status, 'mfa-required', 'mail and password alone do not open it');
    const { mfaToken } = signedIn.body;
    const enter = (totp: string) => auth.call('POST /v1/auth/sign-in/second-factor', { body: { mfaToken, totp } });
    assert.equal((await enter(person.code)).status, 401, 'its codes are as used as they were');
    assert.equal((await enter(await totpOf(person.secret, 1))).status, 200, 'its owner');
  });

  it('go with their recovery codes where they were set up an hour before the change', async () => {
    assert.deepEqual(await changeAndUndo(await enrolled(hourMs)), { kinds: [], hasSecondFactor: false });
  });

  it('stay without recovery codes where these were made anew before the change', async () => {
    const person = await enrolled(73 * hourMs);
    await call('POST /v1/auth/factors/recovery-codes', person);
    assert.deepEqual(await changeAndUndo(person), { kinds: ['totp'], hasSecondFactor: true });
  });
});
