import { Backoff } from '../backoff.ts';
import { KafkaPoisonedError } from '../errors.ts';
import { type FetchAnswer, type KafkaWire, WireError } from '../wire.ts';
import { asError, type PartitionFeed } from './partition-feed.ts';

/** How long a broker holds a request when there is nothing to read: the longest that a resumed partition waits. */
const IDLE_WAIT_MS = 250;
/** The same while some partitions are left out because they are full: they should be asked for soon after they have room again. */
const BUSY_WAIT_MS = 20;

export interface FetcherOptions {
  wire: KafkaWire;
  topics: readonly string[];
  maxBytesPerPartition: number;
  onError(error: Error): void;
}

/**
 * Fetches for a set of feeds: one long poll at a time for each broker, for those of its partitions that have room. A broker that fails
 * is left alone for a jittered while and its partitions' leaders are asked for again.
 */
export class Fetcher {
  readonly #options: FetcherOptions;
  readonly #feeds = new Set<PartitionFeed>();
  readonly #busyNodes = new Set<number>();
  readonly #leaderBackoff = new Backoff();
  #leaders: Map<string, number[]> | undefined;
  #findingLeaders = false;
  #timer: NodeJS.Timeout | undefined;
  #pumping = false;
  #closed = false;

  constructor(options: FetcherOptions) {
    this.#options = options;
  }

  add(feed: PartitionFeed): void {
    this.#feeds.add(feed);
    this.wake();
  }

  remove(feed: PartitionFeed): void {
    this.#feeds.delete(feed);
  }

  /** Something may want to be fetched. Cheap: many calls in one turn make one look. */
  wake(): void {
    if (this.#pumping || this.#isClosed()) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#feeds.clear();
  }

  #isClosed(): boolean {
    return this.#closed;
  }

  #pump(): void {
    if (this.#isClosed() || this.#feeds.size === 0) return;
    const leaders = this.#leaders;
    if (!leaders) {
      if (!this.#findingLeaders) void this.#findLeaders();
      return;
    }
    const nowMs = performance.now();
    let earliestBlockMs = Infinity;
    const byNode = new Map<number, PartitionFeed[]>();
    for (const feed of this.#feeds) {
      if (!feed.wantsMore()) continue;
      if (feed.blockedUntilMs > nowMs) {
        earliestBlockMs = Math.min(earliestBlockMs, feed.blockedUntilMs);
        continue;
      }
      const node = leaders.get(feed.topic)?.[feed.partition] ?? -1;
      if (node < 0) this.#leadersAreStale(feed, new WireError('LEADER_NOT_AVAILABLE'));
      else if (!this.#busyNodes.has(node)) byNode.set(node, [...(byNode.get(node) ?? []), feed]);
    }
    if (earliestBlockMs < Infinity) this.#wakeIn(earliestBlockMs - nowMs);
    for (const [node, feeds] of byNode) void this.#poll(node, feeds, leaders);
  }

  #wakeIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.wake(), Math.max(1, ms));
  }

  async #findLeaders(): Promise<void> {
    this.#findingLeaders = true;
    try {
      this.#leaders = await this.#options.wire.leaders(this.#options.topics);
      this.#leaderBackoff.reset();
      this.wake();
    } catch (error) {
      if (!this.#isClosed()) {
        this.#options.onError(asError(error));
        this.#wakeIn(this.#leaderBackoff.nextMs());
      }
    } finally {
      this.#findingLeaders = false;
    }
  }

  async #poll(node: number, feeds: readonly PartitionFeed[], leaders: ReadonlyMap<string, number[]>): Promise<void> {
    this.#busyNodes.add(node);
    this.#letAnotherBeFirst(feeds);
    try {
      await this.#ask(node, feeds, this.#someAreFull(node, feeds.length, leaders) ? BUSY_WAIT_MS : IDLE_WAIT_MS);
    } catch (error) {
      if (!this.#isClosed()) await this.#onRequestFailed(node, feeds, asWireError(error));
    } finally {
      this.#busyNodes.delete(node);
      this.wake();
    }
  }

  /** Of the first partition of a request that has something, a broker sends a batch however large it is; of others, only what was asked for. */
  #letAnotherBeFirst([first]: readonly PartitionFeed[]): void {
    if (first !== undefined && this.#feeds.delete(first)) this.#feeds.add(first);
  }

