import { faults } from '@causeway/contracts';

/** Does one thing after the other for each key, in the order in which they came. */
export type InTurn = <T>(key: string, work: () => Promise<T>) => Promise<T>;

const busy = (): Error =>
  faults.unavailable({ detail: 'Too many change this record at once. Try again in a moment.', retryAfterS: 1 });

/**
 * Makes a queue for each key, so that those who change one document do not race each other within this process; other
 * processes are told from by compare-and-set, as ever.
 *
 * @param options - `maxWaiting`: how many may wait for one key; `patienceMs`: how long one waits
 * @returns it throws fault `unavailable` where there is no place, or none in time
 */
export function createInTurn({ maxWaiting = 100, patienceMs = 5_000 } = {}): InTurn {
  /** Who waits, by the key that somebody is at. */
  const queues = new Map<string, (() => void)[]>();

  const enter = async (key: string): Promise<void> => {
    const waiting = queues.get(key);
    if (waiting === undefined) {
      queues.set(key, []);
      return;
    }
    if (waiting.length >= maxWaiting) throw busy();
    await new Promise<void>((resolve, reject) => {
      const go = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(go), 1);
        reject(busy());
      }, patienceMs);
      waiting.push(go);
    });
  };

  const leave = (key: string): void => {
    const next = queues.get(key)?.shift();
    if (next === undefined) queues.delete(key);
    else next();
  };

  return async (key, work) => {
    await enter(key);
    try {
      return await work();
    } finally {
      leave(key);
    }
  };
}
