import type { Logger } from '@causeway/telemetry';
import { Redis } from 'ioredis';

/** What a connection to Redis is made of. */
export interface RedisOptions {
  readonly url: string;
  /** Seen in `CLIENT LIST`. */
  readonly name: string;
  readonly logger: Logger;
}

const longestPauseMs = 2_000;

/** Drops first what would end first anyway: caches before what is counted against guesses. */
const policy = 'volatile-ttl';

/**
 * Says what of a Redis's memory is not as it should be (docs/redis.md).
 *
 * @param info - its `INFO memory`
 * @returns undefined where it is right, or does not say
 */
export const memoryFault = (info: string): string | undefined => {
  const valueOf = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\\r?$`, 'mu').exec(info)?.[1];
  const [limit, found] = [valueOf('maxmemory'), valueOf('maxmemory_policy')];
  if (limit === undefined || found === undefined) return undefined;
  if (limit === '0') return `Redis has no maxmemory: set one, and maxmemory-policy ${policy}`;
  return found === policy ? undefined : `Redis has the maxmemory-policy ${found}: set ${policy}`;
};

/**
 * A connection to Redis that comes back by itself, after a growing, random pause. A command fails within two seconds
 * instead of waiting for a server that is away: whoever asks a cache can go on without.
 *
 * @param options - URL, name, logger
 */
export const connectRedis = (options: RedisOptions): Redis => {
  const redis = new Redis(options.url, {
    connectionName: options.name,
    connectTimeout: 2_000,
    commandTimeout: 2_000,
    maxRetriesPerRequest: 1,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 8), longestPauseMs) * (0.5 + Math.random() / 2),
  });
  // ioredis says every failed attempt; one line for each outage is enough.
  let lost = false;
  let told = false;
  const tellOfMemory = async (): Promise<void> => {
    const fault = memoryFault(await redis.info('memory'));
    if (fault !== undefined && !told) options.logger.warn(fault);
    told ||= fault !== undefined;
  };
  redis.on('error', (error) => {
    if (!lost) options.logger.warn({ error }, 'Redis is away');
    lost = true;
  });
  redis.on('ready', () => {
    if (lost) options.logger.info('Redis is back');
    lost = false;
    // Who may not ask, or is cut off meanwhile, is not told.
    tellOfMemory().catch(() => undefined);
  });
  return redis;
};
