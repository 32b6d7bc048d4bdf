import { setTimeout as delay } from 'node:timers/promises';

import { faults } from '@causeway/contracts';
import { HistoryLost } from '@causeway/events';
import type { Change, CommitStream } from '@causeway/events';
import type { AccessClaims, RevocationList } from '@causeway/service';
import { createUpDownCounter } from '@causeway/telemetry';
import { Timestamp } from 'mongodb';

import type { Collection, CollectionRegistry } from '../collections/collection-registry.ts';
import { createBudget } from '../conditions/evaluation-budget.ts';
import type { CatchUp } from './catch-up.ts';
import { createCatchUp } from './catch-up.ts';
import type { ChangeHistory } from './change-history.ts';
import { createChangeHistory } from './change-history.ts';
import type { Feed } from './feed.ts';
import type { FeedView } from './feed-view.ts';
import { judgeChange } from './judge-change.ts';
import type { Told } from './judge-change.ts';
import type { FeedCursor, Place } from './place.ts';
import { placeAfter } from './place.ts';
import type { RecordChange } from './record-change.ts';
import { toRecordChange } from './record-change.ts';

/** What {@link createFeedHub} is given. */
export interface FeedHubOptions {
  readonly stream: CommitStream;
  readonly registry: Pick<CollectionRegistry, 'onChange'>;
  /** Of the database; see `readGeneration`. */
  readonly generation: string;
  /** Whether a token has ended before it expired; rejected where nobody knows. */
  readonly isRevoked: RevocationList['isRevoked'];
  readonly limit: number;
  readonly historyBytes: number;
  readonly logger: { error(fields: Record<string, unknown>, message: string): void };
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Brings every change to every feed that sees it. */
export interface FeedHub {
  readonly size: number;
  /**
   * Tells a feed from a place on, until it ends.
   *
   * @param cursor - where it was told last; undefined for from now on
   * @param given - the cursor as it was sent
   */
  serve(feed: Feed, cursor: FeedCursor | undefined, given: string | undefined): Promise<void>;
  /** @throws Fault `unavailable` while there are too many feeds, or the commit stream has not begun */
  admit(): Promise<void>;
  stop(): Promise<void>;
}

/** Feeds that see the same. */
interface Audience {
  readonly view: FeedView;
  readonly feeds: Set<Feed>;
}

const keepAliveMs = 15_000;
const checkMs = 250;
const historyMs = 300_000;
const positionMs = 5_000;
/** What the patterns of all feeds may take over one change: about 60 ms, in which nothing else is served. */
const changeUnits = 6_000_000;
/** A feed that has to catch up so often is slower than the changes. */
const maxRounds = 5;

/** Makes the hub of a process. Make it before the commit stream starts. */
export function createFeedHub(options: FeedHubOptions): FeedHub {
  return new Hub(options);
}

class Hub implements FeedHub {
  readonly #options: FeedHubOptions;
  readonly #history: ChangeHistory;
  readonly #catchUp: CatchUp;
  readonly #audiences = new Map<string, Map<string, Audience>>();
  /** Feeds that are told live or are catching up. */
  readonly #feeds = new Set<Feed>();
  readonly #timers: readonly NodeJS.Timeout[];
  readonly #unsubscribe: readonly (() => void)[];
  readonly #open = createUpDownCounter('causeway.data.feeds', { description: 'Feeds that are open.' });
  /** The last change of any document. */
  #last: Place | undefined;
  /** Where the stream stood when changes were missed; a position of its own has to follow. */
  #missedAt: Timestamp | undefined;
  #begun = false;

