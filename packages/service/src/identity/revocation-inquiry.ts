import { faults } from '@causeway/contracts';
import type { Logger } from '@causeway/telemetry';

import type { TokenFacts } from './ending.ts';
import { ExpiringCache } from './expiring-cache.ts';

/**
 * Asks auth which tokens have ended, by its database.
 *
 * @param signal - aborted when an answer would come too late
 * @returns for each token whether it has ended
 * @throws where there is no answer
 */
export type AskWhichEnded = (tokens: readonly TokenFacts[], signal: AbortSignal) => Promise<readonly boolean[]>;

/** Asks about a token whose fate is not known here. */
export interface RevocationInquiry {
  /**
   * @returns whether it has ended
   * @throws Fault `unavailable` where nobody answers: a token that may have ended is not taken
   */
  hasEnded(token: TokenFacts): Promise<boolean>;
}

/** What {@link createRevocationInquiry} is given. */
export interface RevocationInquiryOptions {
  readonly ask: AskWhichEnded;
  readonly logger: Logger;
  /** Milliseconds on a clock that does not jump. */
  readonly clock?: () => number;
  /** Called once for each token that is asked about. */
  readonly onAsked?: () => void;
}

/** Most tokens in one call. */
export const inquiryLimit = 500;
/** Questions of one moment are asked together. */
const gatherMs = 2;
const timeoutMs = 1_000;
/** An answer serves for so long, counted from when it was asked for: as long as an end may take to be heard of. */
const answerServesMs = 1_000;
const answersKept = 20_000;
/** After a failure nobody asks for so long: what is broken is not flooded as well. */
const restMs = 250;
/** More are refused at once. */
const mostWaiting = 20_000;

interface Waiting {
  readonly token: TokenFacts;
  readonly answer: PromiseWithResolvers<boolean>;
}

const unanswered = (message: string, cause?: unknown) => faults.unavailable({ retryAfterS: 1, message, cause });

const keyOf = ({ sid, sub, accountVersion = 0 }: TokenFacts): string => JSON.stringify([sid, sub, accountVersion]);

class GatheredInquiry implements RevocationInquiry {
  readonly #options: RevocationInquiryOptions;
  readonly #clock: () => number;
  readonly #answers: ExpiringCache<boolean>;
  /** By token, whether gathered or on the way. */
  readonly #waiting = new Map<string, Waiting>();
  #gathered: Waiting[] = [];
  #restsUntil = Number.NEGATIVE_INFINITY;

  constructor(options: RevocationInquiryOptions) {
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
    this.#answers = new ExpiringCache(answersKept, this.#clock);
  }

  async hasEnded(token: TokenFacts): Promise<boolean> {
    const key = keyOf(token);
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const asked = this.#waiting.get(key);
    if (asked !== undefined) return asked.answer.promise;
    if (this.#clock() < this.#restsUntil) throw unanswered('which tokens have ended could not be asked just now');
    if (this.#waiting.size >= mostWaiting) throw unanswered('too many wait to hear whether their token has ended');
    return this.#gather(key, { token, answer: Promise.withResolvers<boolean>() });
  }

  #gather(key: string, waiting: Waiting): Promise<boolean> {
    this.#waiting.set(key, waiting);
    this.#options.onAsked?.();
    if (this.#gathered.length === 0) setTimeout(() => void this.#ask(), gatherMs);
    this.#gathered.push(waiting);
    return waiting.answer.promise;
  }

  async #ask(): Promise<void> {
    const asked = this.#gathered;
    this.#gathered = [];
    const calls = Array.from({ length: Math.ceil(asked.length / inquiryLimit) }, (_, index) =>
      this.#call(asked.slice(index * inquiryLimit, (index + 1) * inquiryLimit)),
    );
    await Promise.all(calls);
  }

  async #call(asked: readonly Waiting[]): Promise<void> {
    const askedAt = this.#clock();
    try {
      const answers = await this.#answered(asked.map(({ token }) => token));
      for (const [index, { token, answer }] of asked.entries()) {
        const hasEnded = answers[index] ?? true;
        this.#answers.set(keyOf(token), hasEnded, askedAt + answerServesMs);
        answer.resolve(hasEnded);
      }
    } catch (error) {
      this.#restsUntil = this.#clock() + restMs;
      this.#options.logger.warn({ error }, 'nobody says which tokens have ended: they are refused until somebody does');
      for (const { answer } of asked) answer.reject(unanswered('nobody said whether the token has ended', error));
    } finally {
      for (const { token } of asked) this.#waiting.delete(keyOf(token));
    }
  }

  /** Whatever keeps it busy, it does not wait longer. */
  async #answered(tokens: readonly TokenFacts[]): Promise<readonly boolean[]> {
    const stopping = new AbortController();
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const error = new Error(`no answer within ${timeoutMs} ms`);
      stopping.abort(error);
      late.reject(error);
    }, timeoutMs);
    try {
      return await Promise.race([this.#options.ask(tokens, stopping.signal), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * Asks which tokens have ended, where that is not known in memory: those of one moment in one call, the same token once, and an answer
 * serves for a second.
 *
 * @param options - whom to ask
 */
export const createRevocationInquiry = (options: RevocationInquiryOptions): RevocationInquiry =>
  new GatheredInquiry(options);
