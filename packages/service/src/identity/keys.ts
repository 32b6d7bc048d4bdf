import { faults } from '@causeway/contracts';
import type { Logger } from '@causeway/telemetry';
import {
  createLocalJWKSet,
  errors,
  type CryptoKey,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
} from 'jose';
import { request } from 'undici';

/** Finds the public key that a token names. */
export interface KeySource {
  /**
   * @throws jose's `JWKSNoMatchingKey` where there is none; Fault `unavailable` where the keys cannot be had
   */
  readonly find: (header: JWSHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey>;
  /** Resolves when keys are there; tries again, with a growing pause, until aborted. */
  readonly start: (signal: AbortSignal) => Promise<void>;
  readonly ready: () => boolean;
}

/** What a remote key source is made of. */
export interface RemoteKeysOptions {
  /** Where the JWKS is (RFC 7517). */
  readonly url: string;
  readonly logger: Logger;
  /** Least time between two fetches: what an attacker with invented key ids may cost. */
  readonly cooldownMs?: number;
  /** Keys older than this are fetched anew, in the background, so that a withdrawn key goes out of use. */
  readonly maxAgeMs?: number;
  /** Milliseconds on any clock that does not jump. */
  readonly now?: () => number;
  /** Instead of an HTTP request, for tests. */
  readonly fetchKeys?: () => Promise<JSONWebKeySet>;
}

type Resolver = ReturnType<typeof createLocalJWKSet>;

const fetchTimeoutMs = 3_000;
const largestKeySetBytes = 65_536;
const firstPauseMs = 100;
const longestPauseMs = 5_000;

const fetchJwks = async (url: string): Promise<JSONWebKeySet> => {
  const { statusCode, body } = await request(url, {
    headersTimeout: fetchTimeoutMs,
    bodyTimeout: fetchTimeoutMs,
    signal: AbortSignal.timeout(fetchTimeoutMs),
  });
  const text = await body.text();
  if (statusCode !== 200) throw new Error(`${url} answered with ${statusCode}`);
  if (text.length > largestKeySetBytes) throw new Error(`${url} answered with more than ${largestKeySetBytes} bytes`);
  return JSON.parse(text) as JSONWebKeySet;
};

/** Half the pause and a random half on top: replicas that start together do not ask together. */
const jittered = (pauseMs: number): number => pauseMs / 2 + (Math.random() * pauseMs) / 2;

const pause = (ms: number, signal: AbortSignal): Promise<void> => {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const stop = (): void => {
    clearTimeout(timer);
    reject(signal.reason as Error);
  };
  const timer = setTimeout(() => {
    signal.removeEventListener('abort', stop);
    resolve(undefined);
  }, ms);
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  return promise;
};

class RemoteKeys {
  readonly #options: Required<Pick<RemoteKeysOptions, 'cooldownMs' | 'maxAgeMs' | 'now' | 'fetchKeys'>>;
  readonly #logger: Logger;
  #resolver: Resolver | undefined;
  #triedAt = -Infinity;
  #fetchedAt = -Infinity;
  #failed = false;
  #running: Promise<void> | undefined;

  constructor(options: RemoteKeysOptions) {
    const { url, cooldownMs = 30_000, maxAgeMs = 600_000, now = () => performance.now() } = options;
    this.#options = { cooldownMs, maxAgeMs, now, fetchKeys: options.fetchKeys ?? (() => fetchJwks(url)) };
    this.#logger = options.logger;
  }

  get ready(): boolean {
    return this.#resolver !== undefined;
  }

  /** One fetch at a time; whoever comes meanwhile waits for it. */
  fetch(): Promise<void> {
    this.#running ??= this.#fetchOnce().finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #fetchOnce(): Promise<void> {
    const { now, fetchKeys } = this.#options;
    this.#triedAt = now();
    try {
      this.#resolver = createLocalJWKSet(await fetchKeys());
      this.#fetchedAt = now();
      this.#failed = false;
    } catch (error) {
      this.#failed = true;
      throw error;
    }
  }

  #refreshIfOld(): void {
    const { now, maxAgeMs, cooldownMs } = this.#options;
    if (now() - this.#fetchedAt < maxAgeMs || now() - this.#triedAt < cooldownMs) return;
    this.fetch().catch((error: unknown) => this.#logger.warn({ error }, 'the token keys could not be refreshed'));
  }

  async find(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    this.#refreshIfOld();
    if (this.#resolver !== undefined) {
      try {
        return await this.#resolver(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      }
    }
    await this.#fetchForUnknownKey();
    if (this.#resolver === undefined) throw faults.unavailable({ message: 'the token keys have not been fetched' });
    return this.#resolver(header, token);
  }

  /** A key that is not there may be new, but not twice within the cooldown. */
  async #fetchForUnknownKey(): Promise<void> {
    const { now, cooldownMs } = this.#options;
    // Before the first success there is nothing to fall back to: a shorter pause, but a pause.
    const least = this.#failed ? Math.min(cooldownMs, 1_000) : cooldownMs;
    if (this.#running === undefined && now() - this.#triedAt < least) return;
    try {
      await this.fetch();
    } catch (error) {
      throw faults.unavailable({ message: 'the token keys cannot be fetched', cause: error });
    }
  }

  async start(signal: AbortSignal): Promise<void> {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      signal.throwIfAborted();
      try {
        await this.fetch();
        return;
      } catch (error) {
        this.#logger.warn({ error }, 'the token keys cannot be fetched yet');
        await pause(jittered(pauseMs), signal);
      }
    }
  }
}

/**
 * Keys fetched from auth, kept, and fetched again for a key id that is not known: at most once per cooldown, however many
 * tokens ask. Known keys serve on while auth is away.
 *
 * @param options - URL, cooldown, clock
 */
export const remoteKeys = (options: RemoteKeysOptions): KeySource => {
  const keys = new RemoteKeys(options);
  return {
    find: (header, token) => keys.find(header, token),
    start: (signal) => keys.start(signal),
    ready: () => keys.ready,
  };
};

/**
 * Keys that this process has itself: auth's.
 *
 * @param current - the key set as it is now; a new object where it has changed
 */
export const localKeys = (current: () => JSONWebKeySet): KeySource => {
  let made: { readonly from: JSONWebKeySet; readonly resolver: Resolver } | undefined;
  return {
    find: (header, token) => {
      const from = current();
      if (made?.from !== from) made = { from, resolver: createLocalJWKSet(from) };
      return made.resolver(header, token);
    },
    start: () => Promise.resolve(),
    ready: () => true,
  };
};
