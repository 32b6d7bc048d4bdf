import { Backoff } from '../backoff.ts';
import type { FetchedRecord, TopicPartition } from '../port.ts';

export interface PartitionFeedOptions extends TopicPartition {
  /** Offset of the first record to read. */
  position: bigint;
  /** What was held so far counts against this; fetching pauses while so many records are held. */
  maxHeld: number;
  /** The same in bytes; what one fetch brings may go beyond it. */
  maxHeldBytes: number;
  onRecords(records: readonly FetchedRecord[]): Promise<void>;
  /** Everything below this offset has been handled. */
  onHandled?(upTo: bigint): void;
  /** Asked once everything before `wanted` has been handled. */
  onGap(wanted: bigint, earliest: bigint): Promise<bigint>;
  onError(error: Error): void;
  /** There may be room again. */
  onRoom(): void;
}

/** Of headers and of what a record costs us beside its bytes, about. */
const RECORD_OVERHEAD_BYTES = 100;

/** So much is asked for at least: less than a batch brings nothing where other partitions are asked for too. */
const LEAST_ASKED_BYTES = 65_536;

/** An answer may have been cut or garbled on its way: only what cannot be decoded so often in a row is taken for what Kafka has. */
const UNDECODABLE_TRIES = 3;

function sizeOf({ key, value, headers }: FetchedRecord): number {
  let size = (key?.length ?? 0) + (value?.length ?? 0) + RECORD_OVERHEAD_BYTES;
  for (const name in headers) size += name.length + (headers[name]?.length ?? 0);
  return size;
}

/**
 * One partition under one assignment: what has been fetched and is not yet handled, and the loop that delivers it, one delivery at a
 * time. When the assignment ends the feed ends with it; a later assignment of the same partition gets a feed of its own, which waits
 * for the delivery that may still be running in this one.
 */
export class PartitionFeed {
  readonly topic: string;
  readonly partition: number;
  readonly #options: PartitionFeedOptions;
  readonly #stopping = new AbortController();
  readonly #done: Promise<void>;
  #position: bigint;
  #queue: FetchedRecord[] = [];
  #delivering = 0;
  /** Of all that is held. */
  #heldBytes = 0;
  #gap: { wanted: bigint; earliest: bigint } | undefined;
  #paused = false;
  #wake: () => void = () => undefined;
  #recordBytes = 1_024;
  /** How often, one time after the other, the position could not be decoded. */
  #undecodable = 0;

  /** When it may be fetched again, on the clock of `performance.now()`; set by the fetcher after a failure. */
  blockedUntilMs = 0;
  readonly backoff = new Backoff(50, 5_000);

  /** @param after The previous feed of the same partition, if there was one: its last delivery must be over first. */
  constructor(options: PartitionFeedOptions, after?: PartitionFeed) {
    this.topic = options.topic;
    this.partition = options.partition;
    this.#options = options;
    this.#position = options.position;
    this.#done = this.#deliver(after?.stopped());
  }

  /** The offset to fetch next. */
  get position(): bigint {
    return this.#position;
  }

  get paused(): boolean {
    return this.#paused;
  }

