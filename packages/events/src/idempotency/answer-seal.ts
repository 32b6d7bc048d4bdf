import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

import { canonicalJson } from './canonical-json.ts';

/** What identifies a call: who, which, and with what. */
export interface IdempotentRequest {
  /** Whose key it is: keys of different principals never meet. A constant for calls that anybody may make. */
  readonly principal: string;
  /** Method and path template, `POST /v1/auth/sign-up`. */
  readonly route: string;
  /** The `Idempotency-Key`, 1 to 255 characters. */
  readonly key: string;
  /** The body as parsed: two bodies are the same if they are the same JSON value. */
  readonly body: unknown;
}

/** What is stored of a call. None of it says anything to a reader of the database who lacks the secret. */
export interface SealedRequest {
  /** Where its row is. */
  readonly id: string;
  /** What its body was: keyed, since a plain hash of a body with a password in it could be searched for the password. */
  readonly bodyHash: string;
  /** Encrypts an answer. */
  seal(answer: unknown): Buffer;
  /**
   * Gives back what was sealed for the same request.
   *
   * @throws Error where the bytes are of another request or have been changed
   */
  open(sealed: Buffer): unknown;
}

const ivBytes = 12;
const tagBytes = 16;

/**
 * Prepares a request for storage. Answers hold tokens, and a database is read by more people than an answer: they are
 * encrypted (AES-256-GCM) under a key made (HKDF, RFC 5869) from the server's secret, the `Idempotency-Key` and the body,
 * so that only who repeats the whole call gets them back.
 *
 * @param secret - at least 32 bytes, the same in every replica
 * @param request - the call
 */
export function sealRequest(secret: Uint8Array, request: IdempotentRequest): SealedRequest {
  const mac = (purpose: string, ...parts: readonly string[]): Buffer =>
    createHmac('sha256', secret)
      .update(JSON.stringify([purpose, ...parts]))
      .digest();
  const body = canonicalJson(request.body);
  const id = mac('id', request.principal, request.route, request.key).toString('base64url');
  const content = mac('answer', request.principal, request.route, request.key, body);
  const encryptionKey = Buffer.from(hkdfSync('sha256', content, Buffer.alloc(0), 'causeway idempotent answer', 32));
  return {
    id,
    bodyHash: mac('body', body).toString('base64url'),
    seal(answer) {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv('aes-256-gcm', encryptionKey, iv).setAAD(Buffer.from(id));
      const text = Buffer.concat([cipher.update(JSON.stringify(answer), 'utf8'), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), text]);
    },
    open(sealed) {
      const decipher = createDecipheriv('aes-256-gcm', encryptionKey, sealed.subarray(0, ivBytes), {
        authTagLength: tagBytes,
      })
        .setAAD(Buffer.from(id))
        .setAuthTag(sealed.subarray(ivBytes, ivBytes + tagBytes));
      const text = Buffer.concat([decipher.update(sealed.subarray(ivBytes + tagBytes)), decipher.final()]);
      return JSON.parse(text.toString('utf8')) as unknown;
    },
  };
}
