import { setImmediate } from 'node:timers/promises';

/** Rules and schemas cost time to judge by: after so much of it others get their turn. */
const turnMs = 20;

/** Gives items one after the other, and lets others have the process in between. */
export async function* givingWay<T>(items: Iterable<T>): AsyncGenerator<T> {
  let since = performance.now();
  for (const item of items) {
    if (performance.now() - since > turnMs) {
      await setImmediate();
      since = performance.now();
    }
    yield item;
  }
}
