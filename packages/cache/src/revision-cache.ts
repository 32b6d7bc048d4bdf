import { createCounter } from '@causeway/telemetry';
import type { Redis } from 'ioredis';

import { createLocalTier } from './local-tier.ts';
import { createSharedTier } from './shared-tier.ts';

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
  /** For the values in this process. */
  readonly maxBytes: number;
  /** How long a value in Redis is believed; 30 s by default. */
  readonly ttlMs?: number;
  /** Monotonic milliseconds. */
  readonly clock?: () => number;
}

/**
 * Values by key, each with a revision that only rises: in this process, and in Redis for all replicas. Whoever learns of a
 * change says so; then nothing older than it is given or kept, however late it was read.
 */
export interface RevisionCache<Value> {
  /** A value, from this process, from Redis or by `load`; undefined, which is not kept, where `load` finds none. */
  read(key: string, load: () => Promise<Value | undefined>): Promise<Value | undefined>;
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
  const local = createLocalTier<Value>(maxBytes);
  const shared = createSharedTier({ ...options, ttlMs, clock });
  const reads = createCounter('causeway.cache.reads', { description: 'Reads of a cache, by where they ended.' });
  const loading = new Map<string, Promise<Value | undefined>>();
  const count = (tier: 'process' | 'redis' | 'database'): void => reads.add(1, { 'causeway.cache': name, tier });
  /** Until then Redis may hold what a missed change has made old. */
  let missedUntil = Number.NEGATIVE_INFINITY;

  const load = async (key: string, from: () => Promise<Value | undefined>): Promise<Value | undefined> => {
    const fill = local.begin(key);
    try {
      const found = shared.trusted && clock() >= missedUntil ? await shared.lookup(key) : ({ kind: 'none' } as const);
      if (found.kind === 'hit') {
        const value = codec.decode(found.text);
        fill.done(value, codec.sizeBytesOf(value));
        count('redis');
        return value;
      }
      const value = await from();
      count('database');
      if (value === undefined) return undefined;
      // Not waited for: the answer does not depend on it.
      if (found.kind === 'lease' && fill.fresh) {
        void shared.fill(key, found.lease, codec.revisionOf(value), codec.encode(value));
      }
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
      if (revision > firstRevision) void shared.invalidate(key, revision);
    },
    clear() {
      local.clear();
      loading.clear();
      missedUntil = clock() + ttlMs;
    },
  };
}
