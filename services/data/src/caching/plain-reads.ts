import type { VersionedCache } from '@causeway/cache';
import { createAskedBefore, createSharedReads } from '@causeway/cache';
import type { Timestamp } from 'mongodb';

import type { FoundPage, KeptPage } from './page-cache.ts';

/** How far this process has heard, and the version of what is read. */
export interface KnownPlace {
  readonly position: Timestamp;
  readonly version: string;
}

/** The two ways to find a page in MongoDB. */
export interface PageFinds {
  /** As it is. */
  readonly find: () => Promise<FoundPage>;
  /** Nothing older than a position, so that it may be kept. */
  readonly load: (notBefore: Timestamp) => Promise<KeptPage>;
}

/** Pages for those who have not said what they have seen. */
export interface PlainReads {
  /**
   * A page that shows all that was acknowledged, by whichever process, before the call.
   *
   * @param now - how far this process has heard; undefined where it may be missing something
   */
  read(name: string, now: () => KnownPlace | undefined, finds: PageFinds): Promise<FoundPage | KeptPage>;
}

/** What {@link createPlainReads} is given. */
export interface PlainReadsOptions {
  readonly cache: Pick<VersionedCache<KeptPage>, 'has' | 'peek' | 'keep'>;
  /** Of the process's commit stream. */
  readonly settled: (withinMs: number) => Promise<void>;
  readonly logger: { warn(fields: Record<string, unknown>, message: string): void };
  /** Monotonic milliseconds. */
  readonly clock?: () => number;
}

/**
 * A mark in the order of commits takes about as much work as a page or two, and a write to the disk: nobody waits for one where fewer ask at
 * once, nor have for a while.
 */
const worthFrom = 4;
const busyMs = 100;
/** Where the commit stream is further behind, MongoDB is quicker; and it is not asked again for a while. */
const patienceMs = 250;
const restMs = 5_000;
/** Pages that were asked for are remembered: who is the second to ask has it kept. */
const maxRemembered = 20_000;

/**
 * Makes it. Whether a page that is kept is still as it should be can only be told by what has been committed until now: those who ask while
 * others do wait together until the commit stream has brought a mark that was written after they asked, and then look at what is kept. It
 * need not be known what anybody has seen, nor by which way.
 */
export function createPlainReads({
  cache,
  settled,
  logger,
  clock = () => performance.now(),
}: PlainReadsOptions): PlainReads {
  const shared = createSharedReads<FoundPage | KeptPage>();
  const askedBefore = createAskedBefore(maxRemembered);
  let asking = 0;
  let busyUntil = Number.NEGATIVE_INFINITY;
  let restUntil = Number.NEGATIVE_INFINITY;

  const find = (name: string, now: () => KnownPlace | undefined, { find, load }: PageFinds) =>
    shared(name, async () => {
      const place = now();
      const isAskedAgain = askedBefore(name);
      if (place === undefined || !isAskedAgain) return find();
      const page = await load(place.position);
      cache.keep(name, place.version, page);
      return page;
    });

  const isWorthIt = (): boolean => {
    const at = clock();
    if (asking >= worthFrom) busyUntil = at + busyMs;
    return at < busyUntil && at >= restUntil;
  };

  /** Whether the commit stream has told of all that was committed before the call. */
  const isSettled = async (): Promise<boolean> => {
    try {
      await settled(patienceMs);
      return true;
    } catch (error) {
      restUntil = clock() + restMs;
      logger.warn({ error, restMs }, 'lists are read from MongoDB: what is kept could not be checked');
      return false;
    }
  };

  return {
    async read(name, now, finds) {
      const place = now();
      if (place === undefined || !cache.has(name, place.version)) return find(name, now, finds);
      asking += 1;
      try {
        if (isWorthIt() && (await isSettled())) {
          const settledAt = now();
          const kept = settledAt && cache.peek(name, settledAt.version);
          if (kept !== undefined) return kept;
        }
        return await find(name, now, finds);
      } finally {
        asking -= 1;
      }
    },
  };
}
