import { Fault, faults } from '@causeway/contracts';
import type { Timestamp } from 'mongodb';

import { createFairBudget } from './fair-budget.ts';
import type { Feed } from './feed.ts';
import type { FollowedInterest } from './followed-records.ts';
import type { IdSet } from './id-sets.ts';
import type { InterestIndex } from './interest-index.ts';
import { createInterestIndex } from './interest-index.ts';
import type { LookAsOf } from './look-as-of.ts';
import type { RecordChange } from './record-change.ts';

/** What {@link createFollowingFeeds} is given. */
export interface FollowingFeedsOptions {
  readonly look: LookAsOf;
  /** Resolves when the commit stream has brought all that was acknowledged before the call; rejects where that takes longer. */
  readonly settled: (withinMs: number) => Promise<void>;
  /** Up to where feeds have been told, of a transaction all or nothing. */
  readonly position: () => Timestamp | undefined;
  /** Records that the rules of all feeds may lead to, those once that several lead to. Default 500,000, some 100 MB. */
  readonly followedLimit?: number | undefined;
}

/** Feeds whose rule follows references, which keep to where these lead. */
export interface FollowingFeeds {
  /** Whether they follow as many records as there is room for. */
  readonly isFull: boolean;
  /** Takes on a feed, that is one of them for as long as its definition says so. */
  add(feed: Feed): void;
  remove(feed: Feed): void;
  /** Has a feed know where the references lead that its rule follows, and ends it where there is no room for that; what changes after that it hears of. */
  look(feed: Feed): Promise<void>;
  /**
   * Has those hear of the changes of a commit whose rules may follow what has changed: {@link Feed.isOutdated} tells what comes of it.
   *
   * @param then - is called for each that has heard
   */
  hear(changes: readonly RecordChange[], then: (feed: Feed) => void): void;
  /** Changes may have been missed. */
  forget(): void;
}

/** So long a feed waits for what was committed before it was opened; one that does not is told a gap when that comes. */
const settledMs = 2_000;

const mostFollowed = 500_000;

/** What the patterns of all rules that follow may take over one change: about 60 ms, as those of what feeds see. */
const budgetUnits = { evenUnits: 2_000_000, spareUnits: 4_000_000 };

/** As it was noted last. */
interface Noted {
  readonly interests: readonly FollowedInterest[];
  readonly sets: readonly IdSet[];
}

const nothing: Noted = { interests: [], sets: [] };

/** Makes it, with none. */
export function createFollowingFeeds(options: FollowingFeedsOptions): FollowingFeeds {
  const { look, settled, position, followedLimit = mostFollowed } = options;
  const feeds = new Map<Feed, Noted>();
  const byTarget = new Map<string, { readonly index: InterestIndex<Feed>; readonly feeds: Set<Feed> }>();
  const sets = new Map<IdSet, number>();
  const budget = createFairBudget<Feed>({ ...budgetUnits, clock: () => performance.now() });
  /** How many there are in the sets. */
  let records = 0;

  const enter = (feed: Feed, interests: readonly FollowedInterest[]): void => {
    for (const { target, interests: own } of interests) {
      const there = byTarget.get(target) ?? { index: createInterestIndex<Feed>(), feeds: new Set<Feed>() };
      byTarget.set(target, there);
      there.index.add(feed, own);
      there.feeds.add(feed);
    }
  };
  const leave = (feed: Feed, interests: readonly FollowedInterest[]): void => {
    for (const { target, interests: own } of interests) {
      const there = byTarget.get(target);
      there?.index.remove(feed, own);
      there?.feeds.delete(feed);
      if (there?.feeds.size === 0) byTarget.delete(target);
    }
  };
  const count = (set: IdSet, by: 1 | -1): void => {
    const users = (sets.get(set) ?? 0) + by;
    if (users === 0) sets.delete(set);
    else sets.set(set, users);
    if (by === 1 ? users === 1 : users === 0) records += by * set.ids.length;
  };
  const note = (feed: Feed, now: Noted): void => {
    const was = feeds.get(feed) ?? nothing;
    if (was.interests !== now.interests) {
      leave(feed, was.interests);
      enter(feed, now.interests);
    }
    for (const set of now.sets) count(set, 1);
    for (const set of was.sets) count(set, -1);
    feeds.set(feed, now);
  };

  return {
    get isFull() {
      return records >= followedLimit;
    },
    add(feed) {
      const noteAnew = (): void => {
        if (!feeds.has(feed) && !feed.isFollowing) return;
        const { interests, sets: known } = feed.followed;
        note(feed, { interests, sets: known });
      };
      feed.onFollowed(noteAnew);
      noteAnew();
    },
    remove(feed) {
      feed.onFollowed(() => undefined);
      note(feed, nothing);
      feeds.delete(feed);
    },
    async look(feed) {
      // Who has just been given a right is not told at once that it has changed.
      await settled(settledMs).catch(() => undefined);
      const { collection, asker } = feed;
      feed.beginLook();
      try {
        const { caller, asOf } = await look(collection, asker, position());
        feed.settleLook(collection, caller, asOf);
        // Of many that came at once none was refused for it.
        if (records > followedLimit) feed.end('end', faults.unavailable.declaration.code);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        feed.end('end', error.code);
      }
    },
    hear(changes, then) {
      const concerned = new Set<Feed>();
      for (const [target, own] of Map.groupBy(changes, ({ collectionId }) => collectionId)) {
        const there = byTarget.get(target);
        if (there === undefined) continue;
        const documents = own.flatMap(({ before, after }) => [before, after].filter((each) => each !== undefined));
        for (const feed of there.index.find(documents)) concerned.add(feed);
      }
      if (concerned.size === 0) return;
      const { inTurn, spendOf } = budget.begin(concerned, changes.length);
      for (const feed of inTurn) {
        feed.hear(changes, spendOf(feed));
        then(feed);
      }
    },
    forget() {
      for (const feed of feeds.keys()) feed.forgetLook();
    },
  };
}
