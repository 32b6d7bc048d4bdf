import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';

import { parseEmailAddress } from '../accounts/email-address.ts';
import { loadRootKey } from '../keys/root-key.ts';
import { createMailbox } from '../mailbox/mailbox.ts';
import type { MailboxMail } from '../mailbox/mailbox.ts';
import type { TestAuth } from './test-auth.ts';

/** What would have been sent, as a spec reads it. */
export interface TestMailbox {
  /** The mails to an address, the newest first, once there are so many. */
  mailsTo(email: string, count?: number): Promise<MailboxMail[]>;
  /** The newest with this subject: how many others there are may hang on what was faster. */
  mailAbout(email: string, subject: string): Promise<MailboxMail>;
  /** The token of the newest link to a page, once so many have come. */
  tokenTo(email: string, page: string, count?: number): Promise<string>;
}

/** For how long a mail is waited for. */
const patienceMs = 60_000;

/** @param world - whose mailbox */
export async function openTestMailbox(world: Pick<TestAuth, 'db' | 'environment'>): Promise<TestMailbox> {
  const root = await loadRootKey(world.db, world.environment.CAUSEWAY_MASTER_KEY ?? '');
  const mailbox = createMailbox({ db: world.db, vault: root.vault('mailbox'), now: () => new Date() });

  const read = async (email: string): Promise<MailboxMail[]> => {
    const toKey = parseEmailAddress(email)?.key;
    const entries = await mailbox.list({ toKey, limit: 100 });
    const mails = await Promise.all(entries.map(({ id }) => mailbox.read(id)));
    return mails.filter((mail) => mail !== undefined);
  };

  const until = async <T>(what: string, look: () => Promise<T | undefined>): Promise<T> => {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      assert.ok(performance.now() < deadline, `${what} did not come`);
      await delay(20);
    }
  };

  return {
    mailsTo: (email, count = 1) =>
      until(`${count} mails to ${email}`, async () => {
        const mails = await read(email);
        return mails.length < count ? undefined : mails;
      }),
    mailAbout: (email, subject) =>
      until(`a mail to ${email}: ${subject}`, async () => (await read(email)).find((mail) => mail.subject === subject)),
    tokenTo: (email, page, count = 1) =>
      until(`${count} links to ${page} for ${email}`, async () => {
        const links = (await read(email)).flatMap(({ text }) => {
          const found = new RegExp(String.raw`/account/${page}/(\S+)`).exec(text)?.[1];
          return found === undefined ? [] : [found];
        });
        return links.length < count ? undefined : links[0];
      }),
  };
}
