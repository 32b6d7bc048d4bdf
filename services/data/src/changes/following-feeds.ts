import { Fault } from '@causeway/contracts';
import type { Timestamp } from 'mongodb';

import type { Feed } from './feed.ts';
import type { LookAsOf } from './look-as-of.ts';
import type { RecordChange } from './record-change.ts';

/** What {@link createFollowingFeeds} is given. */
export interface FollowingFeedsOptions {
  readonly look: LookAsOf;
  /** Resolves when the commit stream has brought all that was acknowledged before the call; rejects where that takes longer. */
  readonly settled: (withinMs: number) => Promise<void>;
  /** Up to where feeds have been told, of a transaction all or nothing. */
  readonly position: () => Timestamp | undefined;
}

/** Feeds whose rule follows references, which keep to where these lead. */
export interface FollowingFeeds {
  /** Notes whether a feed is one of them: by another definition it may be, or no longer. */
  note(feed: Feed): void;
  remove(feed: Feed): void;
  /** Has a feed know where the references lead that its rule follows; what changes after that it hears of. */
  look(feed: Feed): Promise<void>;
  /** Has all of them hear of what their rules may follow: {@link Feed.isOutdated} tells what comes of it. */
  hear(changes: readonly RecordChange[], then: (feed: Feed) => void): void;
  /** Changes may have been missed. */
  forget(): void;
}

/** So long a feed waits for what was committed before it was opened; one that does not is told a gap when that comes. */
const settledMs = 2_000;

/** Makes it, with none. */
export function createFollowingFeeds({ look, settled, position }: FollowingFeedsOptions): FollowingFeeds {
  const feeds = new Set<Feed>();
  return {
    note(feed) {
      if (feed.isFollowing) feeds.add(feed);
      else feeds.delete(feed);
    },
    remove: (feed) => void feeds.delete(feed),
    async look(feed) {
      // Who has just been given a right is not told at once that it has changed.
      await settled(settledMs).catch(() => undefined);
      const { collection, asker } = feed;
      feed.beginLook();
      try {
        const { caller, asOf } = await look(collection, asker, position());
        feed.settleLook(collection, caller, asOf);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        feed.end('end', error.code);
      }
    },
    hear(changes, then) {
      for (const feed of feeds) {
        for (const change of changes) feed.hear(change);
        then(feed);
      }
    },
    forget() {
      for (const feed of feeds) feed.forgetLook();
    },
  };
}
