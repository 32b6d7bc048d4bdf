import { setTimeout as pause } from 'node:timers/promises';

/**
 * Waits until a condition holds.
 *
 * @throws Error where it does not within the bound
 */
export const eventually = async (holds: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<void> => {
  const endsAt = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > endsAt) throw new Error(`it did not come to be within ${withinMs} ms: ${holds.toString()}`);
    await pause(10);
  }
};
