import { setTimeout as delay } from 'node:timers/promises';

import { faults } from '@causeway/contracts';
import type { Change, CommitStream } from '@causeway/events';
import type { RevocationList } from '@causeway/service';
import { createUpDownCounter } from '@causeway/telemetry';

import type { Collection, CollectionRegistry } from '../collections/collection-registry.ts';
import { aheadOfStream } from './ahead-of-stream.ts';
import type { CatchUp } from './catch-up.ts';
import { createCatchUp } from './catch-up.ts';
import { createChangeHistory } from './change-history.ts';
import { createFeedAudiences } from './feed-audiences.ts';
import type { FeedCursors } from './feed-cursors.ts';
import type { FeedSessions, Listener } from './feed-sessions.ts';
import { createFeedSessions } from './feed-sessions.ts';
import type { FeedTeller } from './feed-teller.ts';
import { createFeedTeller } from './feed-teller.ts';
import type { Feed } from './feed.ts';
import type { FeedBeginning, GapReason } from './feed-options.ts';
import type { FollowingFeeds, FollowingFeedsOptions } from './following-feeds.ts';
import { createFollowingFeeds } from './following-feeds.ts';
import type { GatheredStream } from './gather-transactions.ts';
import { gatherTransactions } from './gather-transactions.ts';
import { createKeepAlive } from './keep-alive.ts';
import { createJudgeChanges } from './judge-changes.ts';
import type { Place } from './place.ts';
import { placeAfter } from './place.ts';
import { createResumeFeed } from './resume-feed.ts';
import type { ResumeFeed } from './resume-feed.ts';
import { sendDueSnapshots } from './snapshot/send-due-snapshots.ts';
import type { SendSnapshot } from './snapshot/send-snapshot.ts';
import type { StreamProgress } from './stream-progress.ts';
import { followProgress } from './stream-progress.ts';

/** What {@link createFeedHub} is given. */
export interface FeedHubOptions extends Pick<FollowingFeedsOptions, 'look' | 'settled' | 'followedLimit'> {
  readonly stream: CommitStream;
  readonly registry: Pick<CollectionRegistry, 'get' | 'knownAsOf' | 'onChange'>;
  /** Of the database; see `readGeneration`. */
  readonly generation: string;
  readonly cursors: Pick<FeedCursors, 'seal'>;
  /** Whether a token has ended before it expired; rejected where nobody knows. */
  readonly isRevoked: RevocationList['isRevoked'];
  readonly sendSnapshot: SendSnapshot;
  readonly limit: number;
  readonly historyBytes: number;
  readonly logger: { error(fields: Record<string, unknown>, message: string): void };
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Brings every change to every feed that sees it. */
export interface FeedHub {
  readonly size: number;
  /** Tells a feed, until it ends. */
  serve(feed: Feed, beginning: FeedBeginning): Promise<void>;
  /** Ends whoever else listens with a token when that ends, as it does feeds. @returns forgets them */
  watch(listener: Listener): () => void;
  /**
   * @param asks - whether its rule follows references to other records
   * @throws Fault `unavailable` while there are too many feeds, or these follow too many records, or the commit stream has not begun
   */
  admit(asks?: { readonly isFollowing: boolean }): Promise<void>;
  stop(): Promise<void>;
}

const checkMs = 250;
/** A feed's turn comes each 15 s. */
const keepAliveTurns = 60;
const historyMs = 300_000;
const positionMs = 5_000;

/** Makes the hub of a process. Make it before the commit stream starts. */
export function createFeedHub(options: FeedHubOptions): FeedHub {
  return new Hub(options);
}

class Hub implements FeedHub {
  readonly #options: FeedHubOptions;
  readonly #transactions: GatheredStream;
  readonly #progress: StreamProgress;
  readonly #catchUp: CatchUp;
  readonly #resume: ResumeFeed;
  readonly #audiences = createFeedAudiences();
  readonly #teller: FeedTeller;
  /** Feeds that are told live, are catching up or are sent a snapshot. */
  readonly #feeds = new Set<Feed>();
  readonly #following: FollowingFeeds;
  readonly #sessions: FeedSessions;
  readonly #keepAlive = createKeepAlive<Feed>(keepAliveTurns);
  readonly #timer: NodeJS.Timeout;
  readonly #unsubscribe: readonly (() => void)[];
  readonly #open = createUpDownCounter('causeway.data.feeds', { description: 'Feeds that are open.' });

