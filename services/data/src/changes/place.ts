import { Timestamp } from 'mongodb';
import { z } from 'zod';

import type { RecordChange } from './record-change.ts';

/**
 * A place in the order of commits: after everything up to a position, or, within a transaction, whose changes share one
 * position, after the change with this event.
 */
export interface Place {
  readonly position: Timestamp;
  readonly eventId: string | undefined;
}

/** What a feed's cursor says. */
export interface FeedCursor {
  readonly place: Place;
  /** Of the database: after a restore, places mean something else. */
  readonly generation: string;
  /** Of the read rule under which the feed was told. */
  readonly rule: string;
}

const stored = z.object({ p: z.string().regex(/^\d+\.\d+$/), e: z.string().optional(), g: z.string(), r: z.string() });

/** Reads a cursor in one part, as they were made before; undefined for what is none, as a cursor of a list. */
export function fromStored(json: unknown): FeedCursor | undefined {
  const parsed = stored.safeParse(json);
  if (!parsed.success) return undefined;
  const { p, e: eventId, g: generation, r: rule } = parsed.data;
  const [t = 0, i = 0] = p.split('.').map(Number);
  return { place: { position: new Timestamp({ t, i }), eventId }, generation, rule };
}

/** The place after a change. */
export const placeAfter = ({ position, eventId, inTransaction }: RecordChange): Place => ({
  position,
  eventId: inTransaction ? eventId : undefined,
});

/**
 * Takes what lies after a place out of changes in commit order that begin at its position or before.
 *
 * @returns a function to be asked of each change in turn
 */
export function comesAfter({ position, eventId }: Place): (change: RecordChange) => boolean {
  // Within a transaction everything up to the named event has been told.
  let isTold = eventId !== undefined;
  return (change) => {
    if (change.position.lessThan(position)) return false;
    if (change.position.greaterThan(position)) return true;
    if (eventId === undefined) return false;
    const wasTold = isTold;
    if (change.eventId === eventId) isTold = false;
    return !wasTold;
  };
}
