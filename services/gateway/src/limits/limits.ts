import { faults } from '@causeway/contracts';
import { addressBlock } from '@causeway/service';
import type { Logger } from '@causeway/telemetry';
import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';

import { Budget } from './budget.ts';
import { policyHeader, rateLimitHeader, retryAfterS, type Policy, type Standing } from './limit-headers.ts';
import { countRefused } from './refused.ts';

/** What limits are made of. */
export interface LimitsOptions {
  readonly redis: Redis;
  readonly logger: Logger;
  readonly windowMs: number;
  readonly perAddress: number;
  readonly perPrincipal: number;
  /** Sign-ins and sign-ups from one address in a minute. */
  readonly signIns: number;
  /** Before the keys of Redis; tests that share a server set their own. */
  readonly prefix?: string;
}

/** Headers of an answer, by lower-case name. */
export type LimitHeaders = Readonly<Record<string, string>>;

/** The limits on calls. Each gives the headers that tell a caller where it stands. */
export interface Limits {
  /** @throws Fault `too-many-requests` */
  byAddress(address: string): LimitHeaders;
  /** After {@link Limits.byAddress}. @throws Fault `too-many-requests` */
  byPrincipal(principal: string): LimitHeaders;
  /** Guessing costs: counted at once for all gateways. @throws Fault `too-many-requests` */
  signIn(address: string): Promise<LimitHeaders>;
  stop(): void;
}

const exchangeEveryMs = 100;
const signInWindowS = 60;

const headersOf = (policies: string, standing: Standing): LimitHeaders => ({
  'ratelimit-policy': policies,
  ratelimit: rateLimitHeader([standing]),
});

const admit = (policies: string, standing: Standing): LimitHeaders => {
  const headers = headersOf(policies, standing);
  if (standing.allowed) return headers;
  countRefused(standing.name);
  throw faults.tooManyRequests({
    detail: `Too many calls: try again in ${retryAfterS(standing)} s.`,
    retryAfterS: retryAfterS(standing),
    headers: { 'RateLimit-Policy': policies, RateLimit: rateLimitHeader([standing]) },
  });
};

/** Redis counts for all; where it is away, each gateway counts for itself. */
const counterIn = (redis: Redis, keyPrefix: string, points: number, durationS: number): RateLimiterRedis =>
  new RateLimiterRedis({
    storeClient: redis,
    rejectIfRedisNotReady: true,
    keyPrefix,
    points,
    duration: durationS,
    inMemoryBlockOnConsumed: points,
    insuranceLimiter: new RateLimiterMemory({ keyPrefix, points, duration: durationS }),
  });

/**
 * Makes the limits: by address and by principal, counted here and exchanged through Redis, and one of its own for guessing
 * passwords.
 *
 * @param options - numbers, and the Redis that the gateways share
 */
export const createLimits = (options: LimitsOptions): Limits => {
  const { redis, windowMs, perAddress, perPrincipal, signIns, logger, prefix = 'causeway' } = options;
  const windowS = Math.ceil(windowMs / 1000);
  const budgetOf = (name: string, limit: number): Budget =>
    new Budget({ name, limit, windowMs, shared: counterIn(redis, `${prefix}:limit:${name}`, limit, windowS) });
  const addresses = budgetOf('address', perAddress);
  const principals = budgetOf('principal', perPrincipal);
  const signInPolicy: Policy = { name: 'sign-in', limit: signIns, windowMs: signInWindowS * 1000 };
  const signInCounter = counterIn(redis, `${prefix}:limit:sign-in`, signIns, signInWindowS);
  const addressPolicy = policyHeader([addresses]);
  const callPolicies = policyHeader([addresses, principals]);
  const signInPolicies = policyHeader([addresses, signInPolicy]);

  let exchanging: Promise<unknown> | undefined;
  const timer = setInterval(() => {
    exchanging ??= Promise.all([addresses.exchange(), principals.exchange()]).finally(() => (exchanging = undefined));
  }, exchangeEveryMs).unref();

  const consumed = (key: string): Promise<RateLimiterRes> =>
    signInCounter.consume(key).catch((reason: unknown) => {
      // What it rejects with is the standing of one that is over its limit; anything else is an error.
      if (reason instanceof RateLimiterRes) return reason;
      throw reason;
    });
  return {
    byAddress: (address) => admit(addressPolicy, addresses.take(addressBlock(address))),
    byPrincipal: (principal) => admit(callPolicies, principals.take(principal)),
    signIn: async (address) => {
      const { consumedPoints, remainingPoints, msBeforeNext } = await consumed(addressBlock(address));
      // Blocked in memory it counts nothing, and leaves nothing.
      const allowed = consumedPoints > 0 && consumedPoints <= signIns;
      if (!allowed) logger.debug({ address }, 'too many sign-ins from one address');
      return admit(signInPolicies, { name: 'sign-in', allowed, remaining: remainingPoints, resetMs: msBeforeNext });
    },
    stop: () => clearInterval(timer),
  };
};
