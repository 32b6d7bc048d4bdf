import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

import { faults } from '@causeway/contracts';
import type { FaultLocation } from '@causeway/contracts';

/** What a cursor is bound to: it leads nowhere else. */
export interface CursorBinding {
  /** The definition's id. */
  readonly collectionId: string;
  /** All that decides which rows come in which order; compared as JSON. */
  readonly query: unknown;
  /** Whose it is. */
  readonly principal: string;
}

/** Cursors of one query and one person: opaque to clients, theirs alone, good for one query alone. */
export interface BoundCursors {
  /** @param place - JSON */
  encode(place: unknown): string;
  /**
   * @param place - where the cursor was sent, for the fault
   * @returns the place
   * @throws Fault `invalid-request` for a cursor that is none of ours or of another query; `not-found` for another person's
   */
  decode(cursor: string, place: Pick<FaultLocation, 'parameter' | 'pointer'>): unknown;
}

/** Binds cursors. */
export type CursorCodec = (binding: CursorBinding) => BoundCursors;

const macBytes = 16;
const hashBytes = 12;
const form = /^[A-Za-z0-9_-]{40,4096}$/;

/**
 * Cursors signed with HMAC-SHA-256, truncated to 128 bits (RFC 2104 §5): mac, hash of query, hash of principal, place.
 *
 * @param secret - the same in every replica
 */
export function createCursorCodec(secret: Uint8Array): CursorCodec {
  const key = Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), 'causeway data cursor', 32));
  const macOf = (content: Buffer): Buffer => createHmac('sha256', key).update(content).digest().subarray(0, macBytes);
  return (binding) => {
    const own = hashesOf(binding);
    return {
      encode(place) {
        const content = Buffer.concat([own.query, own.principal, Buffer.from(JSON.stringify(place))]);
        return Buffer.concat([macOf(content), content]).toString('base64url');
      },
      decode(cursor, place) {
        const refused = (code: string, message: string): Error =>
          faults.invalidRequest({ errors: [{ ...place, code, message }] });
        const bytes = form.test(cursor) ? Buffer.from(cursor, 'base64url') : Buffer.alloc(0);
        const content = bytes.subarray(macBytes);
        const isWhole = bytes.length > macBytes + 2 * hashBytes;
        if (!isWhole || !timingSafeEqual(bytes.subarray(0, macBytes), macOf(content))) {
          throw refused('invalid-cursor', 'Send a cursor as it was answered.');
        }
        // What is another person's is not there: 404, as for a record that one may not read.
        if (!content.subarray(hashBytes, 2 * hashBytes).equals(own.principal)) throw faults.notFound();
        if (!content.subarray(0, hashBytes).equals(own.query)) {
          throw refused('other-query', 'Send a cursor with the query that it was answered to.');
        }
        return JSON.parse(content.subarray(2 * hashBytes).toString()) as unknown;
      },
    };
  };
}

const hashOf = (value: unknown): Buffer =>
  createHash('sha256').update(JSON.stringify(value)).digest().subarray(0, hashBytes);

const hashesOf = ({ collectionId, query, principal }: CursorBinding): { query: Buffer; principal: Buffer } => ({
  query: hashOf([collectionId, query]),
  principal: hashOf(principal),
});
