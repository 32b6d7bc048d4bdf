import type { Logger } from '@causeway/telemetry';
import type { Redis } from 'ioredis';

/** Sessions that have ended while tokens of theirs are still in date. */
export interface RevocationList {
  /** Whether the session has ended. */
  isRevoked(sid: string): boolean;
  /**
   * Takes in an end that was heard of elsewhere, such as in an event.
   *
   * @param untilMs - since 1970: when the session's last token has expired
   */
  learn(sid: string, untilMs: number): void;
  /** Resolves when the ends that Redis knows have been read. */
  start(): Promise<void>;
  ready(): boolean;
  stop(): Promise<void>;
}

/** The list with its writing side, for auth. */
export interface Revocations extends RevocationList {
  /**
   * Ends a session everywhere: here at once, elsewhere as soon as Redis has passed it on.
   *
   * @param untilMs - since 1970: when the session's last token has expired
   * @returns whether Redis took it; where not, the session's event tells the others
   */
  revoke(sid: string, untilMs: number): Promise<boolean>;
}

/** What revocations are made of. */
export interface RevocationsOptions {
  /** A connection of the service's; a second one, for listening, is made from it. */
  readonly redis: Redis;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Most sessions that are kept; beyond, those that end soonest go. */
  readonly limit?: number;
  /** Before keys and channel; tests that share a server set their own. */
  readonly prefix?: string;
}

const scanCount = 500;
const sweepEveryMs = 30_000;
const commandTimeoutMs = 1_000;

interface Ended {
  readonly sid: string;
  readonly untilMs: number;
}

const parseMessage = (message: string): Ended | undefined => {
  try {
    const { sid, untilMs } = JSON.parse(message) as Partial<Ended>;
    return typeof sid === 'string' && typeof untilMs === 'number' ? { sid, untilMs } : undefined;
  } catch {
    return undefined;
  }
};

const within = <Value>(work: Promise<Value>, timeoutMs: number): Promise<Value> => {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`Redis did not answer within ${timeoutMs} ms`)), timeoutMs);
  return Promise.race([work, promise]).finally(() => clearTimeout(timer));
};

class EndedSessions {
  readonly #until = new Map<string, number>();
  readonly #now: () => number;
  readonly #limit: number;

  constructor(now: () => number, limit: number) {
    this.#now = now;
    this.#limit = limit;
  }

  has(sid: string): boolean {
    const untilMs = this.#until.get(sid);
    return untilMs !== undefined && untilMs > this.#now();
  }

