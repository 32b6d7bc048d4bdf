/** Whether a feed is to be sent a snapshot, for whoever sends it. */
export interface DueSnapshot {
  /** Nothing else is told until it has been sent. */
  readonly isAwaited: boolean;
  ask(): void;
  /**
   * Learns that the feed is told what it had no room for, as its reader takes it: no snapshot is sent meanwhile.
   *
   * @param telling - is never rejected
   */
  followTelling(telling: Promise<void>): void;
  /** Waits until it is due, or the feed has ended, and takes it that it is seen to. */
  wait(): Promise<void>;
  /** The feed has ended. */
  end(): void;
}

/** Makes it, with none due. */
export function createDueSnapshot(): DueSnapshot {
  let [isAwaited, hasEnded] = [false, false];
  let wake: (() => void) | undefined;
  let toldLate: Promise<void> | undefined;
  return {
    get isAwaited() {
      return isAwaited;
    },
    ask() {
      isAwaited = true;
      wake?.();
    },
    followTelling(telling) {
      toldLate = telling;
    },
    async wait() {
      if (!isAwaited && !hasEnded) {
        const { promise, resolve } = Promise.withResolvers<undefined>();
        wake = () => resolve(undefined);
        await promise;
      }
      // That stops where a snapshot is due.
      await toldLate;
      isAwaited = false;
    },
    end() {
      hasEnded = true;
      wake?.();
    },
  };
}
