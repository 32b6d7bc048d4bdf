import { parseEmailAddress } from '../accounts/email-address.ts';

/** Who a mail is from. */
export interface Sender {
  /** Empty where none is shown. */
  readonly name: string;
  readonly address: string;
  /** Of the address, in its ASCII form. */
  readonly domain: string;
}

/** `Name <address>`, or the address alone. Names with a meaning of their own in a header are nodemailer's to quote. */
const form = /^(?:([^<>\p{Cc}]*)<([^<>]+)>|([^<>\s]+))$/u;

/**
 * Reads who mails are from.
 *
 * @param text - such as `Causeway <no-reply@example.com>`
 * @returns undefined where it is none
 */
export function parseSender(text: string): Sender | undefined {
  const [, name = '', bracketed, bare] = form.exec(text.trim()) ?? [];
  const parsed = parseEmailAddress(bracketed ?? bare ?? '');
  if (parsed === undefined) return undefined;
  return { name: name.trim(), address: parsed.address, domain: parsed.key.slice(parsed.key.lastIndexOf('@') + 1) };
}
