import type { Db } from 'mongodb';

import { beacons } from './change.ts';

/** How often the leaseholder says how late it is: a quiet stream is at most this much behind what it knows. */
export const beaconMs = 1_000;

/**
 * Writes the beacon each second while `leads()`, so that every replica's commit stream moves on when nothing else does.
 *
 * @returns a function that ends it
 */
export const startBeacon = (db: Db, leads: () => boolean): (() => void) => {
  const rows = db.collection<{ _id: string; at: Date }>(beacons);
  const timer = setInterval(() => {
    if (!leads()) return;
    // One that is missed is followed by the next.
    rows.updateOne({ _id: 'beacon' }, [{ $set: { at: '$$NOW' } }], { upsert: true }).catch(() => undefined);
  }, beaconMs);
  timer.unref();
  return () => clearInterval(timer);
};
