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
  redis.on('error', (error) => {
    if (!lost) options.logger.warn({ error }, 'Redis is away');
    lost = true;
  });
  redis.on('ready', () => {
    if (lost) options.logger.info('Redis is back');
    lost = false;
  });
  return redis;
};
