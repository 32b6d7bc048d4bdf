import { setTimeout as delay } from 'node:timers/promises';

import { createDurationHistogram } from '@causeway/telemetry';

/** What {@link createSharedMarks} is given. */
export interface SharedMarksOptions {
  /** Of the process's commit stream: resolves when that has brought a mark that is written after the call. */
  readonly settled: (withinMs: number) => Promise<void>;
  /** Whether the commit stream is at work: where it is not, no mark would come. */
  readonly isFollowing: () => boolean;
  readonly logger: { warn(fields: Record<string, unknown>, message: string): void };
  /** Monotonic milliseconds. */
  readonly clock?: () => number;
}

/** Has those who ask for what is kept wait together until it can be told whether that is still right, where this is better than to read it. */
export interface SharedMarks {
  /**
   * Asked by each whose page is kept.
   *
   * @returns true once this process has heard of all that was acknowledged, by whichever process, before the call; false where MongoDB is to be read
   */
  pass(): Promise<boolean>;
  /** How long it took to read a page. */
  found(ms: number): void;
}

/** Marks of a process begin at least so far apart: each is a write to the disk, and an entry of MongoDB's history. */
const roundMs = 10;
/** A mark takes about as much work as a page or two. */
const worthFrom = 4;
/** A mark that takes no longer is noticed by nobody. */
const quickMs = 15;
/** A mark may take so many times as long as a page: by then it is MongoDB that is in need. */
const patience = 4;
const [leastMs, mostMs] = [250, 2_000];
/** How long MongoDB is read after a mark has not come in time. */
const restMs = 5_000;
/** Over which time arrivals are counted. */
const windowMs = 100;

/** A mean in which what is newer weighs more. */
const createMean = (first: number, weight: number) => {
  let mean = first;
  return {
    add: (value: number): void => void (mean += weight * (value - mean)),
    set: (value: number): void => void (mean = value),
    get: () => mean,
  };
};

/** How many there were within the last {@link windowMs}, about: those of the window before count as far as it reaches into it. */
const createRate = (clock: () => number) => {
  let begunAt = clock();
  let [before, now] = [0, 0];
  return (): number => {
    const windows = Math.floor((clock() - begunAt) / windowMs);
    if (windows > 0) {
      [before, now] = [windows === 1 ? now : 0, 0];
      begunAt += windows * windowMs;
    }
    now += 1;
    return now + before * (1 - (clock() - begunAt) / windowMs);
  };
};

/**
 * Makes it. A mark is worth its work where at least {@link worthFrom} ask in the time between one and the next, by the rate at which they come: those
 * who wait do not count as many for having to wait. Where marks are slow they are not waited for unless reading is slow, too. One that does not come ends
 * all of it for a while, until another, for which nobody waits, has.
 */
export function createSharedMarks({
  settled,
  isFollowing,
  logger,
  clock = () => performance.now(),
}: SharedMarksOptions): SharedMarks {
  const durations = createDurationHistogram(
    'causeway.data.list.mark.duration',
    'How long marks took that lists waited for, by whether they were told in time.',
  );
  const markMs = createMean(roundMs, 0.2);
  const findMs = createMean(roundMs, 0.1);
  const arrivals = createRate(clock);
  let begunAt = Number.NEGATIVE_INFINITY;
  let next: Promise<boolean> | undefined;
  /** Until when nothing is tried; undefined where nothing is in the way. */
  let restUntil: number | undefined;

  const boundMs = (): number => Math.min(mostMs, Math.max(leastMs, patience * findMs.get()));
  const isQuick = (): boolean => markMs.get() <= Math.max(quickMs, patience * findMs.get());

  const make = async (withinMs: number, noted: (ms: number) => void): Promise<boolean> => {
    const startedAt = clock();
    const outcome = await settled(withinMs).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    const tookMs = clock() - startedAt;
    noted(tookMs);
    durations.record(tookMs / 1000, { outcome: outcome === undefined ? 'told' : 'late' });
    if (outcome === undefined && isQuick()) {
      restUntil = undefined;
      return true;
    }
    if (restUntil === undefined && outcome !== undefined)
      logger.warn({ ...outcome, restMs }, 'lists are read from MongoDB: what is kept could not be checked in time');
    restUntil = clock() + restMs;
    return outcome === undefined;
  };

  const begin = async (): Promise<boolean> => {
    const waitMs = begunAt + roundMs - clock();
    // Waited for in any case: those who ask before it begins have it, those who ask later have not.
    await (waitMs > 0 ? delay(waitMs) : undefined);
    next = undefined;
    begunAt = clock();
    return make(boundMs(), markMs.add);
  };

  /** Finds out whether marks come again; nobody waits for it. */
  const probe = (): void => {
    restUntil = Number.POSITIVE_INFINITY;
    void make(mostMs, markMs.set);
  };

  return {
    pass() {
      const asked = (arrivals() / windowMs) * Math.max(roundMs, markMs.get());
      if (asked < worthFrom || !isFollowing()) return Promise.resolve(false);
      if (restUntil !== undefined) {
        if (clock() >= restUntil) probe();
        return Promise.resolve(false);
      }
      next ??= begin();
      return next;
    },
    found: (ms) => findMs.add(ms),
  };
}
