import type { Redis } from 'ioredis';

/** What {@link createAskRedis} is given. */
export interface AskRedisOptions {
  readonly redis: Pick<Redis, 'evalsha' | 'eval' | 'status'>;
  readonly logger: { warn(fields: Record<string, unknown>, message: string): void };
  /** What is counted in it, for the log. */
  readonly what: string;
  /** Milliseconds on a clock that does not jump. */
  readonly now?: () => number;
  /** Milliseconds; 250 by default: somebody waits for it, and a Redis that takes longer is as good as none. */
  readonly patienceMs?: number;
}

/** Asks Redis, as long as it answers in time. @returns undefined where it is away: then this process counts by itself */
export type AskRedis = <Reply>(work: (connection: Redis) => Promise<Reply>) => Promise<Reply | undefined>;

/** For so long nobody waits for a Redis that has not answered. */
const pauseMs = 1_000;

const inTime = <Value>(work: Promise<Value>, patienceMs: number): Promise<Value> => {
  const { promise, reject } = Promise.withResolvers<never>();
  const giveUp = (): void => reject(new Error(`Redis did not answer within ${patienceMs} ms`));
  // Where this process was what took so long, the answer is there already, and is read before anything else is decided.
  const timer = setTimeout(() => setImmediate(giveUp), patienceMs);
  return Promise.race([work, promise]).finally(() => clearTimeout(timer));
};

/** Makes what asks it. */
export function createAskRedis(options: AskRedisOptions): AskRedis {
  const { redis, logger, what, now = () => performance.now(), patienceMs = 250 } = options;
  let askAgainAt = Number.NEGATIVE_INFINITY;
  return async (work) => {
    if (redis.status !== 'ready' || now() < askAgainAt) return undefined;
    try {
      return await inTime(work(redis as Redis), patienceMs);
    } catch (error) {
      if (now() >= askAgainAt) logger.warn({ error }, `${what} are counted by this process alone for a while`);
      askAgainAt = now() + pauseMs;
      return undefined;
    }
  };
}
