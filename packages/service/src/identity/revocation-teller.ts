import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@causeway/telemetry';
import type { Redis } from 'ioredis';

import type { Ending } from './ending.ts';
import type { EndedTokens } from './ended-tokens.ts';
import { askEveryMs, type RevocationFeed } from './revocation-feed.ts';
import { pack, parseQuestion, revocationChannels, type Answer, type Question } from './revocation-messages.ts';

/** Auth's side of the feed: it tells of ends, and it answers whether they have all been told. */
export interface RevocationTeller extends RevocationFeed {
  /**
   * Takes in ends, and tells all who listen.
   *
   * @returns whether Redis took it; where not, those who listen find that something is missing, and ask
   */
  tell(endings: readonly Ending[]): Promise<boolean>;
  /** To be called where ends may have been missed: nobody is answered before everything has been read again. */
  reload(): void;
}

/** What {@link createRevocationTeller} is given. */
export interface RevocationTellerOptions {
  readonly tokens: EndedTokens;
  /** A connection of the service's; a second one, for listening, is made from it. */
  readonly redis: Redis;
  readonly logger: Logger;
  /** Before the channels; tests that share a server set their own. */
  readonly prefix?: string;
  /** Everything whose tokens may still be in date, from the database. */
  readonly load: () => AsyncIterable<Ending>;
  /**
   * Resolves when everything that had been committed before the call has been given to `tell`.
   *
   * @throws where nobody can tell
   */
  readonly settled: () => Promise<void>;
  /** Milliseconds on a clock that does not jump. */
  readonly clock?: () => number;
}

/** Ends in one message. */
const chunk = 500;
/** Who asks meanwhile is answered together. */
const leastPauseMs = 100;
/** More than there will ever be processes; who makes up names fills no memory. */
const mostListeners = 10_000;
const tellTimeoutMs = 1_000;
const sweepEveryMs = 30_000;

const chunksOf = <Item>(items: readonly Item[]): Item[][] =>
  Array.from({ length: Math.ceil(items.length / chunk) }, (_, index) =>
    items.slice(index * chunk, (index + 1) * chunk),
  );

const within = async (work: Promise<unknown>, timeoutMs: number): Promise<void> => {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`Redis did not answer within ${timeoutMs} ms`)), timeoutMs);
  await Promise.race([work, late.promise]).finally(() => clearTimeout(timer));
};

