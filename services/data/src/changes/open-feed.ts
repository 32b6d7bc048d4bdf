import { faults } from '@causeway/contracts';
import type { Principal } from '@causeway/contracts';
import type { AccessClaims } from '@causeway/service';
import { createCounter } from '@causeway/telemetry';
import type { Db, Timestamp } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import type { Condition, Operand } from '../conditions/condition.ts';
import type { CursorCodec } from '../cursors/cursor-codec.ts';
import type { Locate } from '../queries/asked-query.ts';
import { parseFilter } from '../queries/asked-query.ts';
import { faultOfQuery } from '../queries/find-records.ts';
import { demandPlaces } from '../queries/required-indexes.ts';
import type { FaultPlace } from '../queries/refuse-query.ts';
import type { AdmitQuery } from '../queries/plan/admit-query.ts';
import type { FindCurrent } from '../records/find-current.ts';
import { demandReadable } from '../records/judge-record.ts';
import { callerOf, principalKey } from '../rules/caller.ts';
import { followAll, isFollowing } from '../rules/follow/follow-records.ts';
import type { Caller } from '../rules/rule.ts';
import { demandSeen } from '../rules/see.ts';
import type { FeedCursors } from './feed-cursors.ts';
import type { FeedHub } from './feed-hub.ts';
import type { FeedWriter } from './feed-writer.ts';
import { Feed } from './feed.ts';
import type { SharedSights } from './shared-sights.ts';
import { snapshotQuery } from './snapshot/send-snapshot.ts';
import type { Release, SnapshotPlaces } from './snapshot/snapshot-places.ts';

/** What {@link createOpenFeed} is given. */
export interface OpenFeedDependencies {
  readonly findCurrent: FindCurrent;
  readonly cursors: CursorCodec;
  readonly feedCursors: FeedCursors;
  readonly hub: FeedHub;
  readonly admit: Pick<AdmitQuery, 'demand'>;
  readonly places: SnapshotPlaces;
  readonly db: Db;
  readonly shared: SharedSights;
  readonly now: () => Date;
}

/** What somebody asks to be told, the same whatever it is told over. */
export interface AskedFeed {
  readonly collection: string;
  /** A condition as JSON; undefined for every record. */
  readonly filter: unknown;
  /** The filter as text: cursors are bound to it. */
  readonly filterText: string | undefined;
  readonly snapshot: boolean;
  /** The last cursor that was read. */
  readonly resume: string | undefined;
  /** The highest position that the caller has seen. */
  readonly after: Timestamp | undefined;
  /** Says where a part of all this was sent. */
  readonly locate: Locate;
  /** Where {@link AskedFeed.resume} was. */
  readonly resumePlace: FaultPlace;
}

/** Who asks. */
export interface Subscriber {
  readonly token: AccessClaims | undefined;
  readonly principal: Principal | undefined;
}

/** A feed that may be begun. */
export interface OpenedFeed {
  /**
   * Begins it.
   *
   * @param token - what it ends with by itself; see `FeedOptions`
   * @returns the feed, and when it is over
   */
  begin(writer: FeedWriter, token: AccessClaims | undefined): { readonly feed: Feed; readonly over: Promise<void> };
  /** Gives back what was taken for it; to be called whatever becomes of it. */
  release(): void;
}

/**
 * Judges what is asked for, and takes a place where a snapshot comes first.
 *
 * @param signal - of who waits
 * @throws Fault as `GET /v1/data/{collection}/changes` declares them
 */
export type OpenFeed = (asked: AskedFeed, subscriber: Subscriber, signal: AbortSignal) => Promise<OpenedFeed>;

interface Judged {
  readonly collection: Collection;
  readonly caller: Caller;
  readonly filter: Condition<Operand>;
}

/** Makes what opens feeds. */
export function createOpenFeed(dependencies: OpenFeedDependencies): OpenFeed {
  const { findCurrent, cursors, feedCursors, hub, admit, places, db, shared, now } = dependencies;
  const gaps = createCounter('causeway.data.feed.gaps', {
    description: 'Times that a feed was told that changes are missing, by why',
    unit: '{gap}',
  });
  const noteGap = (reason: string): void => gaps.add(1, { reason });
  /** Judges what a feed begins with as the query that it is, and takes a place for it. */
  const prepareSnapshot = async (asked: Judged, signal: AbortSignal): Promise<Release> => {
    try {
      await admit.demand({ ...asked, query: snapshotQuery(asked.filter, now()), read: {} });
    } catch (error) {
      throw faultOfQuery(error);
    }
    return await places.take(signal);
  };

  return async ({ after, filterText, snapshot, resume, locate, ...asked }, { token, principal }, signal) => {
    const collection = await findCurrent(asked.collection, after);
    const caller = callerOf(token);
    if (collection === undefined) throw faults.notFound();
    demandReadable(collection, caller);
    const filter = parseFilter(asked.filter, locate);
    demandSeen(collection, caller, { filter }, locate);
    demandPlaces(collection, { condition: filter });
    // A cursor is good for all kinds of feeds: it says what was seen, and not how.
    const bound = cursors({
      collectionId: collection.id,
      query: ['changes', filterText],
      principal: principalKey(principal),
    });
    const resumed =
      resume === undefined ? undefined : { cursor: feedCursors.read(resume, bound, asked.resumePlace), given: resume };
    await hub.admit({ isFollowing: isFollowing(collection, caller) });
    const judged: Judged = { collection, caller, filter };
    // What cannot be followed is said here; the feed looks for itself, once it hears of changes.
    const seeing = { ...judged, caller: await followAll(db, collection, caller) };
    const snapshotPlace = snapshot && resumed === undefined ? await prepareSnapshot(seeing, signal) : undefined;
    return {
      begin(writer, endsWith) {
        const beginCursors = (rule: string): string => feedCursors.begin(bound, rule);
        const told = { writer, beginCursors, snapshots: snapshot, noteGap };
        const feed = new Feed({ ...judged, ...told, token: endsWith, shared });
        return { feed, over: hub.serve(feed, { resumed, after, snapshotPlace }) };
      },
      release: () => snapshotPlace?.(),
    };
  };
}
