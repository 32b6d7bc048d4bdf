import { setTimeout as delay } from 'node:timers/promises';

import { Fault } from '@causeway/contracts';

/** For how long the end of the service waits for what is under way; a step that takes longer is ended with the process. */
const patienceMs = 3_000;

/** What goes on after its caller has been answered. */
export interface BackgroundWork {
  /** Ends when the service does. */
  readonly stopping: AbortSignal;
  /**
   * Waits for something up to a bound.
   *
   * @param work - goes on where it takes longer; what it is ended by is logged then
   * @param begun - from when on the time is counted
   * @returns undefined where it goes on
   */
  inTime<T>(work: Promise<T>, begun: Promise<unknown>, waitMs: number): Promise<T | undefined>;
  stop(): Promise<void>;
}

/** Makes what keeps the work of one process that nobody waits for any more. */
export function createBackgroundWork({
  logger,
}: {
  readonly logger: { warn(fields: Record<string, unknown>, message: string): void };
}): BackgroundWork {
  const stopping = new AbortController();
  const running = new Set<Promise<unknown>>();
  return {
    stopping: stopping.signal,
    async inTime(work, begun, waitMs) {
      const answered = new AbortController();
      const settled = work.catch(() => undefined).finally(() => running.delete(settled));
      running.add(settled);
      // Work that is done, or has failed, before it has begun to take long is answered as it is.
      await Promise.race([settled, begun]);
      const time = delay(waitMs, 'later' as const, { signal: answered.signal }).catch(() => 'later' as const);
      const first = await Promise.race([work, time]).finally(() => answered.abort());
      if (first !== 'later') return first;
      work.catch((error: unknown) => {
        if (!(error instanceof Fault)) logger.warn({ error }, 'a change of a definition has failed');
      });
      return undefined;
    },
    async stop() {
      stopping.abort();
      await Promise.race([Promise.allSettled(running), delay(patienceMs, undefined, { ref: false })]);
    },
  };
}
