import { createHash } from 'node:crypto';
import { parse, v7 } from 'uuid';

/** Crockford's base 32: digits and letters without I, L, O and U, in ASCII order, so that text sorts as the number does. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** The prefixes of ids that clients see. */
export type IdPrefix =
  'usr' | 'org' | 'ses' | 'rec' | 'col' | 'key' | 'rdr' | 'tmr' | 'rpl' | 'rbd' | 'prf' | 'mal' | 'fac';

const encode = (bytes: Uint8Array): string => {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  let text = '';
  for (let digit = 0; digit < 26; digit += 1) {
    text = `${alphabet[Number(value & 31n)] ?? ''}${text}`;
    value >>= 5n;
  }
  return text;
};

/**
 * A new id for a thing that clients see, such as `usr_06F1…`: a prefix and a UUIDv7 (RFC 9562 §5.7) in 26 characters of
 * Crockford's base 32. Ids made later by one process sort after earlier ones.
 *
 * @param prefix - what kind of thing it names
 */
export const newId = (prefix: IdPrefix): string => `${prefix}_${encode(parse(v7()))}`;

/**
 * An id that follows from a name: the same for the same name, in every process. It sorts by nothing.
 *
 * @param prefix - what kind of thing it names
 * @param name - of any length; 128 bits of its SHA-256 are kept
 */
export const derivedId = (prefix: IdPrefix, name: string): string =>
  `${prefix}_${encode(createHash('sha256').update(name).digest().subarray(0, 16))}`;

/** A new event id: a UUIDv7 in its usual form. */
export const newEventId = (): string => v7();

const bodies = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

/**
 * Whether a text has the form of an id with this prefix; says nothing about its existence.
 *
 * @param prefix - the expected prefix
 * @param text - what a client sent
 */
export const isId = (prefix: IdPrefix, text: string): boolean =>
  text.startsWith(`${prefix}_`) && bodies.test(text.slice(prefix.length + 1));