  /** Whether partitions of the node are left out that will want to be asked for soon. */
  #someAreFull(node: number, asked: number, leaders: ReadonlyMap<string, number[]>): boolean {
    let there = 0;
    for (const feed of this.#feeds) if (!feed.paused && leaders.get(feed.topic)?.[feed.partition] === node) there += 1;
    return there > asked;
  }

  async #ask(
    node: number,
    feeds: readonly PartitionFeed[],
    maxWaitMs: number,
    maxBytes = this.#options.maxBytesPerPartition,
  ): Promise<void> {
    const asks = feeds.map((feed) => ({
      topic: feed.topic,
      partition: feed.partition,
      offset: feed.position,
      maxBytes: feed.bytesToAsk(maxBytes),
    }));
    const answers = await this.#options.wire.fetch(node, asks, maxWaitMs);
    for (const answer of answers) {
      const index = asks.findIndex((ask) => ask.topic === answer.topic && ask.partition === answer.partition);
      const feed = feeds[index];
      // The position has moved where an old leader and a new one were asked at the same time.
      if (feed && !feed.hasEnded() && feed.position === asks[index]?.offset) this.#take(feed, answer);
    }
  }

  #take(feed: PartitionFeed, { records, next, error }: FetchAnswer): void {
    if (!error) {
      feed.accept(records, next);
    } else if (error.code === 'OFFSET_OUT_OF_RANGE') {
      this.#block(feed);
      void this.#outOfRange(feed);
    } else if (error.code === 'UNDECODABLE') {
      this.#block(feed);
      this.#options.onError(new KafkaPoisonedError(feed.topic, feed.partition, feed.position, error));
    } else {
      this.#leadersAreStale(feed, error);
    }
  }

  /**
   * What cannot be said of a whole request is asked again for each partition, one batch at a time (a broker sends at least one, however
   * little is asked for): so that no partition stops the others, and no batch those before it.
   */
  async #onRequestFailed(node: number, feeds: readonly PartitionFeed[], error: WireError): Promise<void> {
    if (error.code === 'NETWORK') {
      for (const feed of feeds) this.#leadersAreStale(feed);
      this.#options.onError(error);
      return;
    }
    for (const feed of feeds) while (await this.#askAlone(node, feed));
  }

  /** @returns whether an offset was given up as unreadable, and there is room for what is behind it */
  async #askAlone(node: number, feed: PartitionFeed): Promise<boolean> {
    try {
      await this.#ask(node, [feed], BUSY_WAIT_MS, 1);
      return false;
    } catch (each) {
      if (this.#isClosed()) return false;
      const error = asWireError(each);
      if (error.code === 'UNDECODABLE' && feed.reportUndecodable(error.message)) return feed.wantsMore();
      const { topic, partition, position } = feed;
      this.#take(feed, { topic, partition, records: [], next: position, error });
      return false;
    }
  }

  #block(feed: PartitionFeed): void {
    feed.blockedUntilMs = performance.now() + feed.backoff.nextMs();
  }

  #leadersAreStale(feed: PartitionFeed, error?: WireError): void {
    this.#leaders = undefined;
    this.#block(feed);
    if (error) this.#options.onError(error);
    this.wake();
  }

  /** A leader that has just changed may refuse an offset for a moment: believed only if the offsets say so too. */
  async #outOfRange(feed: PartitionFeed): Promise<void> {
    try {
      const wanted = feed.position;
      const [earliest, latest] = await Promise.all([
        this.#options.wire.offsets(feed.topic, 'earliest'),
        this.#options.wire.offsets(feed.topic, 'latest'),
      ]);
      const first = earliest.get(feed.partition);
      const end = latest.get(feed.partition);
      if (first === undefined || end === undefined || feed.hasEnded() || wanted !== feed.position) return;
      if (wanted < first || wanted > end) feed.reportGap(first);
    } catch (error) {
      if (!this.#isClosed()) this.#options.onError(asError(error));
    }
  }
}

function asWireError(error: unknown): WireError {
  return error instanceof WireError ? error : new WireError('UNDECODABLE', error);
}
