import { Fault, faults } from '@causeway/contracts';
import type { Timestamp } from 'mongodb';

import { createFairBudget } from './fair-budget.ts';
import type { FeedView } from './feed-view.ts';
import type { Feed } from './feed.ts';
import type { FollowedInterest } from './followed-records.ts';
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
  /** Records that the rules of all feeds may lead to, those once that feeds are led to which see the same. Default 500,000, some 100 MB. */
  readonly followedLimit?: number | undefined;
}

/** Feeds whose rule follows references, which keep to where these lead. */
export interface FollowingFeeds {
  /** Whether they follow as many records as there is room for: none is taken, or begins to follow. */
  readonly isFull: boolean;
  /** Takes on a feed, that is one of them for as long as its definition says so. */
  add(feed: Feed): void;
  remove(feed: Feed): void;
  /** Has a feed know where the references lead that its rule follows; what changes after that it hears of. */
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
  /** Which has the records in it that are led to. */
  readonly view: FeedView | undefined;
  /** How many these are. */
  readonly records: number;
}

const nothing: Noted = { interests: [], view: undefined, records: 0 };

/** Makes it, with none. */
export function createFollowingFeeds(options: FollowingFeedsOptions): FollowingFeeds {
  const { look, settled, position, followedLimit = mostFollowed } = options;
  const feeds = new Map<Feed, Noted>();
  const byTarget = new Map<string, { readonly index: InterestIndex<Feed>; readonly feeds: Set<Feed> }>();
  const views = new Map<FeedView, { readonly records: number; feeds: number }>();
  const budget = createFairBudget<Feed>({ ...budgetUnits, clock: () => performance.now() });
  /** How many there are in the views. */
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
  const count = ({ view, records: own }: Noted, by: 1 | -1): void => {
    if (view === undefined) return;
    const there = views.get(view) ?? { records: own, feeds: 0 };
    if (there.feeds === 0) records += there.records;
    views.set(view, there);
    there.feeds += by;
    if (there.feeds > 0) return;
    views.delete(view);
    records -= there.records;
  };
  const note = (feed: Feed, now: Noted): void => {
    const was = feeds.get(feed) ?? nothing;
    if (was.interests !== now.interests) {
      leave(feed, was.interests);
      enter(feed, now.interests);
    }
    count(now, 1);
    count(was, -1);
    feeds.set(feed, now);
    // Of many that came at once none was refused for it.
    if (was.records === 0 && now.records > 0 && records > followedLimit)
      feed.end('end', faults.unavailable.declaration.code);
  };

  return {
    get isFull() {
      return records >= followedLimit;
    },
    add(feed) {
      const noteAnew = (): void => {
        if (!feeds.has(feed) && !feed.isFollowing) return;
        const { interests, records: led } = feed.followed;
        note(feed, { interests, view: feed.isFollowing ? feed.view : undefined, records: led });
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
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        feed.end('end', error.code);
      }
    },
    hear(changes, then) {
      /** Each with those that concern it: of a batch for many, each is asked about few. */
      const concerned = new Map<Feed, RecordChange[]>();
      for (const change of changes) {
        const { collectionId, before, after } = change;
        const documents = [before, after].filter((each) => each !== undefined);
        for (const feed of byTarget.get(collectionId)?.index.find(documents) ?? []) {
          const own = concerned.get(feed);
          if (own === undefined) concerned.set(feed, [change]);
          else own.push(change);
        }
      }
      if (concerned.size === 0) return;
      const { inTurn, spendOf } = budget.begin(concerned.keys(), changes.length);
      for (const feed of inTurn) {
        feed.hear(concerned.get(feed) ?? [], spendOf(feed));
        then(feed);
      }
    },
    forget() {
      for (const feed of feeds.keys()) feed.forgetLook();
    },
  };
}
