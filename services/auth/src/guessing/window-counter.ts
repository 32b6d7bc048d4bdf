import type { AskRedis } from './ask-redis.ts';
import { windowScript } from './counter-scripts.ts';
import type { WindowRules } from './guess-rules.ts';
import { remember } from './local-counters.ts';

/** Counts what comes from one place in a window of time. */
export interface WindowCounter {
  /**
   * Takes a place: of any number at once no more get one than there are.
   *
   * @param name - what is counted together
   * @returns milliseconds until there is one again; 0 where it was taken
   */
  take(name: string): Promise<number>;
}

/** What {@link createWindowCounter} is given. */
export interface WindowCounterOptions {
  readonly ask: AskRedis;
  /** Before the names. */
  readonly prefix: string;
  readonly rules: WindowRules;
  /** Milliseconds on a clock that does not jump. */
  readonly now?: () => number;
  /** Most windows that this process remembers; beyond, the one that was used longest ago is forgotten. */
  readonly mostKeys?: number;
}

interface Window {
  /** Names the window in Redis; 0 where it began here. */
  readonly id: number;
  readonly count: number;
  readonly endsAt: number;
}

/** Counts in Redis, for all replicas. Where Redis is away or has lost what it knew, what it has told this process holds. */
export function createWindowCounter(options: WindowCounterOptions): WindowCounter {
  const { ask, prefix, rules, now = () => performance.now(), mostKeys = 100_000 } = options;
  const windows = new Map<string, Window>();

  const seenOf = (name: string): Window | undefined => {
    const window = windows.get(name);
    return window !== undefined && window.endsAt > now() ? window : undefined;
  };

  const takeHere = (name: string): number => {
    const window = seenOf(name) ?? { id: 0, count: 0, endsAt: now() + rules.windowMs };
    if (window.count >= rules.places) return window.endsAt - now();
    remember(windows, name, { ...window, count: window.count + 1 }, mostKeys);
    return 0;
  };

  return {
    async take(name) {
      const known = seenOf(name);
      const seen = known === undefined || known.id === 0 ? undefined : { ...known, restMs: known.endsAt - now() };
      const reply = await ask((connection) => windowScript.run(connection, [`${prefix}:${name}`], { ...rules, seen }));
      if (reply === undefined) return takeHere(name);
      const { taken, id, count, restMs } = reply;
      remember(windows, name, { id, count, endsAt: now() + restMs }, mostKeys);
      return taken ? 0 : Math.max(1, restMs);
    },
  };
}
