import { randomUUID } from 'node:crypto';

/** What this cache asks of Redis: ioredis fits. */
export interface RedisCommands {
  eval(script: string, keys: number, ...rest: (string | number)[]): Promise<unknown>;
}

/** A value as it lies in Redis. */
export interface StoredText {
  readonly revision: number;
  readonly text: string;
}

/** What a look into Redis found: a value, or the leave to fill it, or neither. */
export interface Look {
  readonly found?: StoredText;
  /** Taken by this miss; {@link RedisCache.fill} asks for it. */
  readonly lease?: string;
}

/** Values in Redis, shared by replicas. A fill that comes late can never bring an older revision back. */
export interface RedisCache {
  /** Looks for a value; a miss takes the lease where nobody has it. */
  look(key: string): Promise<Look>;
  /** Puts a value where the lease of its miss still holds and no later revision is known. */
  fill(key: string, lease: string, value: StoredText): Promise<void>;
  /** A change of this key has been committed. */
  invalidate(key: string, revision: number): Promise<void>;
  /** Makes everything that is there unreachable: changes may have been missed. */
  reset(): Promise<void>;
}

/** How a {@link RedisCache} is wired. */
export interface RedisCacheOptions {
  readonly redis: RedisCommands;
  /** Before each key: names the service and what is cached. */
  readonly prefix: string;
  /** How long a value is kept without being asked for again. */
  readonly ttlMs: number;
}

/** A lease outlasts any load; a load that takes longer does not fill. */
const leaseMs = 5_000;

/*
 * Four keys: e (epoch of everything), v (value: epoch, revision, text), l (lease), f (floor: the lowest revision that may be
 * filled). All scripts are atomic. After a flush the lease is gone, so that a load that began before it cannot fill.
 */
const lookScript = `
local value = redis.call('HMGET', KEYS[2], 'e', 'r', 't')
local epoch = redis.call('GET', KEYS[1]) or '0'
if value[1] == epoch then return {'v', value[2], value[3]} end
if redis.call('SET', KEYS[3], ARGV[1], 'NX', 'PX', ARGV[2]) then return {'l'} end
return {'n'}`;

const fillScript = `
if redis.call('GET', KEYS[3]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[3])
local floor = tonumber(redis.call('GET', KEYS[4]) or '0')
if tonumber(ARGV[2]) < floor then return 0 end
redis.call('HSET', KEYS[2], 'e', redis.call('GET', KEYS[1]) or '0', 'r', ARGV[2], 't', ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 1`;

const invalidateScript = `
redis.call('DEL', KEYS[3])
local revision = tonumber(ARGV[1])
local floor = tonumber(redis.call('GET', KEYS[4]) or '0')
if revision > floor then redis.call('SET', KEYS[4], ARGV[1], 'PX', ARGV[2]) end
local there = redis.call('HGET', KEYS[2], 'r')
if there and tonumber(there) < revision then redis.call('DEL', KEYS[2]) end
return 1`;

/** Everything is out of date; leases too, since their loads began before. */
const resetScript = `return redis.call('INCR', KEYS[1])`;

/** Makes the shared cache. */
export const createRedisCache = ({ redis, prefix, ttlMs }: RedisCacheOptions): RedisCache => {
  const epoch = `${prefix}:epoch`;
  const keysOf = (key: string): [string, string, string, string] => [
    epoch,
    `${prefix}:v:${key}`,
    `${prefix}:l:${key}`,
    `${prefix}:f:${key}`,
  ];
  return {
    async look(key) {
      const lease = randomUUID();
      const [kind, revision, text] = (await redis.eval(lookScript, 4, ...keysOf(key), lease, leaseMs)) as string[];
      if (kind === 'v' && text !== undefined) return { found: { revision: Number(revision), text } };
      return kind === 'l' ? { lease } : {};
    },
    async fill(key, lease, { revision, text }) {
      await redis.eval(fillScript, 4, ...keysOf(key), lease, revision, text, ttlMs);
    },
    async invalidate(key, revision) {
      // The floor outlasts every lease that was taken before it.
      await redis.eval(invalidateScript, 4, ...keysOf(key), revision, leaseMs * 4);
    },
    async reset() {
      await redis.eval(resetScript, 1, epoch);
    },
  };
};
