import { randomUUID } from 'node:crypto';
import type { Logger } from '@causeway/telemetry';
import type { Redis } from 'ioredis';

import type { EndedTokens } from './ended-tokens.ts';
import {
  parseTold,
  parseToListener,
  revocationChannels,
  unpack,
  type Answer,
  type Part,
  type Told,
} from './revocation-messages.ts';

/** How a process comes to know of ends. */
export interface RevocationFeed {
  /** Resolves when everything that has ended so far is known, or after some time without an answer. */
  start(): Promise<void>;
  /** Milliseconds since the latest moment of which is certain that everything that was committed before is known; `Infinity` before the first. */
  silenceMs(): number;
  stop(): Promise<void>;
}

/** What {@link createRevocationFeed} is given. */
export interface RevocationFeedOptions {
  /** Takes in what is heard. */
  readonly tokens: EndedTokens;
  /** A connection of the service's; a second one, for listening, is made from it. */
  readonly redis: Redis;
  readonly logger: Logger;
  /** Before the channels; tests that share a server set their own. */
  readonly prefix?: string;
  /** How long the start waits for a first answer. */
  readonly patienceMs?: number;
  /** Milliseconds on a clock that does not jump. */
  readonly clock?: () => number;
}

/** How often is asked whether everything has been heard. */
export const askEveryMs = 1_000;
/** Least time between two questions. */
const leastPauseMs = 200;
const defaultPatienceMs = 5_000;
/** Questions that an answer is still taken for. */
const openQuestions = 16;
/** Tellers come and go; those that have told nothing for so long have gone. */
const tellerGoneMs = 60_000;

interface Teller {
  /** Everything that it has told up to here has been heard. */
  seen: number;
  heardAt: number;
}

class RedisRevocationFeed implements RevocationFeed {
  readonly #options: RevocationFeedOptions;
  readonly #clock: () => number;
  readonly #id = randomUUID();
  readonly #listener: Redis;
  readonly #channels: ReturnType<typeof revocationChannels>;
  /** When each open question was asked. */
  readonly #questions = new Map<number, number>();
  /** Whom we have heard without a gap. */
  readonly #tellers = new Map<string, Teller>();
  readonly #parts = new Map<string, { whole: number; count: number }>();
  readonly #heard = Promise.withResolvers<undefined>();
  #question = 0;
  #askedAt = Number.NEGATIVE_INFINITY;
  #knownAt = Number.NEGATIVE_INFINITY;
  #isSubscribed = false;
  #wantsAll = true;
  #timer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;

  constructor(options: RevocationFeedOptions) {
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
    this.#channels = revocationChannels(options.prefix ?? 'causeway');
    // Commands wait for no answer of a connection that is lost: each new connection subscribes and asks again.
    this.#listener = options.redis.duplicate({ lazyConnect: true, autoResubscribe: false, maxRetriesPerRequest: 0 });
  }

  silenceMs(): number {
    return this.#clock() - this.#knownAt;
  }

  async start(): Promise<void> {
    this.#listener.on('message', (channel, message) => {
      if (channel === this.#channels.told) this.#hear(parseTold(message));
      else this.#takeAnswer(parseToListener(message));
    });
    const { logger, patienceMs = defaultPatienceMs } = this.#options;
    this.#listener.on('error', (error) => logger.debug({ error }, 'listening for revocations is interrupted'));
    this.#listener.on('close', () => (this.#isSubscribed = false));
    this.#listener.on('ready', () => void this.#subscribe());
    this.#timer = setInterval(() => this.#ask(), askEveryMs).unref();
    if (this.#listener.status === 'wait') this.#listener.connect().catch(() => undefined);
    const late = setTimeout(() => this.#heard.resolve(undefined), patienceMs);
    await this.#heard.promise;
    clearTimeout(late);
  }

  async #subscribe(): Promise<void> {
    try {
      await this.#listener.subscribe(this.#channels.told, this.#channels.answered(this.#id));
      this.#isSubscribed = true;
      this.#wantsAll = true;
      this.#ask();
    } catch (error) {
      this.#options.logger.warn({ error }, 'revocations cannot be listened for');
      // A new connection is a new attempt, after ioredis' own growing pause.
      this.#listener.disconnect(true);
    }
  }

