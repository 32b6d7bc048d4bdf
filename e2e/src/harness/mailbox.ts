import assert from 'node:assert/strict';
import { call } from './client.ts';
import { eventually } from './eventually.ts';
import { expectStatus } from './expectations.ts';
import { admin } from './people.ts';

/** A mail as an administrator reads it in the mailbox. */
export interface Mail {
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly at: string;
  readonly text: string;
  readonly html: string;
  readonly links: readonly string[];
}

let token: Promise<string> | undefined;

/** Signed in once: a token is good for five minutes. */
const administrator = (): Promise<string> => {
  token ??= admin();
  setTimeout(() => (token = undefined), 240_000).unref();
  return token;
};

/**
 * Waits for a mail.
 *
 * @param to - the address
 * @param subject - of the mail; of several the newest is read
 */
export async function mailTo(to: string, subject: RegExp): Promise<Mail> {
  return eventually(async () => {
    const by = { token: await administrator() };
    const listed = expectStatus(await call('GET', '/v1/auth/mailbox', { ...by, query: { to } }), 200);
    const { items } = listed.json<{ items: readonly Mail[] }>();
    const found = items.find((each) => subject.test(each.subject));
    assert.ok(found, `mails to ${to}: ${items.map((each) => each.subject).join(', ')}`);
    return expectStatus(await call('GET', `/v1/auth/mailbox/${found.id}`, by), 200).json<Mail>();
  });
}
