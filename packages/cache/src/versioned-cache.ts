import { createHash } from 'node:crypto';

import { createCounter } from '@causeway/telemetry';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';

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
  const { clock = () => performance.now() } = options;
  const room = createSharedRoom({ maxBytes, maxTextLength, ttlMs, clock });
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

  const lookup = async (place: string): Promise<Value | undefined> => {
    if (redis.status !== 'ready') return undefined;
    // Whoever asks a cache can go on without.
    const text = await redis.get(place).catch(() => null);
    return text === null ? undefined : codec.decode(text);
  };

  const fill = (place: string, text: string): void => {
    if (redis.status !== 'ready' || !room.take(text)) return;
    // Not waited for: the answer does not depend on it. Not there is not there.
    redis.set(place, text, 'PX', ttlMs).catch(() => undefined);
  };

  const load = async (hash: string, version: string, from: () => Promise<Value>): Promise<Value> => {
    const place = `${prefix}${hash}:${version}`;
    const shared = await lookup(place);
    if (shared !== undefined) {
      count('redis');
      keep(hash, version, shared);
      return shared;
    }
    const value = await from();
    count('database');
    const text = codec.encode(value);
    if (text.length <= maxTextLength) {
      keep(hash, version, value);
      fill(place, text);
    }
    return value;
  };

  return {
    async read(key, version, from) {
      const hash = hashOf(key);
      const known = values.get(hash);
      if (known?.version === version) {
        count('process');
        return known.value;
      }
      const asked = `${hash}:${version}`;
      const under = loading.get(asked);
      if (under !== undefined) return under;
      const own = load(hash, version, from).finally(() => loading.delete(asked));
      loading.set(asked, own);
      return own;
    },
  };
}
