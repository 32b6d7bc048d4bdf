import { setTimeout as wait } from 'node:timers/promises';
import type { ChildLimits } from '../processes/supervised-child.ts';
import { defaultLimits, type Supervisor } from '../processes/supervisor.ts';

/** What was ready once is killed by tests as often as they like, one after another: it is never given up, nor waited long for. */
export const testLimits: ChildLimits = {
  ...defaultLimits,
  backoff: { ...defaultLimits.backoff, longestMs: 1000 },
  attemptsLater: Number.POSITIVE_INFINITY,
};

/** A child of a platform under test, which can be killed to see what happens. */
export interface TestChild {
  readonly name: string;
  /** Its process now; another one after a restart, `undefined` while there is none. */
  readonly pid: number | undefined;
  /** How often it has been started again after it had ended by itself. */
  readonly restarts: number;
  /** Signals it and whatever it has started; `SIGKILL` unless another is asked for. */
  readonly kill: (signal?: NodeJS.Signals) => void;
  /** Ends it; it stays away until `start`. */
  readonly stop: () => Promise<void>;
  /** Starts it again, and resolves when it is ready. */
  readonly start: () => Promise<void>;
  /** Resolves when it is ready; rejects when it is not within that time. */
  readonly ready: (withinMs: number) => Promise<void>;
  /** Resolves when the supervisor has started it again that often, and it is ready; rejects when not within that time. */
  readonly restarted: (times: number, withinMs: number) => Promise<void>;
}

/** @returns the child of that name, as a test may look at it and kill it */
export function testChild(supervisor: Supervisor, name: string): TestChild {
  const status = () => supervisor.child(name).status();
  const until = async (isThere: () => boolean, withinMs: number): Promise<void> => {
    const deadline = performance.now() + withinMs;
    while (!isThere()) {
      if (performance.now() > deadline) throw new Error(`${name} is ${status().state} after ${withinMs} ms`);
      await wait(20);
    }
  };
  return {
    name,
    get pid() {
      return status().pid;
    },
    get restarts() {
      return status().restarts;
    },
    kill: (signal = 'SIGKILL') => supervisor.child(name).kill(signal),
    stop: () => supervisor.child(name).stop(),
    start: () => supervisor.child(name).start(),
    ready: (withinMs) => until(() => status().state === 'ready', withinMs),
    restarted: (times, withinMs) => until(() => status().restarts >= times && status().state === 'ready', withinMs),
  };
}
