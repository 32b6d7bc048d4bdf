import { createHmac, randomBytes } from 'node:crypto';

/** Crockford's base 32: without letters that are read as digits. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** How many there are at first. */
export const codeCount = 10;

/** Characters of 5 bits each: 80 bits cannot be guessed, whatever is known of the others. */
const codeLength = 16;

/** A code as it is kept. */
export interface KeptCode {
  /** HMAC under a key that is not in the database. */
  readonly hash: string;
  readonly usedAt?: Date;
}

/** Codes on paper, for whoever has lost their other factor. */
export interface RecoveryCodes {
  /** New ones, as they are shown once: `XXXX-XXXX-XXXX-XXXX`. */
  make(): string[];
  /**
   * @param code - as typed: in any case, with any spaces and dashes, and O, I and L for digits
   * @param factorId - a code of one account is none of another
   */
  hash(code: string, factorId: string): string;
}

const plain = (code: string): string =>
  code
    .normalize('NFKC')
    .toUpperCase()
    .replaceAll(/[\s\p{Pd}]/gu, '')
    .replaceAll('O', '0')
    .replaceAll(/[IL]/g, '1');

const newCode = (): string =>
  Array.from(randomBytes(codeLength), (byte) => alphabet[byte & 31])
    .join('')
    .replaceAll(/.{4}(?=.)/g, '$&-');

/** @param secret - 32 bytes, the same in every replica */
export const createRecoveryCodes = (secret: Uint8Array): RecoveryCodes => ({
  make: () => Array.from({ length: codeCount }, newCode),
  hash: (code, factorId) =>
    createHmac('sha256', secret)
      .update(JSON.stringify([factorId, plain(code)]))
      .digest('base64url'),
});
