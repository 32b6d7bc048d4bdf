import { faults } from '@causeway/contracts';

/** Work that is costly to the whole machine, done a few at a time, with a bounded number of others waiting. */
export interface BoundedWork {
  /**
   * Does the task when its turn comes.
   *
   * @param task - what to do
   * @param signal - aborted when nobody waits for the outcome any more: a task that has not begun is dropped
   * @returns what the task gives
   * @throws fault `unavailable` with `Retry-After` where too many wait already; the signal's reason where it was dropped
   */
  run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** How many tasks run and wait, for metrics. */
  load(): { readonly running: number; readonly waiting: number };
}

/** What {@link createBoundedWork} is given. */
export interface BoundedWorkOptions {
  /** How many tasks run at a time. */
  readonly concurrency: number;
  /** How many may wait. */
  readonly queueLimit: number;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
}

/** Weight of the newest task in the moving average of their times, from which `Retry-After` is told. */
const smoothing = 0.1;

/** @returns a queue that is first in, first out */
export function createBoundedWork(options: BoundedWorkOptions): BoundedWork {
  const { concurrency, queueLimit, now = () => performance.now() } = options;
  // A Set keeps the order of insertion and drops an aborted waiter in constant time.
  const waiting = new Set<() => void>();
  let running = 0;
  let averageMs = 0;

  const retryAfterS = (): number => Math.max(1, Math.ceil((waiting.size * averageMs) / concurrency / 1000));

  const turn = (signal: AbortSignal | undefined): Promise<void> => {
    if (running < concurrency) {
      running += 1;
      return Promise.resolve();
    }
    if (waiting.size >= queueLimit) {
      throw faults.unavailable({ retryAfterS: retryAfterS(), message: `${waiting.size} wait already` });
    }
    return new Promise((resolve, reject) => {
      const drop = (): void => {
        waiting.delete(begin);
        reject(signal?.reason as Error);
      };
      const begin = (): void => {
        signal?.removeEventListener('abort', drop);
        resolve();
      };
      waiting.add(begin);
      signal?.addEventListener('abort', drop, { once: true });
    });
  };

  // The turn is handed on, not given back: nobody who arrives meanwhile gets in between.
  const handOn = (): void => {
    const [next] = waiting;
    if (next === undefined) {
      running -= 1;
      return;
    }
    waiting.delete(next);
    next();
  };

  return {
    async run(task, signal) {
      signal?.throwIfAborted();
      await turn(signal);
      const startedAt = now();
      try {
        return await task();
      } finally {
        const tookMs = now() - startedAt;
        averageMs = averageMs === 0 ? tookMs : averageMs + smoothing * (tookMs - averageMs);
        handOn();
      }
    },
    load: () => ({ running, waiting: waiting.size }),
  };
}
