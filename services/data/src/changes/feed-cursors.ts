import { createHmac, timingSafeEqual } from 'node:crypto';

import { faults } from '@causeway/contracts';
import { formatPosition } from '@causeway/events';
import { Timestamp } from 'mongodb';
import { z } from 'zod';

import type { BoundCursors } from '../cursors/cursor-codec.ts';
import type { FaultPlace } from '../queries/refuse-query.ts';
import type { FeedCursor, Place } from './place.ts';
import { fromStored } from './place.ts';

/**
 * Cursors of feeds, `<whose>.<where>`. Each part is signed by itself: whose it is, of which query, database and read rule, once when a feed
 * begins; where, once a change for all feeds. A message costs no signature then. Nobody gains anything by another's second part: it is a
 * position and the id of an event.
 */
export interface FeedCursors {
  /** What the cursors of a feed begin with while it is told by a rule. */
  begin(bound: BoundCursors, rule: string): string;
  /** What they end with. */
  seal(place: Place): string;
  /**
   * Reads one, also as it was made in one part.
   *
   * @param sent - where it was sent, for the fault
   * @throws Fault `invalid-request`, `not-found`
   */
  read(cursor: string, bound: BoundCursors, sent?: FaultPlace): FeedCursor;
}

/** What {@link createFeedCursors} is given. */
export interface FeedCursorsOptions {
  /** The same in every replica. */
  readonly secret: Uint8Array;
  /** Of the database; see `readGeneration`. */
  readonly generation: string;
}

const inHeader: FaultPlace = { parameter: 'Last-Event-ID' };
const macBytes = 16;
const sealedForm = /^[A-Za-z0-9_-]{24,1024}$/;
const whose = z.object({ g: z.string(), r: z.string() });
const where = z.object({ p: z.string().regex(/^\d+\.\d+$/), e: z.string().optional() });

const malformed = (sent: FaultPlace): Error =>
  faults.invalidRequest({
    errors: [{ ...sent, code: 'invalid-cursor', message: 'Send the last id of a feed.' }],
  });

/** Makes what signs them: HMAC-SHA-256, truncated to 128 bits (RFC 2104 §5). */
export function createFeedCursors({ secret, generation }: FeedCursorsOptions): FeedCursors {
  const macOf = (content: Buffer): Buffer =>
    createHmac('sha256', secret).update(content).digest().subarray(0, macBytes);

  const open = (sealed: string, sent: FaultPlace): Place => {
    const bytes = sealedForm.test(sealed) ? Buffer.from(sealed, 'base64url') : Buffer.alloc(0);
    const content = bytes.subarray(macBytes);
    if (content.length === 0 || !timingSafeEqual(bytes.subarray(0, macBytes), macOf(content))) throw malformed(sent);
    const { p, e: eventId } = where.parse(JSON.parse(content.toString()));
    const [t = 0, i = 0] = p.split('.').map(Number);
    return { position: new Timestamp({ t, i }), eventId };
  };

  return {
    begin: (bound, rule) => `${bound.encode({ g: generation, r: rule } satisfies z.input<typeof whose>)}.`,
    seal({ position, eventId }) {
      const place = { p: formatPosition(position), ...(eventId === undefined ? {} : { e: eventId }) };
      const content = Buffer.from(JSON.stringify(place satisfies z.input<typeof where>));
      return Buffer.concat([macOf(content), content]).toString('base64url');
    },
    read(cursor, bound, sent = inHeader) {
      const [first = '', second, ...more] = cursor.split('.');
      const begun = bound.decode(first, sent);
      if (second === undefined) return fromStored(begun) ?? fail(sent);
      const about = whose.safeParse(begun);
      if (!about.success || more.length > 0) throw malformed(sent);
      return { place: open(second, sent), generation: about.data.g, rule: about.data.r };
    },
  };
}

function fail(sent: FaultPlace): never {
  throw malformed(sent);
}
