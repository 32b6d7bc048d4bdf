import { existsSync } from 'node:fs';
import process from 'node:process';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { addressOf } from '../harness/platform.ts';

/** Where Debian has it. */
const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

const missing = existsSync(executablePath)
  ? undefined
  : `there is no Chromium at ${executablePath}: install it (apt-get install chromium), or say where it is with CHROMIUM_PATH`;

const demand = process.env.CAUSEWAY_TEST_BROWSER ?? '';
if (!['', 'required'].includes(demand))
  throw new Error(`CAUSEWAY_TEST_BROWSER is "${demand}": set required, or nothing`);

/** Where it has to be, such as in CI, these specs fail without it. */
const isRequired = demand === 'required';

/** Why the specs of this folder do not run here; undefined where they do, or must. */
export const noChromium: string | undefined =
  missing === undefined || isRequired ? undefined : `${missing}; with CAUSEWAY_TEST_BROWSER=required this is a failure`;

const args = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

/**
 * Starts the machine's Chromium, without a window.
 *
 * @throws where it is required and there is none
 */
export const launch = (): Promise<Browser> =>
  missing === undefined
    ? chromium.launch({ executablePath, headless: true, args })
    : Promise.reject(new Error(`CAUSEWAY_TEST_BROWSER=required, and ${missing}`));

/** The pages' address as browsers know it: passkeys belong to a domain, and an address is none. */
export const site = (): string => addressOf('gateway').replace('127.0.0.1', 'localhost');

/** How long a step of a page may take on a busy machine. */
const patienceMs = 60_000;

/** Opens a browser that nobody has used yet. */
export async function openPage(
  browser: Browser,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<{ readonly page: Page; readonly context: BrowserContext }> {
  const context = await browser.newContext({ baseURL: site(), ...options });
  context.setDefaultTimeout(patienceMs);
  context.setDefaultNavigationTimeout(patienceMs);
  return { page: await context.newPage(), context };
}

/** An authenticator that Chromium plays. */
export interface VirtualAuthenticator {
  /** Whether it verifies who holds it from now on. */
  verify(isVerified: boolean): Promise<void>;
  /** How many passkeys it holds. */
  passkeys(): Promise<number>;
}

/** Gives a page's browser an authenticator with user verification (WebAuthn Level 3 §11). */
export async function addAuthenticator(context: BrowserContext, page: Page): Promise<VirtualAuthenticator> {
  const devtools = await context.newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      ...{ protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true },
      ...{ isUserVerified: true, automaticPresenceSimulation: true },
    },
  });
  return {
    verify: async (isUserVerified) => {
      await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified });
    },
    passkeys: async () => (await devtools.send('WebAuthn.getCredentials', { authenticatorId })).credentials.length,
  };
}