  hasEnded(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Whether the fetcher should ask for more. */
  wantsMore(): boolean {
    return !this.hasEnded() && !this.#paused && !this.#gap && !this.#isFull();
  }

  /** How many bytes to ask for, so that about as much comes as there is room for. */
  bytesToAsk(maxBytes: number): number {
    const records = (this.#options.maxHeld - this.#held()) * this.#recordBytes;
    const room = Math.min(records, this.#options.maxHeldBytes - this.#heldBytes);
    return Math.max(1, Math.min(maxBytes, Math.max(room, LEAST_ASKED_BYTES)));
  }

  /** What a fetch from `position` brought. */
  accept(records: readonly FetchedRecord[], next: bigint): void {
    if (this.hasEnded()) return;
    this.#undecodable = 0;
    for (const record of records) {
      this.#queue.push(record);
      const bytes = sizeOf(record);
      this.#heldBytes += bytes;
      this.#recordBytes += (bytes - this.#recordBytes) / 16;
    }
    const moved = next !== this.#position;
    this.#position = next;
    this.backoff.reset();
    if (records.length > 0) this.#wake();
    else if (moved && this.#held() === 0) this.#options.onHandled?.(next);
  }

  /**
   * The bytes at the position cannot be decoded.
   *
   * @returns whether that is believed, for it was so several times: then the offset is delivered as unreadable, and it goes on behind it.
   *   Where a batch ends cannot be known, so each of its offsets comes to this by itself.
   */
  reportUndecodable(why: string): boolean {
    this.#undecodable += 1;
    if (this.#undecodable < UNDECODABLE_TRIES) return false;
    const { topic, partition, position: offset } = this;
    const tries = this.#undecodable;
    this.accept(
      [{ topic, partition, offset, timestampMs: 0, key: null, value: null, headers: {}, unreadable: why }],
      offset + 1n,
    );
    // The next offset is likely to be of the same batch.
    this.#undecodable = tries;
    return true;
  }

  /** The position cannot be read. Nothing is fetched until `onGap` has said where to go on. */
  reportGap(earliest: bigint): void {
    this.#gap = { wanted: this.#position, earliest };
    this.#wake();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#wake();
    this.#options.onRoom();
  }

  /** Begins no further delivery and drops what is held. */
  stop(): void {
    this.#stopping.abort();
    this.#queue = [];
    this.#heldBytes = 0;
    this.#wake();
  }

  /** Settles when the delivery under way, if any, is over. Never rejects. */
  async stopped(): Promise<void> {
    await this.#done;
  }

  #isFull(): boolean {
    return this.#held() >= this.#options.maxHeld || this.#heldBytes >= this.#options.maxHeldBytes;
  }

  #held(): number {
    return this.#queue.length + this.#delivering;
  }

  async #deliver(after: Promise<void> | undefined): Promise<void> {
    await after;
    while (!this.hasEnded()) {
      if (this.#paused || (this.#queue.length === 0 && !this.#gap)) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      } else if (this.#queue.length > 0) {
        await this.#deliverNext();
      } else {
        await this.#settleGap();
      }
    }
  }

  /** At most half of what may be held, so that the next half is fetched meanwhile. */
  async #deliverNext(): Promise<void> {
    const records = this.#queue.splice(0, Math.max(1, Math.ceil(this.#options.maxHeld / 2)));
    this.#delivering = records.length;
    const backoff = new Backoff(100, 10_000);
    for (;;) {
      try {
        await this.#options.onRecords(records);
        break;
      } catch (error) {
        if (this.hasEnded()) return;
        this.#options.onError(asError(error));
        await backoff.wait(this.#stopping.signal);
        await this.#whilePaused();
        if (this.hasEnded()) return;
      }
    }
    this.#delivering = 0;
    for (const record of records) this.#heldBytes -= sizeOf(record);
    const last = records.at(-1);
    if (this.#queue.length > 0 && last) this.#options.onHandled?.(last.offset + 1n);
    else this.#options.onHandled?.(this.#position);
    this.#options.onRoom();
  }

  async #whilePaused(): Promise<void> {
    while (this.#paused && !this.hasEnded()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  async #settleGap(): Promise<void> {
    const gap = this.#gap;
    if (!gap) return;
    const backoff = new Backoff(100, 10_000);
    while (!this.hasEnded()) {
      try {
        this.#position = await this.#options.onGap(gap.wanted, gap.earliest);
        this.#gap = undefined;
        this.#options.onRoom();
        return;
      } catch (error) {
        if (this.hasEnded()) return;
        this.#options.onError(asError(error));
        await backoff.wait(this.#stopping.signal);
      }
    }
  }
}

export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
