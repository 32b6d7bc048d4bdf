import type { Order } from '../operations/leased-work.ts';

/** The name of the collection of {@link RebuildDocument}s. */
export const rebuilds = 'rebuilds';

/** How far a slot of a producer's log has been read: its next position. */
export interface ReadPlace {
  readonly topic: string;
  readonly slot: number;
  readonly next: number;
}

/** What the copy that is used and the one that was built anew have in common. */
export interface Comparison {
  /** Of both together. */
  readonly documents: number;
  readonly differing: number;
  /** Some of the ids that differ. */
  readonly examples: readonly string[];
  /** Hexadecimal; equal where both agree, in whatever order the documents are. */
  readonly liveChecksum: string;
  readonly rebuiltChecksum: string;
}

/** How far a rebuild is. */
export interface RebuildProgress {
  phase: 'building' | 'swapping' | 'settling';
  /** Up to where the new copy has been fed. */
  places: readonly ReadPlace[];
  /** Up to where it had been before it was swapped in: from there on the events come to it once more. */
  mark: readonly ReadPlace[];
  /** Events that were read. */
  seen: number;
  /** Copies that were taken over, since the logs no longer hold their events. */
  carried: number;
  comparison: Comparison;
}

/** An administrator's wish that a projection be built anew beside the one that is used, and what came of it. */
export interface RebuildDocument extends Order, Comparison {
  readonly handler: string;
  readonly collection: string;
  /** Events in a second that are brought to the new copy, at most; as fast as may be where it says nothing. */
  readonly ratePerSecond?: number;
  /** Both copies differ, and it is for an administrator to say what is to be. */
  readonly waiting: boolean;
  readonly decision: 'none' | 'swap' | 'drop';
  readonly result: 'none' | 'swapped' | 'dropped';
  readonly seen: number;
  readonly carried: number;
  /** Where it goes on once that is decided. */
  readonly places: readonly ReadPlace[];
}