  add(sid: string, untilMs: number): void {
    if (untilMs <= this.#now() || untilMs <= (this.#until.get(sid) ?? 0)) return;
    this.#until.set(sid, untilMs);
    if (this.#until.size > this.#limit) this.#forgetSoonest();
  }

  sweep(): void {
    for (const [sid, untilMs] of this.#until) if (untilMs <= this.#now()) this.#until.delete(sid);
  }

  entries(): readonly Ended[] {
    return [...this.#until].map(([sid, untilMs]) => ({ sid, untilMs }));
  }

  #forgetSoonest(): void {
    this.sweep();
    const soonest = this.entries().toSorted((a, b) => a.untilMs - b.untilMs);
    for (const { sid } of soonest.slice(0, this.#until.size - Math.floor(this.#limit * 0.9))) this.#until.delete(sid);
  }
}

class RedisRevocations implements Revocations {
  readonly #redis: Redis;
  readonly #listener: Redis;
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #ended: EndedSessions;
  readonly #prefix: string;
  readonly #loaded = Promise.withResolvers<undefined>();
  #isLoaded = false;
  #sweeper: NodeJS.Timeout | undefined;

  constructor(options: RevocationsOptions) {
    this.#redis = options.redis;
    this.#logger = options.logger;
    this.#now = options.now ?? Date.now;
    this.#ended = new EndedSessions(this.#now, options.limit ?? 200_000);
    this.#prefix = options.prefix ?? 'causeway';
    // Commands wait for no answer of a connection that is lost: each new connection subscribes and loads again.
    this.#listener = options.redis.duplicate({ lazyConnect: true, autoResubscribe: false, maxRetriesPerRequest: 0 });
  }

  get #channel(): string {
    return `${this.#prefix}:revocations`;
  }

  #key(sid: string): string {
    return `${this.#prefix}:revoked:${sid}`;
  }

  isRevoked(sid: string): boolean {
    return this.#ended.has(sid);
  }

  learn(sid: string, untilMs: number): void {
    this.#ended.add(sid, untilMs);
  }

  ready(): boolean {
    return this.#isLoaded;
  }

  async revoke(sid: string, untilMs: number): Promise<boolean> {
    this.learn(sid, untilMs);
    try {
      await within(this.#write({ sid, untilMs }, true), commandTimeoutMs);
      return true;
    } catch (error) {
      this.#logger.warn({ error, sessionId: sid }, 'Redis could not be told that a session has ended');
      return false;
    }
  }

  async #write({ sid, untilMs }: Ended, tell: boolean): Promise<void> {
    const restMs = Math.ceil(untilMs - this.#now());
    if (restMs <= 0) return;
    const commands = this.#redis.multi().set(this.#key(sid), String(untilMs), 'PX', restMs);
    if (tell) commands.publish(this.#channel, JSON.stringify({ sid, untilMs }));
    await commands.exec();
  }

  async start(): Promise<void> {
    this.#listener.on('message', (_channel, message) => {
      const ended = parseMessage(message);
      if (ended !== undefined) this.learn(ended.sid, ended.untilMs);
    });
    this.#listener.on('error', (error) => this.#logger.debug({ error }, 'listening for ended sessions is interrupted'));
    this.#listener.on('ready', () => void this.#catchUp());
    this.#sweeper = setInterval(() => this.#ended.sweep(), sweepEveryMs).unref();
    if (this.#listener.status === 'wait') await this.#listener.connect().catch(() => undefined);
    await this.#loaded.promise;
  }

  /** Subscribes first, then reads what was there before: nothing falls between the two. */
  async #catchUp(): Promise<void> {
    try {
      await this.#listener.subscribe(this.#channel);
      await this.#load();
      await this.#restore();
      this.#isLoaded = true;
      this.#loaded.resolve(undefined);
    } catch (error) {
      this.#logger.warn({ error }, 'ended sessions could not be read from Redis');
      // A new connection is a new attempt, after ioredis' own growing pause.
      this.#listener.disconnect(true);
    }
  }

  async #load(): Promise<void> {
    let cursor = '0';
    do {
      const [next, keys] = await within(
        this.#redis.scan(cursor, 'MATCH', this.#key('*'), 'COUNT', scanCount),
        commandTimeoutMs,
      );
      const values = keys.length === 0 ? [] : await within(this.#redis.mget(keys), commandTimeoutMs);
      for (const [index, key] of keys.entries()) this.learn(key.slice(this.#key('').length), Number(values[index]));
      cursor = next;
    } while (cursor !== '0');
  }

  /** A Redis that came back empty is told what is known here, so that those who start later learn it too. */
  async #restore(): Promise<void> {
    for (const ended of this.#ended.entries()) await within(this.#write(ended, false), commandTimeoutMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#sweeper);
    this.#listener.removeAllListeners('ready');
    this.#listener.disconnect();
    await Promise.resolve();
  }
}

/**
 * The sessions that have ended, shared through Redis: a key each, as long as their tokens could live, for those who start
 * later, and a message for those who run. Asked in memory only. While Redis is away what is known stays known, and what
 * happens meanwhile comes through events ({@link RevocationList.learn}).
 *
 * @param options - connection, logger, clock
 */
export const createRevocations = (options: RevocationsOptions): Revocations => new RedisRevocations(options);
