import { setTimeout as delay } from 'node:timers/promises';

import { HistoryLost } from '@causeway/events';

import type { CatchUp } from './catch-up.ts';
import type { ChangeHistory } from './change-history.ts';
import type { Feed } from './feed.ts';
import type { GapReason } from './feed-options.ts';
import { byCommit } from './gather-transactions.ts';
import type { JudgeChanges, Told } from './judge-changes.ts';
import type { FeedCursor, Place } from './place.ts';
import { placeAfter } from './place.ts';
import type { RecordChange } from './record-change.ts';
import type { StreamProgress } from './stream-progress.ts';

/** What {@link createResumeFeed} is given. */
export interface ResumeOptions {
  readonly progress: StreamProgress;
  readonly history: ChangeHistory;
  readonly catchUp: CatchUp;
  readonly judge: JudgeChanges;
  /** From now on the feed is told live. */
  readonly attach: (feed: Feed) => void;
  /** Something is missing. */
  readonly goOn: (feed: Feed, reason: GapReason) => void;
  /** Tells it something; without a place where more of the same commit follows. */
  readonly tell: (feed: Feed, message: Told, place: Place | undefined) => void;
}

/** Tells feeds what they have missed, and then has them told live. */
export interface ResumeFeed {
  /**
   * Tells a feed the changes after a place.
   *
   * @param until - up to here this process has to have come first, beside that place
   */
  after(feed: Feed, place: Place, until?: Place): Promise<void>;
  /** Whether a feed sees by the rule of a cursor, by what was defined where that stands; where that does not come in time, it has ended. */
  seesAsBefore(feed: Feed, cursor: FeedCursor): Promise<boolean>;
  /** Tells a feed what one commit has changed, after which stands a place, and the changes after that. */
  withCommit(feed: Feed, told: readonly Told[], place: Place): Promise<void>;
}

/** Whether a feed is told nothing more as it stands. */
const isHeldBack = ({ isOutdated, awaitsSnapshot }: Feed): boolean => isOutdated || awaitsSnapshot;

/** The place after changes; as it was where there are none. */
const afterAll = (changes: readonly RecordChange[], place: Place): Place => {
  const last = changes.at(-1);
  return last === undefined ? place : placeAfter(last);
};

/** A replica that is so far behind a feed is not waited for any longer. */
const behindMs = 5_000;
/** A feed that has to catch up so often is slower than the changes. */
const maxRounds = 5;

/** Makes what resumes feeds, from the history where that reaches back so far. */
export function createResumeFeed(options: ResumeOptions): ResumeFeed {
  const { progress, history, catchUp, judge, attach, goOn, tell } = options;

  /** Waits until this process has seen everything up to a place. @returns false where that took too long: the feed has ended */
  const reach = async (feed: Feed, place: Place): Promise<boolean> => {
    const deadline = performance.now() + behindMs;
    while (!progress.hasReached(place) && !feed.hasEnded()) {
      if (performance.now() > deadline) {
        feed.end('end', 'behind');
        return false;
      }
      await delay(20);
    }
    return true;
  };

  /** Whether nothing more is to be told; who catches up loses a right at once, too. */
  const stops = (feed: Feed): boolean => {
    if (feed.hasEnded() || feed.awaitsSnapshot) return true;
    if (!feed.isOutdated) return false;
    goOn(feed, 'rights');
    return true;
  };

  /** Waits for a reader that is behind, for it has more to read than it can have been sent. */
  const tellSlowly = async (feed: Feed, told: readonly Told[], place: Place): Promise<void> => {
    for (const [index, message] of told.entries()) {
      const hasRoom = await feed.drained();
      if (isHeldBack(feed) || feed.hasEnded()) return;
      if (hasRoom) tell(feed, message, index < told.length - 1 ? undefined : place);
      else feed.end('gap', 'slow');
    }
  };

  /** @param commit - what it has changed, also of the records that the feed's rule follows */
  const tellLate = async (feed: Feed, commit: readonly RecordChange[], place: Place): Promise<void> => {
    feed.hearEarlier(commit);
    if (isHeldBack(feed) || feed.hasEnded()) return;
    const own = commit.filter(({ collectionId }) => collectionId === feed.collectionId);
    await tellSlowly(feed, judge(feed.view, own), place);
  };

  const resumeAfter = async (feed: Feed, from: Place, until: Place = from): Promise<void> => {
    let place = from;
    // It was told by a replica, or read of MongoDB, ahead of this process: what comes here first, it has been told.
    if (!(await reach(feed, place)) || !(await reach(feed, until))) return;
    for (let rounds = 0; rounds < maxRounds && !feed.hasEnded(); rounds += 1) {
      if (history.covers(place)) {
        // In one go with the attaching, so that no change falls between.
        for (const commit of byCommit(history.after(place))) {
          place = afterAll(commit, place);
          await tellLate(feed, commit, place);
          if (stops(feed)) return;
        }
        // The history may have been begun anew meanwhile, or cut off: then more is missing than it can tell.
        if (!history.covers(place) || history.after(place).length > 0) continue;
        if (!stops(feed)) attach(feed);
        return;
      }
      try {
        const late = (changes: readonly RecordChange[]) => tellLate(feed, changes, afterAll(changes, place));
        place = await catchUp.read(place, feed.concerns, late, feed.signal);
      } catch (error) {
        if (!(error instanceof HistoryLost)) throw error;
        goOn(feed, 'expired');
        return;
      }
      // The process's own stream may stand in the middle of a transaction that has been told as a whole.
      if (stops(feed) || !(await reach(feed, place))) return;
    }
    if (!feed.hasEnded()) feed.end('gap', 'slow');
  };

  return {
    after: resumeAfter,
    async seesAsBefore(feed, { place, rule }) {
      if (feed.rule === rule) return true;
      // What is another rule for a replica that is behind may be the one by which another has told.
      if (!(await reach(feed, place)) || feed.hasEnded()) return false;
      if (feed.isOutdated) feed.renew();
      // Whose rule follows something else by now is told nothing until somebody has looked.
      return !feed.needsLook && feed.rule === rule;
    },
    async withCommit(feed, told, place) {
      await tellSlowly(feed, told, place);
      if (!stops(feed)) await resumeAfter(feed, place);
    },
  };
}
