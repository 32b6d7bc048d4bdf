import { createHash } from 'node:crypto';

import type { Redis } from 'ioredis';

/** A Lua script over one key. */
export interface RedisScript {
  /** By its hash, and whole only where Redis does not know it, as after a restart: then it comes after what was sent meanwhile. */
  run(redis: Redis, key: string, args: readonly (string | number)[]): Promise<unknown>;
  /** Whole, so that it is carried out before whatever is sent on this connection afterwards. */
  inOrder(redis: Redis, key: string, args: readonly (string | number)[]): Promise<unknown>;
}

const isUnknownScript = (error: unknown): boolean => error instanceof Error && error.message.startsWith('NOSCRIPT');

/**
 * Makes a script.
 *
 * @param lua - uses `KEYS[1]` and `ARGV`
 */
export function redisScript(lua: string): RedisScript {
  const sha = createHash('sha1').update(lua).digest('hex');
  return {
    inOrder: (redis, key, args) => redis.eval(lua, 1, key, ...args),
    async run(redis, key, args) {
      try {
        return await redis.evalsha(sha, 1, key, ...args);
      } catch (error) {
        if (!isUnknownScript(error)) throw error;
        return await redis.eval(lua, 1, key, ...args);
      }
    },
  };
}
