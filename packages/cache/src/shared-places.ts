import { setTimeout as delay } from 'node:timers/promises';

import type { Redis } from 'ioredis';

import { redisScript } from './redis-script.ts';

/** What is found in Redis, or left there by who finds it elsewhere. */
export interface SharedPlaces {
  /**
   * A text, where there is one, or comes within the time that others wait at most from who is finding it.
   *
   * @returns undefined where the caller has to find it, and to say what has become of that
   */
  lookup(place: string): Promise<string | undefined>;
  /** Leaves a text for others; without one it is said that there is none to wait for. Not waited for. */
  settle(place: string, text: string | undefined): void;
}

/** What {@link createSharedPlaces} is given. */
export interface SharedPlacesOptions {
  readonly redis: Redis;
  /** How long a text is there. */
  readonly ttlMs: number;
  /** Who finds something has it to itself for so long; then others go on without. */
  readonly waitMs: number;
}

/** Between two looks, at first and at last; each up to half as much more or less, so that those who wait do not look at once. */
const [firstPauseMs, lastPauseMs] = [1, 16];

/** A place that somebody has begun to fill. */
const begun = '';
/** A place that is left unfilled. */
const left = '-';

const lookupScript = redisScript(`
local v = redis.call('GET', KEYS[1])
if v then return v end
redis.call('SET', KEYS[1], '${begun}', 'PX', ARGV[1])
return 0`);

/** Makes them. Of those who look for the same at once one finds it, and the others wait for that a little. */
export function createSharedPlaces({ redis, ttlMs, waitMs }: SharedPlacesOptions): SharedPlaces {
  const isAway = (): boolean => redis.status !== 'ready';
  const textOf = (found: unknown): string | undefined =>
    typeof found === 'string' && found !== begun && found !== left ? found : undefined;

  const look = async (place: string): Promise<string | undefined> => {
    let found = await lookupScript.run(redis, place, [waitMs]);
    let pauseMs = firstPauseMs;
    for (let waitedMs = 0; found === begun && waitedMs < waitMs; waitedMs += pauseMs) {
      pauseMs = Math.min(2 * pauseMs, lastPauseMs);
      await delay(pauseMs * (0.5 + Math.random()));
      found = await redis.get(place);
    }
    return textOf(found);
  };

  return {
    // Whoever asks a cache can go on without.
    lookup: async (place) => (isAway() ? undefined : look(place).catch(() => undefined)),
    settle(place, text) {
      if (isAway()) return;
      const set = text === undefined ? redis.set(place, left, 'PX', waitMs) : redis.set(place, text, 'PX', ttlMs);
      // The answer does not depend on it. Not there is not there.
      set.catch(() => undefined);
    },
  };
}
