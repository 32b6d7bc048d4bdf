import type { Places, PlacesOptions } from '../../pacing/places.ts';
import { createPlaces } from '../../pacing/places.ts';
import { snapshotBusy } from './snapshot.errors.ts';

export type { Release } from '../../pacing/places.ts';

/** So many snapshots may be read at once; who gets no place is told Fault `snapshot-busy`. */
export type SnapshotPlaces = Places;

/** Makes the places of a process. */
export const createSnapshotPlaces = (options: Omit<PlacesOptions, 'busy'>): SnapshotPlaces =>
  createPlaces({ ...options, busy });

const busy = (): Error => snapshotBusy({ retryAfterS: 5, message: 'all places for snapshots are taken' });
