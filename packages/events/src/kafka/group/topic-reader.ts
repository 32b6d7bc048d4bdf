import { Backoff, settledWithin } from '../backoff.ts';
import { KafkaError, KafkaPoisonedError } from '../errors.ts';
import type { FetchedRecord, KafkaReader, ReadAllOptions } from '../port.ts';
import type { KafkaWire } from '../wire.ts';
import { Fetcher } from './fetcher.ts';
import { asError, PartitionFeed } from './partition-feed.ts';

const MAX_HELD = 1_000;
/** Of all partitions together: the same as a member of a group holds. */
const MAX_HELD_BYTES = 32 * 1024 * 1024;
const CLOSE_BOUND_MS = 5_000;

/** Follows all partitions of a topic from the beginning or a time, one record at a time. Owns the wire. */
export class TopicReader implements KafkaReader {
  readonly #wire: KafkaWire;
  readonly #topic: string;
  readonly #options: ReadAllOptions;
  readonly #fetcher: Fetcher;
  readonly #closing = new AbortController();
  readonly #feeds: PartitionFeed[] = [];
  /** By partition, the end as of the start that is not reached yet. */
  readonly #behind = new Map<number, bigint>();
  /** The record in hand: the feeds take turns. */
  #turn: Promise<void> = Promise.resolve();
  #caughtUp = false;
  #closed: Promise<void> | undefined;

  constructor(wire: KafkaWire, topic: string, options: ReadAllOptions) {
    this.#wire = wire;
    this.#topic = topic;
    this.#options = options;
    this.#fetcher = new Fetcher({
      wire,
      topics: [topic],
      maxBytesPerPartition: 1_048_576,
      onError: (error) => this.#report(error),
    });
  }

  start(): this {
    const { signal } = this.#options;
    if (signal?.aborted) void this.close();
    else {
      signal?.addEventListener('abort', () => void this.close(), { once: true, signal: this.#closing.signal });
      void this.#start();
    }
    return this;
  }

  close(): Promise<void> {
    this.#closed ??= this.#stop();
    return this.#closed;
  }

  async #stop(): Promise<void> {
    this.#closing.abort();
    for (const feed of this.#feeds) feed.stop();
    this.#fetcher.close();
    await settledWithin(this.#turn, CLOSE_BOUND_MS);
    await this.#wire.close();
  }

  #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  async #start(): Promise<void> {
    const backoff = new Backoff(100, 2_000);
    while (!this.#isClosed()) {
      try {
        const ends = await this.#wire.offsets(this.#topic, 'latest');
        const starts = await this.#starts(ends);
        if (!this.#isClosed()) this.#addFeeds(starts, ends);
        return;
      } catch (error) {
        this.#report(asError(error));
        await backoff.wait(this.#closing.signal);
      }
    }
  }

  async #starts(ends: ReadonlyMap<number, bigint>): Promise<Map<number, bigint>> {
    const { from } = this.#options;
    if (from === 'beginning') return this.#wire.offsets(this.#topic, 'earliest');
    const starts = await this.#wire.offsets(this.#topic, from.sinceMs);
    // Nothing in the partition is so young: what comes next is.
    return new Map(
      [...starts].map(([partition, start]) => [partition, start < 0n ? (ends.get(partition) ?? 0n) : start]),
    );
  }

  #addFeeds(starts: ReadonlyMap<number, bigint>, ends: ReadonlyMap<number, bigint>): void {
    for (const [partition, end] of ends) {
      const position = starts.get(partition) ?? 0n;
      if (end > position) this.#behind.set(partition, end);
    }
    for (const [partition, position] of starts) {
      const feed = new PartitionFeed({
        topic: this.#topic,
        partition,
        position,
        maxHeld: MAX_HELD,
        maxHeldBytes: Math.max(1, Math.floor(MAX_HELD_BYTES / starts.size)),
        onRecords: (records) => this.#inTurn(() => this.#deliver(records)),
        onHandled: (upTo) => this.#onHandled(partition, upTo),
        onGap: (wanted, earliest) => this.#onGap(partition, wanted, earliest),
        onError: (error) => this.#report(error),
        onRoom: () => this.#fetcher.wake(),
      });
      this.#feeds.push(feed);
      this.#fetcher.add(feed);
    }
    this.#reportCaughtUp();
  }

  #inTurn(deliver: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(deliver);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #deliver(records: readonly FetchedRecord[]): Promise<void> {
    for (const record of records) {
      if (this.#isClosed()) return;
      if (record.unreadable !== undefined) {
        this.#report(
          new KafkaPoisonedError(record.topic, record.partition, record.offset, new Error(record.unreadable)),
        );
        continue;
      }
      try {
        await this.#options.onRecord(record);
      } catch (error) {
        this.#report(asError(error));
        void this.close();
        return;
      }
    }
  }

  #onHandled(partition: number, upTo: bigint): void {
    if (this.#isClosed() || upTo < (this.#behind.get(partition) ?? 0n)) return;
    this.#behind.delete(partition);
    this.#reportCaughtUp();
  }

  #reportCaughtUp(): void {
    if (this.#caughtUp || this.#behind.size > 0 || this.#isClosed()) return;
    this.#caughtUp = true;
    this.#options.onCaughtUp();
  }

  /** What a reader of everything wants is what is there: it says so and goes on from the first record that is. */
  #onGap(partition: number, wanted: bigint, earliest: bigint): Promise<bigint> {
    const place = `${this.#topic}/${String(partition)}`;
    this.#report(
      new KafkaError(`${place}: offset ${String(wanted)} is gone, reading on from ${String(earliest)}`, true),
    );
    this.#behind.delete(partition);
    this.#reportCaughtUp();
    return Promise.resolve(earliest);
  }

  #report(error: Error): void {
    if (!this.#isClosed()) this.#options.onError?.(error);
  }
}
