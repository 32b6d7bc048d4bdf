/** Gives a place back; more than once does no harm. */
export type Release = () => void;

/** So much of one kind may be done at once. */
export interface Places {
  /**
   * Waits for a place, in turn.
   *
   * @param signal - of who waits
   * @throws what {@link PlacesOptions.busy} makes, where that takes too long, or too many wait
   */
  take(signal: AbortSignal): Promise<Release>;
}

/** How many places there are. */
export interface PlacesOptions {
  readonly limit: number;
  /** What who gets none is told. */
  readonly busy: () => Error;
  /** How long one is waited for. */
  readonly waitMs?: number;
  readonly mostWaiting?: number;
}

/** Makes the places of a process. */
export function createPlaces({ limit, busy, waitMs = 5_000, mostWaiting = 1_000 }: PlacesOptions): Places {
  let taken = 0;
  const waiting = new Set<() => void>();

  const give = (): Release => {
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const [next] = waiting;
      if (next === undefined) taken -= 1;
      // The place goes from hand to hand.
      else next();
    };
  };

  const waitForTurn = async (signal: AbortSignal): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const enter = (): void => {
      waiting.delete(enter);
      resolve(undefined);
    };
    // At once, so that nobody hands a place to who has gone.
    const leave = (error: unknown): void => {
      waiting.delete(enter);
      reject(error);
    };
    const abort = (): void => leave(signal.reason);
    const timer = setTimeout(() => leave(busy()), waitMs);
    signal.addEventListener('abort', abort, { once: true });
    waiting.add(enter);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    }
  };

  return {
    async take(signal) {
      signal.throwIfAborted();
      if (taken < limit) {
        taken += 1;
        return give();
      }
      if (waiting.size >= mostWaiting) throw busy();
      await waitForTurn(signal);
      return give();
    },
  };
}
