import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { call } from '../harness/client.ts';
import { expectProblem, expectStatus } from '../harness/expectations.ts';
import { mailTo } from '../harness/mailbox.ts';
import { platform } from '../harness/platform.ts';
import { admin, newEmail, type SignedIn, signUp } from '../harness/people.ts';
import { verifyAddress } from '../harness/verify-address.ts';

const refresh = (refreshToken: string) => call('POST', '/v1/auth/refresh', { json: { refreshToken } });

describe('mails', () => {
  it('follow from an event, as effects of it, and end up in the mailbox', async () => {
    const person = await signUp();
    await verifyAddress(person);
    const { refreshToken } = expectStatus(await refresh(person.refreshToken), 200).json<SignedIn>();
    expectStatus(await refresh(refreshToken), 200);
    const reused = await expectProblem(await refresh(person.refreshToken), 401, 'refresh-reused');
    assert.equal(reused.code, 'refresh-reused');
    const mail = await mailTo(person.email, /signed out/);
    assert.match(mail.text, new RegExp(person.email.replaceAll('.', String.raw`\.`)));
    assert.ok(!JSON.stringify(mail).includes(person.refreshToken));
  });

  it('bring the link by which an address is verified, once', async () => {
    const person = await signUp();
    const mail = await mailTo(person.email, /Is this your address/);
    const link = mail.links.find((each) => each.includes('/account/verify/')) ?? '';
    assert.ok(link.startsWith(platform.urls.gateway ?? 'nowhere'), link);
    const token = link.slice(link.lastIndexOf('/') + 1);
    const verify = () => call('POST', '/v1/auth/email/verify', { json: { token }, token: person.accessToken });
    expectStatus(await verify(), 200);
    await expectProblem(await verify(), 404, 'link-invalid');
    const account = expectStatus(await call('GET', '/v1/auth/account', { token: person.accessToken }), 200);
    assert.equal(account.json().emailVerified, true);
    const again = await call('POST', '/v1/auth/email/verification', { json: { email: newEmail() } });
    assert.deepEqual(expectStatus(again, 202).json(), { status: 'link-sent' });
  });

  it('are read by administrators alone', async () => {
    const person = await signUp();
    for (const path of ['/v1/auth/mailbox', '/v1/auth/mailbox/mal_06EXAMPLE4Y7S6W0ZQ3V5T1K2M']) {
      await expectProblem(await call('GET', path, { token: person.accessToken }), 403, 'forbidden');
      await expectProblem(await call('GET', path), 401, 'unauthenticated');
    }
    const by = { token: await admin() };
    await expectProblem(await call('GET', '/v1/auth/mailbox/mal_nobody', by), 404, 'not-found');
    await expectProblem(
      await call('GET', '/v1/auth/mailbox', { ...by, query: { to: 'nobody' } }),
      400,
      'invalid-request',
    );
    const none = await call('GET', '/v1/auth/mailbox', { ...by, query: { to: newEmail() } });
    assert.deepEqual(expectStatus(none, 200).json(), { items: [] });
  });
});
