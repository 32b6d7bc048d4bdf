import { randomUUID } from 'node:crypto';

import type { Redis } from 'ioredis';

import { redisScript } from './redis-script.ts';

/** What a look into the shared tier gave. */
export type SharedLookup =
  | { readonly kind: 'hit'; readonly text: string }
  /** Nothing there: whoever reads it now may put it there. */
  | { readonly kind: 'lease'; readonly lease: string }
  /** Nothing to be had, and nothing to be put. */
  | { readonly kind: 'none' };

/** Values in Redis, for all replicas. */
export interface SharedTier {
  lookup(key: string): Promise<SharedLookup>;
  /** Puts a value where its lease still holds and its revision is not below the floor. */
  fill(key: string, lease: string, revision: number, text: string): Promise<void>;
  /** Says that a revision is there: what is older goes, and nothing older comes any more. */
  invalidate(key: string, revision: number): Promise<void>;
  /** Whether what is there may be believed. */
  readonly trusted: boolean;
}

/** What {@link createSharedTier} is given. */
export interface SharedTierOptions {
  readonly redis: Redis;
  readonly prefix: string;
  readonly logger: { warn(fields: Record<string, unknown>, message: string): void };
  /** How long a value is believed. */
  readonly ttlMs: number;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

/** A read of the database that takes longer than this may not fill any more. */
const leaseMs = 5_000;

/** How long floors and leases are kept: they outlive every value that they guard against. */
export const keepMsOf = (ttlMs: number): number => 2 * (ttlMs + leaseMs);

/**
 * One hash a key: v value, r its revision, e its end; l lease, le its end; f floor. So Redis forgets all of a key or nothing, also where it
 * evicts: a lease never outlives its floor. Times are Redis's own.
 */
const now = "local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)";

const lookupScript = redisScript(`${now}
local h = redis.call('HMGET', KEYS[1], 'v', 'e', 'l', 'le')
if h[1] and tonumber(h[2]) > now then return h[1] end
if h[3] and tonumber(h[4]) > now then return 0 end
redis.call('HSET', KEYS[1], 'l', ARGV[1], 'le', now + ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`);

const fillScript = redisScript(`${now}
local h = redis.call('HMGET', KEYS[1], 'l', 'le', 'f')
if h[1] ~= ARGV[1] or tonumber(h[2]) <= now then return 0 end
redis.call('HDEL', KEYS[1], 'l', 'le')
if h[3] and tonumber(h[3]) > tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'v', ARGV[3], 'r', ARGV[2], 'e', now + ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1`);

/** What takes away comes first: a Redis that is full and may not evict refuses a script that begins with adding, and no other. */
const invalidateScript = redisScript(`
local h = redis.call('HMGET', KEYS[1], 'f', 'r')
redis.call('HDEL', KEYS[1], 'l', 'le')
if h[2] and tonumber(h[2]) < tonumber(ARGV[1]) then redis.call('HDEL', KEYS[1], 'v', 'r', 'e') end
if not h[1] or tonumber(h[1]) < tonumber(ARGV[1]) then redis.call('HSET', KEYS[1], 'f', ARGV[1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`);

/**
 * Makes the shared tier.
 *
 * A value there is believed only while every invalidation of this process has arrived: commands of one connection are
 * carried out in order, so that a lookup sees all that was invalidated before it. One that was lost, and the time before
 * this process, cost the tier its trust for as long as a value may live.
 */
export function createSharedTier({ redis, prefix, logger, ttlMs, clock }: SharedTierOptions): SharedTier {
  const keepMs = keepMsOf(ttlMs);
  let trustedFrom = clock() + ttlMs;

  const distrust = (error: unknown): void => {
    if (clock() >= trustedFrom) logger.warn({ error }, 'Redis is not asked for records for a while');
    trustedFrom = clock() + ttlMs;
  };

  return {
    get trusted() {
      return clock() >= trustedFrom && redis.status === 'ready';
    },
    async lookup(key) {
      const lease = randomUUID();
      try {
        const answer = await lookupScript.run(redis, prefix + key, [lease, leaseMs, keepMs]);
        if (typeof answer === 'string') return { kind: 'hit', text: answer };
        return answer === 1 ? { kind: 'lease', lease } : { kind: 'none' };
      } catch {
        // Whoever asks a cache can go on without.
        return { kind: 'none' };
      }
    },
    async fill(key, lease, revision, text) {
      // Not there is not there: the next reader fills it.
      await fillScript.run(redis, prefix + key, [lease, revision, text, ttlMs, keepMs]).catch(() => undefined);
    },
    async invalidate(key, revision) {
      await invalidateScript.inOrder(redis, prefix + key, [revision, keepMs]).catch(distrust);
    },
  };
}
