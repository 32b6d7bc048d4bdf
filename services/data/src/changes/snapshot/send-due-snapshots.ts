import { laterOf } from '@causeway/events';
import type { Timestamp } from 'mongodb';

import type { FeedBeginning } from '../feed-options.ts';
import type { Feed } from '../feed.ts';
import type { Place } from '../place.ts';
import type { SendSnapshot } from './send-snapshot.ts';
import { createSnapshotPace } from './snapshot-pace.ts';

/** What {@link sendDueSnapshots} goes by. */
export interface DueSnapshots {
  readonly send: SendSnapshot;
  /** Up to where feeds have been told. */
  readonly position: () => Timestamp | undefined;
  /** Has the feed told what follows a place. */
  readonly resume: (place: Place) => Promise<void>;
}

/**
 * Sends a feed a snapshot whenever one is due, and has it go on after it, until it ends.
 *
 * @param beginning - what its caller has seen, and the place that was taken for its first one
 */
export async function sendDueSnapshots(
  feed: Feed,
  { after, snapshotPlace }: Pick<FeedBeginning, 'after' | 'snapshotPlace'>,
  { send, position, resume }: DueSnapshots,
): Promise<void> {
  const pace = createSnapshotPace();
  let place = snapshotPlace;
  while (await feed.snapshotIsDue()) {
    if (!pace.begin()) {
      feed.end('end', 'too-many-gaps');
      return;
    }
    // Nothing older than what the caller, or this feed, has seen.
    const notBefore = laterOf(after, position());
    const sentUpTo = await send(feed, { notBefore, place });
    place = undefined;
    if (sentUpTo !== undefined) await resume(sentUpTo);
  }
}