  #ask(): void {
    if (!this.#isSubscribed) return;
    clearTimeout(this.#soon);
    this.#soon = undefined;
    const at = this.#clock();
    this.#askedAt = at;
    this.#question += 1;
    this.#questions.set(this.#question, at);
    this.#questions.delete(this.#question - openQuestions);
    for (const [teller, { heardAt }] of this.#tellers) if (at - heardAt > tellerGoneMs) this.#tellers.delete(teller);
    const all = this.#wantsAll || this.#tellers.size === 0;
    this.#wantsAll = false;
    const message = JSON.stringify({ listener: this.#id, question: this.#question, all });
    // An answer that does not come says enough.
    this.#options.redis.publish(this.#channels.asked, message).catch(() => undefined);
  }

  #askForAll(): void {
    this.#wantsAll = true;
    const restMs = this.#askedAt + leastPauseMs - this.#clock();
    this.#soon ??= setTimeout(() => this.#ask(), Math.max(0, restMs)).unref();
  }

  #hear(message: Told | undefined): void {
    if (message === undefined) return;
    for (const each of message.ended) this.#options.tokens.add(unpack(each));
    const teller = this.#tellers.get(message.teller);
    if (teller === undefined) return;
    if (message.seq > teller.seen + 1) this.#tellers.delete(message.teller);
    else teller.seen = Math.max(teller.seen, message.seq);
  }

  #takeAnswer(message: Part | Answer | undefined): void {
    if (message === undefined) return;
    if ('ended' in message) this.#takePart(message);
    else this.#judge(message);
  }

  #takePart({ teller, whole, ended }: Part): void {
    for (const each of ended) this.#options.tokens.add(unpack(each));
    const before = this.#parts.get(teller);
    this.#parts.set(teller, { whole, count: before?.whole === whole ? before.count + 1 : 1 });
  }

  #judge({ teller, question, upTo, all }: Answer): void {
    const askedAt = this.#questions.get(question);
    if (askedAt === undefined) return;
    if (all !== undefined) {
      const parts = this.#parts.get(teller);
      this.#parts.delete(teller);
      const isWhole = all.parts === 0 || (parts?.whole === all.whole && parts.count === all.parts);
      if (isWhole) {
        this.#options.tokens.forget(all.forgottenUntilMs);
        this.#tellers.set(teller, { seen: Math.max(upTo, this.#tellers.get(teller)?.seen ?? 0), heardAt: askedAt });
      }
    }
    const heard = this.#tellers.get(teller);
    // Something that it has told is missing, or it was there before we were.
    if (heard === undefined || heard.seen < upTo) {
      this.#tellers.delete(teller);
      this.#askForAll();
      return;
    }
    heard.heardAt = this.#clock();
    this.#knownAt = Math.max(this.#knownAt, askedAt);
    this.#heard.resolve(undefined);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    clearTimeout(this.#soon);
    this.#heard.resolve(undefined);
    this.#isSubscribed = false;
    this.#listener.removeAllListeners('ready');
    this.#listener.disconnect();
    await Promise.resolve();
  }
}

/**
 * Hears of ends through Redis, from whichever process of auth tells them, and knows how old that knowledge is: once a second it asks whether
 * it has heard everything, and an answer counts from when *the question* was asked, on this process's own clock. So neither a clock that is
 * wrong, nor a process that stood still, nor an answer that was long on its way makes old knowledge pass for new.
 *
 * Redis may lose any message: each teller numbers what it tells, and who finds a number missing asks for everything.
 *
 * @param options - the list, connection, logger
 */
export const createRevocationFeed = (options: RevocationFeedOptions): RevocationFeed =>
  new RedisRevocationFeed(options);
