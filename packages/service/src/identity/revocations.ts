import { createCounter, createGauge, type Logger } from '@causeway/telemetry';
import type { Redis } from 'ioredis';

import { EndedTokens } from './ended-tokens.ts';
import type { Ending, TokenFacts } from './ending.ts';
import { createRevocationFeed, type RevocationFeed } from './revocation-feed.ts';
import { createRevocationInquiry, type AskWhichEnded } from './revocation-inquiry.ts';

/** The tokens that have ended before they expired. */
export interface RevocationList {
  /**
   * Whether a token has ended: from memory, at once, as long as what is known is new enough; else by asking.
   *
   * @throws Fault `unavailable` where it has to be asked and nobody answers
   */
  isRevoked(token: TokenFacts): boolean | Promise<boolean>;
  /** Takes in an end that was heard of elsewhere, such as in an event. */
  learn(ending: Ending): void;
  /** Resolves when everything that has ended so far is known; without an answer after some time, for then tokens are asked about. */
  start(): Promise<void>;
  /** Whether tokens are judged from memory. */
  ready(): boolean;
  stop(): Promise<void>;
}

/** What every list is made of. */
export interface RevocationListOptions {
  readonly tokens: EndedTokens;
  /** How ends are heard of. */
  readonly feed: RevocationFeed;
  /** Asked where the feed is silent. */
  readonly ask: AskWhichEnded;
  readonly logger: Logger;
  /** For how long what is known is new enough. */
  readonly boundMs: number;
}

/**
 * Judges tokens from memory while the feed is heard; where it has been silent for longer than the bound, or something had to be forgotten,
 * each token is asked about, and refused where nobody answers.
 *
 * @param options - list, feed, whom to ask
 */
export const createRevocationList = (options: RevocationListOptions): RevocationList => {
  const { tokens, feed, ask, logger, boundMs } = options;
  const asked = createCounter('causeway.revocations.asked', {
    description: 'Tokens that were asked about, for the feed of revocations was silent.',
  });
  const inquiry = createRevocationInquiry({ ask, logger, onAsked: () => asked.add(1) });
  const madeAt = performance.now();
  createGauge(
    'causeway.revocations.silence',
    {
      description: 'Since all revocations of before are known for certain; since the start, before the first time.',
      unit: 's',
    },
    () => Math.min(feed.silenceMs(), performance.now() - madeAt) / 1000,
  );
  const isCertain = (): boolean => feed.silenceMs() <= boundMs && !tokens.isIncomplete;
  return {
    isRevoked: (token) => {
      if (tokens.has(token)) return true;
      if (isCertain()) return false;
      // What was heard of meanwhile counts more than an older answer.
      return inquiry.hasEnded(token).then((hasEnded) => hasEnded || tokens.has(token));
    },
    learn: (ending) => void tokens.add(ending),
    start: () => feed.start(),
    ready: isCertain,
    stop: () => feed.stop(),
  };
};

/** What {@link createRevocations} is given. */
export interface RevocationsOptions extends Pick<RevocationListOptions, 'ask' | 'logger' | 'boundMs'> {
  /** A connection of the service's; a second one, for listening, is made from it. */
  readonly redis: Redis;
  /** Before the channels; tests that share a server set their own. */
  readonly prefix?: string;
  /** How long the start waits for what has ended before. */
  readonly patienceMs?: number;
  /** Most ends that are kept. */
  readonly limit?: number;
}

const sweepEveryMs = 30_000;

/**
 * The tokens that have ended, for every service but auth: told through Redis.
 *
 * @param options - connection, whom to ask, for how long silence is borne
 */
export const createRevocations = (options: RevocationsOptions): RevocationList => {
  const { redis, logger, prefix, patienceMs, limit, ...rest } = options;
  const tokens = new EndedTokens(limit === undefined ? {} : { limit });
  const feed = createRevocationFeed({
    ...{ tokens, redis, logger },
    ...(prefix !== undefined && { prefix }),
    ...(patienceMs !== undefined && { patienceMs }),
  });
  const list = createRevocationList({ tokens, feed, logger, ...rest });
  let sweeper: NodeJS.Timeout | undefined;
  return {
    ...list,
    start: async () => {
      sweeper ??= setInterval(() => tokens.sweep(), sweepEveryMs).unref();
      await list.start();
    },
    stop: async () => {
      clearInterval(sweeper);
      await list.stop();
    },
  };
};
