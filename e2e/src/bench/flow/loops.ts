import { setTimeout as wait } from 'node:timers/promises';

/** Not more than this waits for its end at once. */
const mostOpen = 500;

/**
 * Does something again and again, so many at a time.
 *
 * @returns how often in a second
 */
export async function closedLoop(once: () => Promise<void>, forMs: number, concurrency: number): Promise<number> {
  let count = 0;
  const from = performance.now();
  const worker = async (): Promise<void> => {
    while (performance.now() - from < forMs) {
      await once();
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return count / ((performance.now() - from) / 1000);
}

/**
 * Does something so often in a second, whether or not what was begun before is done.
 *
 * @returns how often in a second it was done
 */
export async function openLoop(once: () => Promise<void>, forMs: number, ratePerSecond: number): Promise<number> {
  const open = new Set<Promise<void>>();
  const from = performance.now();
  let begun = 0;
  for (let now = 0; now < forMs; now = performance.now() - from) {
    for (; begun < (now / 1000) * ratePerSecond && open.size < mostOpen; begun += 1) {
      const one: Promise<void> = once().finally(() => open.delete(one));
      open.add(one);
    }
    await wait(1);
  }
  await Promise.all(open);
  return begun / ((performance.now() - from) / 1000);
}
