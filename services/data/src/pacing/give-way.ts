import { setImmediate } from 'node:timers/promises';

/** Rules and schemas cost time to judge by: after so much of it others get their turn. */
const turnMs = 20;

/** Has others of the process get their turn. */
export interface Turns {
  readonly isOver: () => boolean;
  /** Lets others have the process. */
  readonly giveWay: () => Promise<void>;
}

/** Measures turns, the first of which begins now. */
export function createTurns(mostMs = turnMs): Turns {
  let since = performance.now();
  return {
    isOver: () => performance.now() - since > mostMs,
    async giveWay() {
      await setImmediate();
      since = performance.now();
    },
  };
}

/** Gives items one after the other, and lets others have the process in between. */
export async function* givingWay<T>(items: Iterable<T>): AsyncGenerator<T> {
  const turns = createTurns();
  for (const item of items) {
    if (turns.isOver()) await turns.giveWay();
    yield item;
  }
}
