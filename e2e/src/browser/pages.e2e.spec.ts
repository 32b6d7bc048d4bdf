import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { noteSecrets } from '../harness/secrets-used.ts';
import { addAuthenticator, launch, noChromium, openPage } from './chromium.ts';

/** A telephone and a desk. */
const sizes = [
  { width: 390, height: 844 },
  { width: 1280, height: 800 },
] as const;

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const pictures = path.join(import.meta.dirname, '../../.test/pages');

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** What is wrong with a page for those who cannot see, or not well (WCAG 2.2 A and AA). */
const violationsOf = async (page: Page): Promise<string[]> => {
  await page.addScriptTag({ path: axe });
  const { violations } = await page.evaluate<{ readonly violations: readonly Violation[] }>(
    `axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`,
  );
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`);
};

describe('pages in Chromium', { skip: noChromium ?? false }, () => {
  let browser: Browser;
  before(async () => {
    mkdirSync(pictures, { recursive: true });
    browser = await launch();
  });
  after(() => browser.close());

  for (const viewport of sizes) {
    for (const colorScheme of ['light', 'dark'] as const) {
      it(`are readable by everybody at ${viewport.width} pixels, ${colorScheme}`, async () => {
        // The policy of the pages lets no script of a test in.
        const { page, context } = await openPage(browser, { viewport, colorScheme, bypassCSP: true });
        const look = async (name: string): Promise<void> => {
          assert.deepEqual(await violationsOf(page), [], name);
          const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
          assert.ok(overflow <= 0, `${name} is ${overflow} pixels too wide`);
          await page.screenshot({ path: path.join(pictures, `${name}-${viewport.width}-${colorScheme}.png`) });
        };
        await page.goto('/account/sign-in');
        await look('sign-in');
        const fields = { email: `pages-${randomUUID()}@example.com`, password: `password-${randomUUID()}` };
        noteSecrets('a form in Chromium', fields);
        await page.getByLabel('E-mail address').fill(fields.email);
        await page.getByLabel('Password').fill(fields.password);
        await page.getByRole('button', { name: 'Sign in', exact: true }).click();
        await page.getByRole('alert').first().waitFor();
        await look('sign-in-refused');
        await page.goto('/account/sign-up');
        await look('sign-up');
        await page.getByLabel('E-mail address').fill(fields.email);
        await page.getByLabel('Password').fill(fields.password);
        await page.getByRole('button', { name: 'Sign up' }).click();
        await page.waitForURL('**/account/security**');
        await look('security');
        await addAuthenticator(context, page);
        await page.getByRole('button', { name: 'Add a passkey' }).click();
        await page.getByRole('heading', { name: 'Your recovery codes' }).waitFor();
        noteSecrets('a page in Chromium', { recoveryCodes: await page.locator('[data-codes] li').allInnerTexts() });
        await page.goto('/account/recovery-codes');
        await page.getByRole('button', { name: 'Use a passkey' }).waitFor();
        await look('step-up');
        await page.goto('/account/nowhere');
        await look('nowhere');
        await context.close();
      });
    }
  }
});
