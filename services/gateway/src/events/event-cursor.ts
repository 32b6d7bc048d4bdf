import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { faults, services as serviceNames } from '@causeway/contracts';
import { formatPlaces, parsePlaces } from '@causeway/service';
import { z } from 'zod';

import type { EventPlaces } from './list-events.ts';

/** Whose list it is, and of what. */
export interface CursorScope {
  /** What is asked for, as a text that is the same for the same question. */
  readonly query: string;
  /** `sub` of the caller. */
  readonly principal: string;
}

/** Makes and reads cursors of lists of events. */
export interface EventCursors {
  /**
   * @param places - after which the next page begins; they cannot be read from the cursor
   */
  seal(scope: CursorScope, places: EventPlaces): string;
  /**
   * @returns the places after which the page begins
   * @throws Fault `invalid-request` where the cursor is none of ours, or of another query; `not-found` where it is another's
   */
  open(scope: CursorScope, cursor: string): EventPlaces;
}

const shape = z.tuple([z.string(), z.string(), z.record(z.string(), z.string())]);

// AES-256-GCM (NIST SP 800-38D): a nonce of 96 bits, at random, and a tag of 128.
const algorithm = 'aes-256-gcm';
const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

const invalid = () => {
  const message = 'This is not a cursor of this query.';
  return faults.invalidRequest({ errors: [{ parameter: 'cursor', code: 'invalid-cursor', message }] });
};

const decrypt = (key: Buffer, cursor: string): unknown => {
  const sealed = Buffer.from(cursor, 'base64url');
  if (sealed.length <= nonceBytes + tagBytes) throw invalid();
  const decipher = createDecipheriv(algorithm, key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAuthTag(sealed.subarray(-tagBytes));
  try {
    const text = [decipher.update(sealed.subarray(nonceBytes, -tagBytes)), decipher.final()];
    return JSON.parse(Buffer.concat(text).toString('utf8'));
  } catch {
    throw invalid();
  }
};

/**
 * Makes the cursors of an installation: sealed, so that nobody makes one up or reads an id from it, and bound to query and
 * caller. Every gateway that has the same internal key reads them.
 *
 * @param internalKey - of the installation; the key of cursors is derived from it (HKDF, RFC 5869)
 */
export const createEventCursors = (internalKey: string): EventCursors => {
  const key = Buffer.from(hkdfSync('sha256', internalKey, '', 'causeway/gateway/event-cursor/3', keyBytes));
  return {
    seal: ({ query, principal }, places) => {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagBytes });
      const read = Object.fromEntries([...places].map(([service, each]) => [service, formatPlaces(each)]));
      const text = JSON.stringify([query, principal, read]);
      const sealed = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()];
      return Buffer.concat(sealed).toString('base64url');
    },
    open: ({ query, principal }, cursor) => {
      const { data } = shape.safeParse(decrypt(key, cursor));
      if (data === undefined) throw invalid();
      const [ofQuery, ofPrincipal, read] = data;
      if (ofPrincipal !== principal) throw faults.notFound();
      if (ofQuery !== query) throw invalid();
      return new Map(serviceNames.map((service) => [service, parsePlaces(read[service] ?? '') ?? new Map()]));
    },
  };
};
