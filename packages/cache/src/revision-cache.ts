import { createCounter } from '@causeway/telemetry';
import type { Redis } from 'ioredis';

import { createFloors } from './floors.ts';
import { createLocalTier } from './local-tier.ts';
import { createSharedRoom } from './shared-room.ts';
import { createSharedTier, keepMsOf } from './shared-tier.ts';

/** How a value is kept as text, and what a cache has to know of it. */
export interface CacheCodec<Value> {
  encode(value: Value): string;
  decode(text: string): Value;
  revisionOf(value: Value): number;
  /** Roughly, in memory. */
  sizeBytesOf(value: Value): number;
}

/** What {@link createRevisionCache} is given. */
export interface RevisionCacheOptions<Value> {
  /** Names the cache in metrics. */
  readonly name: string;
  readonly codec: CacheCodec<Value>;
  readonly redis: Redis;
  /** Before the keys in Redis. */
  readonly prefix: string;
  readonly logger: { warn(fields: Record<string, unknown>, message: string): void };
  /** For the values in this process; in Redis it takes no more for its own. */
  readonly maxBytes: number;
  /** What is longer as text is not put into Redis; 256 KiB by default. */
  readonly maxTextLength?: number;
  /** How long a value in Redis is believed; 30 s by default. */
  readonly ttlMs?: number;
  /** How many changes are remembered, while values from before may be in Redis; where it is more, Redis is not believed. 100,000 by default. */
  readonly maxFloors?: number;
  /** Monotonic milliseconds. */
  readonly clock?: () => number;
}

/**
 * Values by key, each with a revision that only rises: in this process, and in Redis for all replicas. Whoever learns of a
 * change says so; then nothing older than it is given or kept, however late it was read.
 */
export interface RevisionCache<Value> {
  /**
   * A value, from this process, from Redis or by `load`; undefined, which is not kept, where `load` finds none.
   *
   * @param load - called once more, with true, where what it has found is older than what had been told before it began: then it has
   *   to wait until the database knows all that this process does
   */
  read(key: string, load: (again: boolean) => Promise<Value | undefined>): Promise<Value | undefined>;
  /** A value of this process, without asking anybody. */
  peek(key: string): Value | undefined;
  /**
   * A change has been committed.
   *
   * @param revision - the new one; of a delete, the one that it would have had
   */
  invalidate(key: string, revision: number): void;
  /** Changes may have been missed: everything in this process is forgotten, and Redis is not believed for a while. */
  clear(): void;
}

/** That of a creation. */
const firstRevision = 1;

/** Makes a cache of two tiers. */
export function createRevisionCache<Value extends object>(options: RevisionCacheOptions<Value>): RevisionCache<Value> {
  const { codec, name, maxBytes, ttlMs = 30_000, clock = () => performance.now() } = options;
  const { maxTextLength = 262_144, maxFloors: most = 100_000 } = options;
  const local = createLocalTier<Value>(maxBytes);
  const room = createSharedRoom({ maxBytes, maxTextLength, ttlMs: keepMsOf(ttlMs), clock });
  const shared = createSharedTier({ ...options, ttlMs, clock });
  const floors = createFloors({ keepMs: keepMsOf(ttlMs), most, clock });
  const reads = createCounter('causeway.cache.reads', { description: 'Reads of a cache, by where they ended.' });
  const loading = new Map<string, Promise<Value | undefined>>();
  const count = (tier: 'process' | 'redis' | 'database'): void => reads.add(1, { 'causeway.cache': name, tier });
  /** Until then Redis may hold what a missed change has made old. */
  let missedUntil = Number.NEGATIVE_INFINITY;
  const isBelieved = (): boolean => shared.trusted && clock() >= missedUntil && floors.complete;

  const share = (key: string, lease: string, value: Value): void => {
    const text = codec.encode(value);
    // Not waited for: the answer does not depend on it.
    if (room.take(text)) void shared.fill(key, lease, codec.revisionOf(value), text);
  };

  const load = async (
    key: string,
    from: (again: boolean) => Promise<Value | undefined>,
  ): Promise<Value | undefined> => {
    // What is told from now on concerns those who ask after it.
    const floor = floors.of(key);
    const fill = local.begin(key);
    try {
      const found = isBelieved() ? await shared.lookup(key) : ({ kind: 'none' } as const);
      if (found.kind === 'hit') {
        const value = codec.decode(found.text);
        // Redis may have lost its floor, and then have been filled by who has heard less.
        if (codec.revisionOf(value) >= floor) {
          fill.done(value, codec.sizeBytesOf(value));
          count('redis');
          return value;
        }
        void shared.invalidate(key, floor);
      }
      const first = await from(false);
      const isOld = floor > 0 && (first === undefined || codec.revisionOf(first) < floor);
      const value = isOld ? await from(true) : first;
      count('database');
      if (value === undefined) return undefined;
      if (found.kind === 'lease' && fill.fresh) share(key, found.lease, value);
      fill.done(value, codec.sizeBytesOf(value));
      return value;
    } finally {
      fill.abandon();
    }
  };

  return {
    peek(key) {
      const known = local.get(key);
      if (known !== undefined) count('process');
      return known;
    },
    read(key, from) {
      const known = local.get(key);
      if (known !== undefined) {
        count('process');
        return Promise.resolve(known);
      }
      const under = loading.get(key);
      if (under !== undefined) return under;
      const own = load(key, from).finally(() => {
        if (loading.get(key) === own) loading.delete(key);
      });
      loading.set(key, own);
      return own;
    },
    invalidate(key, revision) {
      local.invalidate(key);
      // Whoever asks from now on must not get what was read before.
      loading.delete(key);
      // In Redis there is nothing older than the first revision, and nobody fills in what is not there.
      if (revision === firstRevision) return;
      floors.raise(key, revision);
      void shared.invalidate(key, revision);
    },
    clear() {
      local.clear();
      loading.clear();
      missedUntil = clock() + ttlMs;
    },
  };
}
