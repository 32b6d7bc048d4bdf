import { drainMs } from './feed-writer.ts';

/** Waits for a reader who is behind. */
export interface ReaderWait {
  /** @returns false where the reader does not come nearer in time */
  wait(): Promise<boolean>;
  /** Ends the wait: the reader has come nearer, or has gone. */
  over(): void;
}

/** Makes what waits for the reader of one feed. */
export function createReaderWait(): ReaderWait {
  let waiting: (() => void) | undefined;
  return {
    async wait() {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const timer = setTimeout(() => resolve(false), drainMs);
      waiting = () => resolve(true);
      try {
        return await promise;
      } finally {
        clearTimeout(timer);
        waiting = undefined;
      }
    },
    over: () => waiting?.(),
  };
}
