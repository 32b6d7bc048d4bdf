import { setTimeout as delay } from 'node:timers/promises';

/** What a run is given by whoever lets it run. */
export interface Turn {
  /** Ends waits: what has had no effect is to be run another time, by us or by somebody else. */
  readonly signal: AbortSignal;
  /** Waits without taking up one of the places that runs share. Rejects where `signal` ends it. */
  pause(ms: number): Promise<void>;
}

/** How many handlers may run at once in this process. Whoever waits longest comes next. */
export interface RunPlaces {
  /**
   * Runs something once there is a place for it.
   *
   * @param signal - ends the wait, and that of {@link Turn.pause}: then it rejects
   */
  run<T>(signal: AbortSignal, work: (turn: Turn) => Promise<T>): Promise<T>;
}

/** For what only waits, and asks for a place once it runs. */
export const unplaced: RunPlaces = {
  run: (signal, work) => work({ signal, pause: (ms) => delay(ms, undefined, { signal }) }),
};

/** Makes the places of one process. */
export const createRunPlaces = (count: number): RunPlaces => {
  let left = count;
  const waiting = new Set<() => void>();

  const acquire = async (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    if (left > 0) {
      left -= 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        waiting.delete(enter);
        reject(signal.reason as Error);
      };
      waiting.add(enter);
      signal.addEventListener('abort', leave, { once: true });
    });
  };

  const giveBack = (): void => {
    const [next] = waiting;
    if (next === undefined) {
      left += 1;
      return;
    }
    waiting.delete(next);
    next();
  };

  return {
    async run(signal, work) {
      await acquire(signal);
      let held = true;
      const free = (): void => {
        if (held) giveBack();
        held = false;
      };
      const pause = async (ms: number): Promise<void> => {
        free();
        await delay(ms, undefined, { signal });
        await acquire(signal);
        held = true;
      };
      try {
        signal.throwIfAborted();
        return await work({ signal, pause });
      } finally {
        free();
      }
    },
  };
};
