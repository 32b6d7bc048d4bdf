import { setTimeout as delay } from 'node:timers/promises';

import { isHeldUp } from '../recording/held-up.ts';
import { Contended } from '../recording/out-of-time.ts';
import { isOutage } from '../recording/outage.ts';
import type { RelayLogger } from '../relay/relay-metrics.ts';

const pauseMs = (failures: number): number => Math.min(2_000, 100 * 2 ** failures) * (0.5 + Math.random() / 2);

/** What an event waits for: `mongodb` is away, what it needs is not published, or not written (`relay`), others write the same documents (`conflicts`). */
export type WaitedFor = 'mongodb' | 'relay' | 'conflicts';

/**
 * So long an event waits at most for what passes by itself. For the relay ten minutes: by then a lease has moved and Kafka has restarted, and
 * an outbox that is still full is a matter for somebody to look at. For other writers two, which outlast the rush after an outage: a handler
 * that conflicts with itself does so for ever.
 */
const patienceMs = { relay: 10 * 60_000, conflicts: 2 * 60_000 } as const;

/** Says of an error what is still to be waited for, if anything. */
export type Patience = (error: unknown) => WaitedFor | undefined;

/**
 * What an event waits for beside MongoDB, and for how long; one for each event.
 *
 * @param boundMs - of either; left out, ten minutes for the relay, and two for conflicts
 */
export const createPatience = (boundMs?: number): Patience => {
  const since = new Map<WaitedFor, number>();
  return (error) => {
    const why = isHeldUp(error) ? 'relay' : error instanceof Contended ? 'conflicts' : undefined;
    if (why === undefined) return undefined;
    const now = performance.now();
    const begunMs = since.get(why) ?? now;
    since.set(why, begunMs);
    return now - begunMs < (boundMs ?? patienceMs[why]) ? why : undefined;
  };
};

/** One in so many attempts is told. */
const toldEvery = 10;

const told = {
  mongodb: 'MongoDB does not take the effect now; the event waits',
  relay: 'what an effect needs is not published or written yet; the event waits',
  conflicts: 'an effect is lost to others that write the same documents; the event waits',
} as const satisfies Record<WaitedFor, string>;

/** How outages are sat out. */
export interface OutageOptions {
  readonly logger: Pick<RelayLogger, 'warn'>;
  /** Ends the wait: the service stops, or the partition is given up. */
  readonly signal: AbortSignal;
  /** How to wait; left out, a timer. */
  readonly pause?: (ms: number) => Promise<void>;
  /** What waits, for the log. */
  readonly about?: object;
  /** What else is waited for; left out, nothing. */
  readonly waitsFor?: Patience;
  /** An attempt was in vain, and another follows. */
  readonly onWait?: (why: WaitedFor) => void;
}

/**
 * Does something once MongoDB lets it through; without it nothing can be decided. It is tried until it works, fails otherwise, or
 * the service stops; so is what else it waits for. None of these attempts counts.
 */
export const throughOutages = async <T>(work: () => Promise<T>, options: OutageOptions): Promise<T> => {
  const { logger, signal, about, waitsFor, onWait } = options;
  const pause = options.pause ?? ((ms: number): Promise<void> => delay(ms, undefined, { signal }));
  for (let failures = 0; ; failures += 1) {
    try {
      return await work();
    } catch (error) {
      const why = isOutage(error) ? 'mongodb' : waitsFor?.(error);
      if (why === undefined) throw error;
      onWait?.(why);
      if (failures % toldEvery === 0) logger.warn({ ...about, failures: failures + 1, error }, told[why]);
      await pause(pauseMs(failures));
    }
  }
};