  constructor(options: FeedHubOptions) {
    const { stream, registry, historyBytes } = options;
    this.#options = options;
    const clock = (): number => performance.now();
    const history = createChangeHistory({ maxBytes: historyBytes, maxAgeMs: historyMs, clock });
    this.#transactions = gatherTransactions(stream, (changes) => this.#take(changes));
    this.#progress = followProgress(this.#transactions, history);
    this.#following = createFollowingFeeds({ ...options, position: () => this.#transactions.position });
    this.#catchUp = createCatchUp(stream, () => this.#progress.place()?.position);
    this.#sessions = createFeedSessions(options);
    const judge = createJudgeChanges(options.logger);
    const goOn = (feed: Feed, reason: GapReason): void => this.#goOn(feed, reason);
    this.#teller = createFeedTeller({
      ...{ audiences: this.#audiences, judge, cursors: options.cursors, goOn },
      tellLate: (feed, told, place) =>
        feed.followTelling(this.#resumeLate(feed, this.#resume.withCommit(feed, told, place))),
    });
    this.#resume = createResumeFeed({
      ...{ progress: this.#progress, history, catchUp: this.#catchUp, judge, goOn },
      attach: (feed) => this.#audiences.attach(feed),
      tell: (feed, told, place) => this.#teller.tell(feed, told, place),
    });
    this.#unsubscribe = [
      stream.subscribe(
        (change) => this.#transactions.take(change),
        () => this.#miss(),
      ),
      registry.onChange((id, collection) => this.#redefine(id, collection)),
    ];
    this.#timer = setInterval(() => {
      this.#sessions.check();
      const due = [...this.#keepAlive.next()].filter((feed) => this.#audiences.has(feed));
      this.#teller.tellPlace(due, this.#progress.place());
    }, checkMs).unref();
  }

  get size(): number {
    return this.#feeds.size;
  }

  async admit({ isFollowing } = { isFollowing: false }): Promise<void> {
    if (this.#feeds.size >= this.#options.limit)
      throw faults.unavailable({ retryAfterS: 5, message: 'too many feeds' });
    if (isFollowing && this.#following.isFull)
      throw faults.unavailable({ retryAfterS: 5, message: 'feeds follow too many records' });
    const deadline = performance.now() + positionMs;
    while (this.#progress.place() === undefined) {
      if (performance.now() > deadline)
        throw faults.unavailable({ retryAfterS: 1, message: 'the commit stream is late' });
      await delay(20);
    }
  }

  watch(listener: Listener): () => void {
    this.#sessions.add(listener);
    return () => this.#sessions.remove(listener);
  }

  async serve(feed: Feed, beginning: FeedBeginning): Promise<void> {
    this.#feeds.add(feed);
    this.#sessions.add(feed);
    this.#keepAlive.add(feed);
    this.#open.add(1);
    // From here on it is told of other rules; since it was opened there may have been one.
    const known = this.#options.registry.get(feed.collectionId);
    if (known === undefined) feed.end('end', 'collection-removed');
    else if (feed.redefine(known)) feed.renew();
    this.#following.add(feed);
    try {
      if (feed.isFollowing) await this.#following.look(feed);
      await this.#begin(feed, beginning);
      if (feed.snapshots) {
        await sendDueSnapshots(feed, beginning, {
          send: this.#options.sendSnapshot,
          position: () => this.#progress.place()?.position,
          resume: (place) => this.#resume.after(feed, place),
        });
      }
      await feed.over;
    } finally {
      this.#audiences.detach(feed);
      this.#keepAlive.remove(feed);
      this.#sessions.remove(feed);
      this.#feeds.delete(feed);
      this.#following.remove(feed);
      this.#open.add(-1);
    }
  }

  async #begin(feed: Feed, { resumed }: FeedBeginning): Promise<void> {
    if (resumed !== undefined) {
      const { cursor, given } = resumed;
      feed.write({ id: given });
      if (cursor.generation !== this.#options.generation) this.#goOn(feed, 'expired');
      else if (!(await this.#resume.seesAsBefore(feed, cursor))) this.#goOn(feed, 'rights');
      else await this.#resume.after(feed, cursor.place, this.#ahead(feed));
    } else if (feed.snapshots) {
      feed.askSnapshot();
    } else {
      const ahead = this.#ahead(feed);
      this.#teller.tellPlace([feed], ahead ?? this.#progress.place());
      if (ahead === undefined) this.#audiences.attach(feed);
      else await this.#resume.after(feed, ahead);
    }
  }

  #ahead({ collectionId }: Feed): Place | undefined {
    return aheadOfStream({ registry: this.#options.registry, stream: this.#transactions }, collectionId);
  }

  /** Says that something is missing, and goes on from now; with the whole result, where the feed is sent snapshots. */
  #goOn(feed: Feed, reason: GapReason): void {
    if (feed.hasEnded()) return;
    if (feed.snapshots) {
      this.#audiences.detach(feed);
      feed.lose(reason);
      return;
    }
    // Where the references lead that its rule follows is found by a new feed alone.
    if (feed.needsLook) {
      feed.end('gap', reason);
      this.#audiences.detach(feed);
      return;
    }
    feed.renew();
    const ahead = this.#ahead(feed);
    if (ahead === undefined) this.#audiences.attach(feed);
    else this.#audiences.detach(feed);
    this.#teller.tell(feed, { event: 'gap', data: JSON.stringify({ reason }) }, ahead ?? this.#progress.place());
    if (ahead !== undefined) void this.#resumeLate(feed, this.#resume.after(feed, ahead));
  }

  /** Has a feed told live once it has been told what it had no room for, or what comes after a definition that the stream has yet to bring. */
  async #resumeLate(feed: Feed, resuming: Promise<void>): Promise<void> {
    try {
      await resuming;
    } catch (error) {
      if (feed.hasEnded()) return;
      this.#options.logger.error({ error }, 'a feed could not be told what it is behind with');
      this.#goOn(feed, 'history');
    }
  }

  /** Takes the changes of one commit. */
  #take(raw: readonly Change[]): void {
    /** Those that see by other rights now, which are told nothing until they go on by these. */
    const turned: Feed[] = [];
    try {
      const changes = raw.flatMap((each) => this.#progress.note(each) ?? []);
      const last = changes.at(-1);
      if (last === undefined) return;
      // A right that is lost is lost before anything more is told.
      this.#following.hear(changes, (feed) => {
        // Who is catching up, or is sent a snapshot, is told when it gets to its next step.
        if (!feed.isOutdated || !this.#audiences.has(feed)) return;
        this.#audiences.detach(feed);
        turned.push(feed);
      });
      for (const [id, own] of Map.groupBy(changes, ({ collectionId }) => collectionId)) {
        this.#teller.tellAll(id, own, placeAfter(last));
      }
      // Where they go on lies after all of this commit, which what there is then holds.
      for (const feed of turned) this.#goOn(feed, 'rights');
    } catch (error) {
      // Not only while the stream, which is guarded, brings something.
      this.#options.logger.error({ error }, 'changes could not be told to feeds');
      this.#miss();
      for (const feed of turned) if (!feed.hasEnded() && !this.#audiences.has(feed)) this.#goOn(feed, 'history');
    }
  }

  /** Changes may have been missed. */
  #miss(): void {
    this.#transactions.forget();
    this.#progress.miss();
    this.#following.forget();
    for (const feed of [...this.#audiences.all()]) this.#goOn(feed, 'history');
  }

  #redefine(id: string, collection: Collection | undefined): void {
    for (const feed of this.#feeds) {
      if (feed.collectionId !== id) continue;
      if (collection === undefined) {
        feed.end('end', 'collection-removed');
        continue;
      }
      const isOutdated = feed.redefine(collection);
      // Who is catching up, or is sent a snapshot, is told when it gets to its next step.
      if (isOutdated && this.#audiences.has(feed)) this.#goOn(feed, 'rights');
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    for (const end of this.#unsubscribe) end();
    for (const feed of this.#feeds) feed.end('end', 'shutdown');
    await this.#catchUp.stop();
  }
}
