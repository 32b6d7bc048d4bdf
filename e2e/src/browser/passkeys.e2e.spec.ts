import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { noteSecrets } from '../harness/secrets-used.ts';
import { addAuthenticator, launch, noChromium, openPage } from './chromium.ts';

/** What somebody signs up and in with. */
interface Credentials {
  readonly email: string;
  readonly password: string;
}

const fillIn = async (page: Page, path: string, { email, password }: Credentials): Promise<void> => {
  await page.goto(path);
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password').fill(password);
};

const signUp = async (page: Page): Promise<Credentials> => {
  const credentials = { email: `chromium-${randomUUID()}@example.com`, password: `password-${randomUUID()}` };
  noteSecrets('a form in Chromium', credentials);
  await fillIn(page, '/account/sign-up', credentials);
  await page.getByRole('button', { name: 'Sign up' }).click();
  await page.waitForURL('**/account/security**');
  return credentials;
};

const signOut = async (page: Page): Promise<void> => {
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await page.waitForURL('**/account/sign-in**');
};

/** Registers a passkey, and gives the recovery codes that come with it. */
const addPasskey = async (page: Page): Promise<string[]> => {
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.getByRole('heading', { name: 'Your recovery codes' }).waitFor();
  const codes = await page.locator('[data-codes] li').allInnerTexts();
  noteSecrets('a page in Chromium', { recoveryCodes: codes });
  await page.getByRole('link', { name: 'I have kept them' }).click();
  return codes;
};

/** Signs in by a page's own means, but asks the authenticator for less: it signs without knowing who holds it. */
const unverified = `(async () => {
  const ask = async (path, body) => {
    const headers = { 'Content-Type': 'application/json' };
    const answer = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
    return [answer.status, await answer.json()];
  };
  const [, { ticket, options }] = await ask('/v1/auth/sign-in/passkey/options', {});
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON({ ...options, userVerification: 'discouraged' });
  const response = (await navigator.credentials.get({ publicKey })).toJSON();
  const [status, { code }] = await ask('/v1/auth/sign-in/passkey', { ticket, response });
  return [status, code];
})()`;

describe('passkeys in Chromium', { skip: noChromium ?? false }, () => {
  let browser: Browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser.close());

  it('are registered on a page, sign in alone, and are the second factor after a password', async () => {
    const { page, context } = await openPage(browser);
    const problems: string[] = [];
    page.on('console', (message) => {
      // What the policy of the pages blocks is told here.
      if (message.type() === 'error') problems.push(message.text());
    });
    const authenticator = await addAuthenticator(context, page);
    const credentials = await signUp(page);
    assert.equal((await addPasskey(page)).length, 10);
    assert.equal(await authenticator.passkeys(), 1);
    await signOut(page);

    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.waitForURL('**/account/security');
    assert.ok((await page.getByText(credentials.email).count()) > 0);
    const cookies = await context.cookies();
    const access = cookies.find(({ name }) => name.endsWith('causeway-access'));
    assert.deepEqual([access?.httpOnly, access?.sameSite], [true, 'Lax']);
    await signOut(page);

    await fillIn(page, '/account/sign-in', credentials);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('heading', { name: 'Second factor' }).waitFor();
    await page.getByRole('button', { name: 'Use a passkey' }).click();
    await page.waitForURL('**/account/security');
    assert.ok((await page.getByText(credentials.email).count()) > 0);
    assert.deepEqual(problems, []);
    await context.close();
  });

  it('prove once more who it is, and a recovery code does where there is no script', async () => {
    const { page, context } = await openPage(browser);
    await addAuthenticator(context, page);
    await signUp(page);
    const [code = ''] = await addPasskey(page);
    const storageState = await context.storageState();
    const plain = await openPage(browser, { javaScriptEnabled: false, storageState });
    // The session has shown one proof: new codes take two.
    await plain.page.goto('/account/recovery-codes');
    await plain.page.getByRole('heading', { name: 'Is it you?' }).waitFor();
    assert.equal(await plain.page.getByRole('button', { name: 'Use a passkey' }).count(), 0);
    await plain.page.getByLabel('Code').fill(code);
    await plain.page.getByRole('button', { name: 'Go on' }).click();
    await plain.page.waitForURL('**/account/recovery-codes');
    await plain.context.close();

    await page.goto('/account/recovery-codes');
    await page.getByRole('heading', { name: 'Is it you?' }).waitFor();
    await page.getByRole('button', { name: 'Use a passkey' }).click();
    await page.waitForURL('**/account/recovery-codes');
    await context.close();
  });

  it('sign nobody in whom the authenticator has not verified', async () => {
    const { page, context } = await openPage(browser);
    const authenticator = await addAuthenticator(context, page);
    await signUp(page);
    await addPasskey(page);
    await signOut(page);
    await authenticator.verify(false);
    assert.deepEqual(await page.evaluate<unknown>(unverified), [401, 'passkey-invalid']);
    await authenticator.verify(true);
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.waitForURL('**/account/security');
    await context.close();
  });
});
