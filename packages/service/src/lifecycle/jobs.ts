import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import type { Cause } from '@causeway/contracts';

/** What the service does by itself has no caller. */
export const bySystem = (): Cause => ({ correlationId: randomUUID(), principal: { type: 'system' } });

/** Something that is done again and again. */
export interface Job {
  /** In the log. */
  readonly name: string;
  /** Between the end of one run and the start of the next; half of it random, so that replicas spread. */
  readonly everyMs: number;
  /** @param signal - aborted when the service stops */
  readonly run: (signal: AbortSignal) => Promise<unknown>;
}

/**
 * Runs a job until it is stopped. A run that fails is logged, and the next one comes.
 *
 * @returns stops it, after the run that has begun
 */
export function startJob(
  { name, everyMs, run }: Job,
  logger: { error(fields: Record<string, unknown>, message: string): void },
): () => Promise<void> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const loop = async (): Promise<void> => {
    // The pause rejects when the job is stopped.
    const pause = (): Promise<boolean> =>
      delay(everyMs * (0.5 + Math.random() / 2), true, { signal, ref: false }).catch(() => false);
    while (await pause()) {
      await run(signal).catch((error: unknown) =>
        logger.error({ error, job: name }, 'a job failed; it is tried again'),
      );
    }
  };
  const running = loop();
  return () => {
    stopping.abort();
    return running;
  };
}
