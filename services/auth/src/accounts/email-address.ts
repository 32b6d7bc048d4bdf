import { domainToASCII } from 'node:url';

import { z } from 'zod';

/** An e-mail address as it is written to, and as it is compared. */
export interface EmailAddress {
  /** Written to and shown: the local part as its owner writes it, in form NFC; the domain in lower case. */
  readonly address: string;
  /** Compared, and unique among accounts: without case, compatible characters folded (NFKC), the domain in its ASCII form (IDNA). */
  readonly key: string;
}

/** RFC 5321 §4.5.3.1: octets of a local part, of a domain, and of a path less its brackets. */
const longest = { local: 64, domain: 255, address: 254 };

/** RFC 5322's `dot-atom`, with RFC 6531's Unicode; no quoted strings, which no mail provider gives to people. */
const localPart = /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+)*$/u;

/** RFC 1035 §2.3.1 labels, two at least; the last is not a number, so that no IP address passes. */
const domainName = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Reads an e-mail address.
 *
 * @param text - as somebody typed it
 * @returns undefined where it is none
 */
export function parseEmailAddress(text: string): EmailAddress | undefined {
  if (text.length > longest.address || !text.isWellFormed()) return undefined;
  const composed = text.normalize('NFC');
  const at = composed.lastIndexOf('@');
  const local = composed.slice(0, Math.max(0, at));
  const typedDomain = composed.slice(at + 1);
  // Before the URL parser sees it: that takes away tabs and line ends, and reads %2e as a full stop.
  if (at < 1 || !/^[\p{L}\p{M}\p{N}.-]+$/u.test(typedDomain)) return undefined;
  const domain = domainToASCII(typedDomain);
  const tooLong =
    Buffer.byteLength(local) > longest.local ||
    domain.length > longest.domain ||
    Buffer.byteLength(composed) > longest.address;
  if (tooLong || !localPart.test(local) || !domainName.test(domain)) return undefined;
  return {
    address: `${local}@${typedDomain.toLowerCase().normalize('NFC')}`,
    key: `${local.normalize('NFKC').toLowerCase().normalize('NFKC')}@${domain}`,
  };
}

/** An e-mail address in a request; gives an {@link EmailAddress}. */
export const emailAddress = z
  .string()
  .max(longest.address, `Must have at most ${longest.address} characters.`)
  .transform((text, context): EmailAddress => {
    const parsed = parseEmailAddress(text);
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: 'custom', message: 'Must be an e-mail address, such as ada@example.com.' });
    return z.NEVER;
  });