class RedisRevocationTeller implements RevocationTeller {
  readonly #options: RevocationTellerOptions;
  readonly #clock: () => number;
  readonly #id = randomUUID();
  readonly #listener: Redis;
  readonly #channels: ReturnType<typeof revocationChannels>;
  readonly #stopping = new AbortController();
  #questions = new Map<string, Question>();
  #seq = 0;
  #whole = 0;
  /** Rises with each reading of everything. */
  #reading = 0;
  #isComplete = false;
  #isAnswering = false;
  #isDue = false;
  #knownAt = Number.NEGATIVE_INFINITY;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(options: RevocationTellerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
    this.#channels = revocationChannels(options.prefix ?? 'causeway');
    this.#listener = options.redis.duplicate({ lazyConnect: true, maxRetriesPerRequest: 0 });
  }

  silenceMs(): number {
    return this.#clock() - this.#knownAt;
  }

  async start(): Promise<void> {
    const { logger, tokens } = this.#options;
    this.#listener.on('message', (_channel, message) => this.#take(parseQuestion(message)));
    this.#listener.on('error', (error) => logger.debug({ error }, 'listening for questions is interrupted'));
    this.#listener.on('ready', () => void this.#listener.subscribe(this.#channels.asked).catch(() => undefined));
    if (this.#listener.status === 'wait') this.#listener.connect().catch(() => undefined);
    this.#timers.push(
      setInterval(() => tokens.sweep(), sweepEveryMs).unref(),
      // It asks itself, too: how old is what it knows?
      setInterval(() => this.#askMyself(), askEveryMs).unref(),
    );
    await this.#read();
  }

  tell(endings: readonly Ending[]): Promise<boolean> {
    const news = endings.filter((each) => this.#options.tokens.add(each));
    const sent = chunksOf(news).map((part) => {
      this.#seq += 1;
      return this.#publish(this.#channels.told, { teller: this.#id, seq: this.#seq, ended: part.map(pack) });
    });
    return within(Promise.all(sent), tellTimeoutMs).then(
      () => true,
      (error: unknown) => {
        this.#options.logger.warn({ error }, 'Redis could not be told of revocations');
        return false;
      },
    );
  }

  reload(): void {
    void this.#read();
  }

  /** Reads everything, as often as it takes; a later reading takes the place of an earlier one. */
  async #read(): Promise<void> {
    const { load, logger } = this.#options;
    const { signal } = this.#stopping;
    this.#isComplete = false;
    this.#reading += 1;
    const reading = this.#reading;
    while (reading === this.#reading && !signal.aborted) {
      try {
        const some: Ending[] = [];
        for await (const ending of load()) {
          some.push(ending);
          if (some.length >= chunk) void this.tell(some.splice(0));
        }
        void this.tell(some);
        if (reading === this.#reading) this.#isComplete = true;
        this.#askMyself();
        return;
      } catch (error) {
        logger.error({ error }, 'what has been revoked cannot be read; it is tried again');
        await delay(200 + Math.random() * 800, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  #take(question: Question | undefined): void {
    if (question === undefined) return;
    const { listener } = question;
    const before = this.#questions.get(listener);
    if (before === undefined && this.#questions.size >= mostListeners) return;
    this.#questions.set(listener, { ...question, all: question.all || before?.all === true });
    void this.#answer();
  }

  #askMyself(): void {
    this.#isDue = true;
    void this.#answer();
  }

  async #answer(): Promise<void> {
    if (this.#isAnswering) return;
    this.#isAnswering = true;
    const { signal } = this.#stopping;
    while (this.#isComplete && !signal.aborted && (this.#isDue || this.#questions.size > 0)) {
      const questions = this.#questions;
      this.#questions = new Map();
      this.#isDue = false;
      await this.#settle([...questions.values()]);
      await delay(leastPauseMs, undefined, { signal }).catch(() => undefined);
    }
    this.#isAnswering = false;
  }

  /** Whoever gets no answer asks again. */
  async #settle(questions: readonly Question[]): Promise<void> {
    const { settled, logger } = this.#options;
    const askedAt = this.#clock();
    const reading = this.#reading;
    try {
      await settled();
    } catch (error) {
      logger.debug({ error }, 'whether everything was told is not known');
      return;
    }
    // The stream may have lost something since; what is read again is not complete yet.
    if (reading !== this.#reading || !this.#isComplete) return;
    this.#knownAt = askedAt;
    this.#send(questions);
  }

  /** All in one go: nothing is told between the parts and the answer that counts them. */
  #send(questions: readonly Question[]): void {
    const { tokens } = this.#options;
    const parts = questions.some(({ all }) => all) ? chunksOf(tokens.entries()) : [];
    this.#whole += 1;
    const messages = parts.map((part) =>
      JSON.stringify({ teller: this.#id, whole: this.#whole, ended: part.map(pack) }),
    );
    for (const { listener, question, all } of questions) {
      const channel = this.#channels.answered(listener);
      const answer: Answer = { teller: this.#id, question, upTo: this.#seq };
      const forgottenUntilMs = Math.ceil(tokens.forgottenUntilMs);
      if (all) for (const message of messages) this.#deliver(channel, message);
      const everything = { whole: this.#whole, parts: messages.length, forgottenUntilMs };
      this.#deliver(channel, JSON.stringify(all ? { ...answer, all: everything } : answer));
    }
  }

  #deliver(channel: string, message: string): void {
    this.#options.redis.publish(channel, message).catch(() => undefined);
  }

  #publish(channel: string, message: object): Promise<unknown> {
    return this.#options.redis.publish(channel, JSON.stringify(message));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const timer of this.#timers) clearInterval(timer);
    this.#listener.removeAllListeners('ready');
    this.#listener.disconnect();
    await Promise.resolve();
  }
}

/**
 * Tells all services, through Redis, of the ends that a process of auth learns of, and answers whether it has told everything: an answer goes
 * out only after the database has confirmed that nothing was committed before the question that has not been told. Every process of auth
 * tells of every end, whichever made it: one that dies between committing an end and telling it is told for by the others.
 *
 * @param options - the list, connection, and the database's word
 */
export const createRevocationTeller = (options: RevocationTellerOptions): RevocationTeller =>
  new RedisRevocationTeller(options);
