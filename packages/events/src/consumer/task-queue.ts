/** What waits to be run together. */
export interface TaskQueue<T> {
  readonly size: number;
  push(item: T): void;
  shift(): T | undefined;
  /** Waits until so many are there, the time is up, or the partition is given up; at least until those that come at once are there. */
  gather(count: number, maxWaitMs: number): Promise<void>;
}

/**
 * Makes a queue.
 *
 * @param signal - ends the wait for more
 */
export const createTaskQueue = <T>(signal: AbortSignal): TaskQueue<T> => {
  const items: T[] = [];
  let onPush: () => void = () => undefined;
  return {
    get size() {
      return items.length;
    },
    push(item) {
      items.push(item);
      onPush();
    },
    shift: () => items.shift(),
    async gather(count, maxWaitMs) {
      await new Promise((resolve) => setImmediate(resolve));
      if (items.length >= count || maxWaitMs === 0 || signal.aborted) return;
      await new Promise<void>((resolve) => {
        const end = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', end);
          onPush = () => undefined;
          resolve();
        };
        const timer = setTimeout(end, maxWaitMs);
        signal.addEventListener('abort', end, { once: true });
        onPush = () => {
          if (items.length >= count) end();
        };
      });
    },
  };
};
