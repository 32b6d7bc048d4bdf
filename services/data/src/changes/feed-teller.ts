import { createFairBudget } from './fair-budget.ts';
import type { Audience, FeedAudiences } from './feed-audiences.ts';
import type { FeedCursors } from './feed-cursors.ts';
import { messageOf, mostUnsentBytes } from './feed-writer.ts';
import type { Feed } from './feed.ts';
import type { GapReason } from './feed-options.ts';
import type { JudgeChanges, Told } from './judge-changes.ts';
import type { Place } from './place.ts';
import type { RecordChange } from './record-change.ts';

/** What {@link createFeedTeller} is given. */
export interface FeedTellerOptions {
  readonly audiences: FeedAudiences;
  readonly judge: JudgeChanges;
  readonly cursors: Pick<FeedCursors, 'seal'>;
  /** Says to a feed that something is missing. */
  readonly goOn: (feed: Feed, reason: GapReason) => void;
  /** Tells a feed that is no longer told live what one commit has changed, as its reader takes it, and has it go on from there. */
  readonly tellLate: (feed: Feed, told: readonly Told[], place: Place) => void;
}

/** Tells feeds, in the form that they are written. */
export interface FeedTeller {
  /** Tells all who see them the changes of one commit in one collection, after which stands a place. */
  tellAll(collectionId: string, changes: readonly RecordChange[], place: Place): void;
  /** Tells one feed; without a place where more of the same commit follows: what has no `id` is good with what has one alone. */
  tell(feed: Feed, told: Told, place: Place | undefined): void;
  /** Says from where on they are told, so that the cursors of quiet feeds do not age. */
  tellPlace(feeds: Iterable<Feed>, place: Place | undefined): void;
}

/** What the patterns of all feeds may take over one change: about 60 ms, in which nothing else is served; a third of it in even parts. */
const budgetUnits = { evenUnits: 2_000_000, spareUnits: 4_000_000 };

/** Says nothing but where one stands. */
const standing = messageOf();

/** Makes it. */
export function createFeedTeller({ audiences, judge, cursors, goOn, tellLate }: FeedTellerOptions): FeedTeller {
  const budget = createFairBudget<Audience>({ ...budgetUnits, clock: () => performance.now() });

  /**
   * Tells what one commit has changed in one piece. Who has no room for it is not slow by that: of what is written in one turn nobody can have
   * taken anything.
   */
  const tellAudience = ({ feeds }: Audience, told: readonly Told[], place: Place, sealed: string): void => {
    const isGap = told[0]?.event === 'gap';
    // One change alone is never cut apart.
    const goesAtOnce = told.length === 1 || told.reduce((sum, { data }) => sum + data.length, 0) <= mostUnsentBytes;
    const message = goesAtOnce ? messageOf(...told) : undefined;
    for (const feed of feeds) {
      if (isGap && feed.snapshots) goOn(feed, 'too-costly');
      else if (message === undefined || !feed.tell(message, sealed)) {
        audiences.detach(feed);
        tellLate(feed, told, place);
      }
    }
  };

  return {
    tellAll(collectionId, changes, place) {
      const { inTurn, spendOf } = budget.begin(audiences.concernedBy(collectionId, changes), changes.length);
      let sealed: string | undefined;
      for (const audience of inTurn) {
        const told = judge(audience.view, changes, spendOf(audience));
        if (told.length === 0) continue;
        sealed ??= cursors.seal(place);
        tellAudience(audience, told, place, sealed);
      }
    },
    tell(feed, told, place) {
      if (told.event === 'gap' && feed.snapshots) goOn(feed, 'too-costly');
      else if (!feed.tell(messageOf(told), place === undefined ? undefined : cursors.seal(place))) {
        feed.end('gap', 'slow');
        audiences.detach(feed);
      }
    },
    tellPlace(feeds, place) {
      if (place === undefined) return;
      const sealed = cursors.seal(place);
      for (const feed of feeds) feed.tell(standing, sealed);
    },
  };
}
