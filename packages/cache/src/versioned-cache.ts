import { createHash } from 'node:crypto';

import { createCounter } from '@causeway/telemetry';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';

import { createSharedPlaces } from './shared-places.ts';
import { createSharedRoom } from './shared-room.ts';

/** How a value is kept as text, and what it takes in memory. */
export interface VersionedCodec<Value> {
  encode(value: Value): string;
  decode(text: string): Value;
  /** Roughly, in memory. */
  sizeBytesOf(value: Value): number;
}

/** What {@link createVersionedCache} is given. */
export interface VersionedCacheOptions<Value> {
  /** Names the cache in metrics. */
  readonly name: string;
  readonly codec: VersionedCodec<Value>;
  readonly redis: Redis;
  /** Before the keys in Redis. */
  readonly prefix: string;
  /** For the values in this process; in Redis it takes no more for its own. */
  readonly maxBytes: number;
  /** What is longer as text is not kept; 256 KiB by default. */
  readonly maxTextLength?: number;
  /** How long a value lies in Redis; 60 s by default. */
  readonly ttlMs?: number;
  /** How long a value that another replica is loading is waited for, about; 100 ms by default. */
  readonly waitMs?: number;
  /** Monotonic milliseconds. */
  readonly clock?: () => number;
}

/**
 * Values that are made of many things, by key and version. A version is text that rises with each change of any of these things;
 * whoever asks knows the one that it has to have. So there is nothing to invalidate, and nothing that is filled in late, or was missed by
 * a process, or is left in Redis, is ever given for a later version.
 */
export interface VersionedCache<Value> {
  /**
   * A value, from this process, from Redis or by `load`.
   *
   * @param version - taken before; `load` may find what is newer, and never what is older
   */
  read(key: string, version: string, load: () => Promise<Value>): Promise<Value>;
  /** Whether this process has a value. */
  has(key: string, version: string): boolean;
  /** A value that this process has. */
  peek(key: string, version: string): Value | undefined;
  /**
   * Keeps a value in this process alone.
   *
   * @param version - taken before the value was loaded, which is not older
   */
  keep(key: string, version: string, value: Value): void;
  /** Counts a read for which it was not asked. */
  passed(): void;
}

/** A value of this process. */
interface Kept<Value> {
  readonly version: string;
  readonly value: Value;
}

const hashOf = (key: string): string => createHash('sha256').update(key).digest('base64url');

/** Makes a cache of two tiers: this process, and Redis for all replicas. */
export function createVersionedCache<Value extends object>(
  options: VersionedCacheOptions<Value>,
): VersionedCache<Value> {
  const { codec, name, maxBytes, redis, prefix, maxTextLength = 262_144, ttlMs = 60_000 } = options;
  const { clock = () => performance.now(), waitMs = 100 } = options;
  const room = createSharedRoom({ maxBytes, maxTextLength, ttlMs, clock });
  const places = createSharedPlaces({ redis, ttlMs, waitMs });
  const values = new LRUCache<string, Kept<Value>>({ maxSize: maxBytes, maxEntrySize: Math.ceil(maxBytes / 8) });
  const reads = createCounter('causeway.cache.reads', { description: 'Reads of a cache, by where they ended.' });
  const loading = new Map<string, Promise<Value>>();
  const count = (tier: 'process' | 'redis' | 'database'): void => reads.add(1, { 'causeway.cache': name, tier });

  const keep = (key: string, version: string, value: Value): void => {
    const known = values.get(key);
    // Whoever was slow does not take the place of who was asked later.
    if (known !== undefined && known.version > version) return;
    values.set(key, { version, value }, { size: Math.max(1, key.length + codec.sizeBytesOf(value)) });
  };

  const known = (hash: string, version: string): Value | undefined => {
    const kept = values.get(hash);
    if (kept?.version !== version) return undefined;
    count('process');
    return kept.value;
  };

  const load = async (hash: string, version: string, from: () => Promise<Value>): Promise<Value> => {
    const place = `${prefix}${hash}:${version}`;
    const shared = await places.lookup(place);
    if (shared !== undefined) {
      const value = codec.decode(shared);
      count('redis');
      keep(hash, version, value);
      return value;
    }
    let text: string | undefined;
    try {
      const value = await from();
      count('database');
      const encoded = codec.encode(value);
      if (encoded.length <= maxTextLength) keep(hash, version, value);
      if (room.take(encoded)) text = encoded;
      return value;
    } finally {
      places.settle(place, text);
    }
  };

  return {
    async read(key, version, from) {
      const hash = hashOf(key);
      const kept = known(hash, version);
      if (kept !== undefined) return kept;
      const asked = `${hash}:${version}`;
      const under = loading.get(asked);
      if (under !== undefined) return under;
      const own = load(hash, version, from).finally(() => loading.delete(asked));
      loading.set(asked, own);
      return own;
    },
    passed: () => count('database'),
    has: (key, version) => values.peek(hashOf(key))?.version === version,
    peek: (key, version) => known(hashOf(key), version),
    keep(key, version, value) {
      // Two bytes a letter: what is not text yet is not made text for this.
      if (codec.sizeBytesOf(value) <= 2 * maxTextLength) keep(hashOf(key), version, value);
    },
  };
}
