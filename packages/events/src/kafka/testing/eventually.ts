import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for a condition, at most `boundMs`. @throws {Error} It has not come true in time. */
export async function eventually(condition: () => boolean | Promise<boolean>, boundMs = 15_000): Promise<void> {
  const deadlineMs = performance.now() + boundMs;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${boundMs} ms: ${condition.toString()}`);
    await sleep(10);
  }
}
