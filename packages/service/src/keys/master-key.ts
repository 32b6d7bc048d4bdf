import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** What one secret is made into: a key for each purpose, none of which gives away another. */
export interface MasterKey {
  /** Tells it from others, and gives nothing of it away. */
  readonly id: string;
  /**
   * @param purpose - a constant that names one use and no other
   * @returns 32 bytes
   */
  derive(purpose: string): Buffer;
  /** A {@link Vault} with a key of its own. */
  vault(purpose: string): Vault;
}

/** Encryption at rest (AES-256-GCM). */
export interface Vault {
  /**
   * @param plain - what to hide
   * @param place - where it will be stored: what is moved elsewhere does not open (the cipher's additional data)
   * @returns Base64
   */
  seal(plain: string, place: string): string;
  /** @throws Error under another master key, at another place, or when a byte has changed */
  open(sealed: string, place: string): string;
}

const ivBytes = 12;
const tagBytes = 16;

/**
 * @param secret - at least 32 characters with 256 bits of randomness, such as `openssl rand -base64 32` gives
 * @param owner - the service whose keys these are: of one secret each service makes others
 */
export function createMasterKey(secret: string, owner: string): MasterKey {
  // HKDF (RFC 5869) without salt: the secret is random, and every replica must come to the same keys.
  const derive = (purpose: string): Buffer =>
    Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), `causeway/${owner}/${purpose}`, 32));
  return { id: derive('id').toString('hex').slice(0, 8), derive, vault: (purpose) => createVault(derive(purpose)) };
}

/**
 * Makes the {@link Vault} of one key.
 *
 * @param key - 32 bytes
 */
export const createVault = (key: Uint8Array): Vault => ({
  seal(plain, place) {
    const iv = randomBytes(ivBytes);
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(place));
    const text = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), text]).toString('base64');
  },
  open(sealed, place) {
    const bytes = Buffer.from(sealed, 'base64');
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, ivBytes), { authTagLength: tagBytes })
      .setAAD(Buffer.from(place))
      .setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
    return Buffer.concat([decipher.update(bytes.subarray(ivBytes + tagBytes)), decipher.final()]).toString('utf8');
  },
});
