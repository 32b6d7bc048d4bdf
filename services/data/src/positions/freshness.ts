import type { CommitStream } from '@causeway/events';
import type { Timestamp } from 'mongodb';

/** A commit stream that has been silent for longer, beacon and all, may have fallen behind. */
const maxAgeMs = 2_000;
/** One that is not silent may be late in telling. */
const maxBehindS = 2;

/** What is asked of a commit stream. */
export type Followed = Pick<CommitStream, 'position' | 'midTransaction' | 'ageMs' | 'behindS' | 'ready'>;

/** Whether a process follows the commits: what it keeps of them is at most so old. */
export const isFresh = ({ ready, ageMs, behindS }: Followed): boolean =>
  ready && ageMs < maxAgeMs && behindS <= maxBehindS;

/** Whether a process has seen everything up to a position, that included. */
export const reaches = (stream: Followed, after: Timestamp): boolean => {
  const { position, midTransaction } = stream;
  if (!isFresh(stream) || position === undefined) return false;
  return midTransaction ? position.greaterThan(after) : position.greaterThanOrEqual(after);
};