  constructor(options: FeedHubOptions) {
    const { stream, registry, historyBytes } = options;
    this.#options = options;
    const clock = (): number => performance.now();
    this.#history = createChangeHistory({ maxBytes: historyBytes, maxAgeMs: historyMs, clock });
    this.#catchUp = createCatchUp(stream, () => this.#place()?.position);
    this.#unsubscribe = [
      stream.subscribe((change) => this.#take(change)),
      stream.onGap(() => this.#miss()),
      registry.onChange((id, collection) => this.#redefine(id, collection)),
    ];
    const keepAlive = setInterval(() => this.#keepAlive(), keepAliveMs);
    const check = setInterval(() => this.#checkSessions(), checkMs);
    this.#timers = [keepAlive, check];
    for (const timer of this.#timers) timer.unref();
  }

  get size(): number {
    return this.#feeds.size;
  }

  async admit(): Promise<void> {
    if (this.#feeds.size >= this.#options.limit)
      throw faults.unavailable({ retryAfterS: 5, message: 'too many feeds' });
    const deadline = performance.now() + positionMs;
    while (this.#place() === undefined) {
      if (performance.now() > deadline)
        throw faults.unavailable({ retryAfterS: 1, message: 'the commit stream is late' });
      await delay(20);
    }
  }

  async serve(feed: Feed, cursor: FeedCursor | undefined, given: string | undefined): Promise<void> {
    this.#feeds.add(feed);
    this.#open.add(1);
    try {
      await this.#begin(feed, cursor, given);
      await feed.over;
    } finally {
      this.#detach(feed);
      this.#feeds.delete(feed);
      this.#open.add(-1);
    }
  }

  async #begin(feed: Feed, cursor: FeedCursor | undefined, given: string | undefined): Promise<void> {
    if (cursor === undefined || given === undefined) {
      this.#attach(feed);
      this.#tellPlace(feed);
      return;
    }
    feed.write({ id: given });
    if (cursor.generation !== this.#options.generation) this.#goOn(feed, 'expired');
    else if (cursor.rule !== feed.rule) this.#goOn(feed, 'rights');
    else await this.#resume(feed, cursor.place);
  }

  /** Tells what was missed, then goes on live; from the history where it reaches back so far. */
  async #resume(feed: Feed, from: Place): Promise<void> {
    // The feed was told elsewhere, by a replica that is ahead of this one: what comes here first, it has been told.
    if (!(await this.#hasReached(from, feed))) {
      feed.end('end', 'behind');
      return;
    }
    let place = from;
    for (let rounds = 0; rounds < maxRounds && !feed.hasEnded(); rounds += 1) {
      if (this.#history.covers(place)) {
        // In one go with the attaching, so that no change falls between.
        for (const change of this.#history.after(place)) {
          if (change.collectionId === feed.collectionId) await this.#tellLate(feed, change);
          place = placeAfter(change);
          if (feed.hasEnded()) return;
        }
        if (this.#history.after(place).length > 0) continue;
        this.#attach(feed);
        if (feed.isOutdated) this.#goOn(feed, 'rights');
        return;
      }
      try {
        const tell = (late: RecordChange): Promise<void> => this.#tellLate(feed, late);
        place = await this.#catchUp.read(place, feed.collectionId, tell, feed.signal);
      } catch (error) {
        if (!(error instanceof HistoryLost)) throw error;
        this.#goOn(feed, 'expired');
        return;
      }
    }
    if (!feed.hasEnded()) feed.end('gap', 'slow');
  }

  /** Waits until this process has seen everything up to a place. @returns false where that takes too long */
  async #hasReached({ position, eventId }: Place, feed: Feed): Promise<boolean> {
    const deadline = performance.now() + positionMs;
    for (;;) {
      const { position: own } = this.#options.stream;
      // Of a transaction more may be to come at the same position.
      const isWhole = eventId === undefined || this.#last?.eventId === eventId;
      if (own?.greaterThan(position) === true || (isWhole && own?.equals(position) === true)) return true;
      if (performance.now() > deadline) return false;
      if (feed.hasEnded()) return true;
      await delay(20);
    }
  }

  /** Waits for a reader that is behind, for it has more to read than it can have been sent. */
  async #tellLate(feed: Feed, change: RecordChange): Promise<void> {
    const message = judgeChange(feed.view, change);
    if (message === undefined) return;
    if (!(await feed.drained())) feed.end('gap', 'slow');
    else this.#tell(feed, message, placeAfter(change));
  }

  /** Says that something is missing, and goes on from now. */
  #goOn(feed: Feed, reason: 'expired' | 'rights' | 'history'): void {
    feed.renew();
    this.#attach(feed);
    const place = this.#place();
    const id = place === undefined ? {} : { id: feed.cursorAt(place, this.#options.generation) };
    feed.write({ event: 'gap', ...id, data: JSON.stringify({ reason }) });
  }

  #attach(feed: Feed): void {
    this.#detach(feed);
    if (feed.hasEnded()) return;
    const views = this.#audiences.get(feed.collectionId) ?? new Map<string, Audience>();
    this.#audiences.set(feed.collectionId, views);
    const audience = views.get(feed.view.key) ?? { view: feed.view, feeds: new Set() };
    views.set(feed.view.key, audience);
    audience.feeds.add(feed);
  }

  #detach(feed: Feed): void {
    const views = this.#audiences.get(feed.collectionId);
    for (const [key, audience] of views ?? []) {
      if (audience.feeds.delete(feed) && audience.feeds.size === 0) views?.delete(key);
    }
    if (views?.size === 0) this.#audiences.delete(feed.collectionId);
  }

  /** The end of what has been told; undefined while it is not known. */
  #place(): Place | undefined {
    const { position } = this.#options.stream;
    if (position === undefined || this.#missedAt?.equals(position) === true) return undefined;
    this.#missedAt = undefined;
    if (!this.#begun) this.#restart(position);
    const last = this.#last;
    return last !== undefined && !position.greaterThan(last.position) ? last : { position, eventId: undefined };
  }

  #restart(position: Timestamp): void {
    this.#begun = true;
    this.#history.reset(position);
  }

  #take(raw: Change): void {
    try {
      const { clusterTime, event, transaction } = raw;
      this.#missedAt = undefined;
      // Everything from this change on is seen.
      if (!this.#begun) this.#restart(before(clusterTime));
      this.#last = { position: clusterTime, eventId: transaction === undefined ? undefined : event?.id };
      const change = toRecordChange(raw);
      if (change === undefined) return;
      this.#history.add(change);
      const budget = createBudget(changeUnits);
      for (const { view, feeds } of this.#audiences.get(change.collectionId)?.values() ?? []) {
        const message = judgeChange(view, change, budget);
        if (message === undefined) continue;
        const place = placeAfter(change);
        for (const feed of feeds) this.#tell(feed, message, place);
      }
    } catch (error) {
      // The stream has other listeners, which must not miss what we could not tell.
      this.#options.logger.error({ error }, 'a change could not be told to feeds');
      this.#miss();
    }
  }

  #tell(feed: Feed, { event, data }: Told, place: Place): void {
    if (feed.write({ event, id: feed.cursorAt(place, this.#options.generation), data })) return;
    feed.end('gap', 'slow');
    this.#detach(feed);
  }

  #tellPlace(feed: Feed): void {
    const place = this.#place();
    if (place !== undefined) feed.write({ id: feed.cursorAt(place, this.#options.generation) });
  }

  #attached(): Feed[] {
    return [...this.#audiences.values()].flatMap((views) => [...views.values()].flatMap(({ feeds }) => [...feeds]));
  }

  /** Changes may have been missed. */
  #miss(): void {
    this.#missedAt = this.#options.stream.position;
    this.#begun = false;
    this.#last = undefined;
    this.#history.reset(undefined);
    for (const feed of this.#attached()) this.#goOn(feed, 'history');
  }

  #redefine(id: string, collection: Collection | undefined): void {
    for (const feed of this.#feeds) {
      if (feed.collectionId !== id) continue;
      if (collection === undefined) feed.end('end', 'collection-removed');
      // Who is catching up is told when it gets here.
      else if (feed.redefine(collection) && this.#isAttached(feed)) this.#goOn(feed, 'rights');
    }
  }

  #isAttached(feed: Feed): boolean {
    return this.#audiences.get(feed.collectionId)?.get(feed.view.key)?.feeds.has(feed) === true;
  }

  /** So that the cursors of quiet feeds do not age. */
  #keepAlive(): void {
    for (const feed of this.#attached()) this.#tellPlace(feed);
  }

  #checkSessions(): void {
    const nowMs = (this.#options.now ?? Date.now)();
    for (const feed of this.#feeds) {
      const { token } = feed;
      if (token === undefined) continue;
      if (token.exp * 1_000 <= nowMs) feed.end('end', 'token-expired');
      else this.#checkToken(feed, token);
    }
  }

  #checkToken(feed: Feed, token: AccessClaims): void {
    const isRevoked = this.#options.isRevoked(token);
    const judge = (itIs: boolean): void => {
      if (itIs) feed.end('end', 'session-ended');
    };
    if (typeof isRevoked === 'boolean') judge(isRevoked);
    // Nobody says whether it may go on: it may not.
    else isRevoked.then(judge, () => feed.end('end', 'unsure'));
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    for (const end of this.#unsubscribe) end();
    for (const feed of this.#feeds) feed.end('end', 'shutdown');
    await this.#catchUp.stop();
  }
}

/** The position just before another one. */
const before = ({ t, i }: Timestamp): Timestamp =>
  new Timestamp(i === 0 ? { t: t - 1, i: 2 ** 32 - 1 } : { t, i: i - 1 });
