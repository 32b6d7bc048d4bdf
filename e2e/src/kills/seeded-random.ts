import process from 'node:process';
import { seededRandom as sourceOf } from '@causeway/events/faults';

/** The seed of this run: a run that failed is repeated with it, as far as it decides. */
export const seed = Number(process.env.CAUSEWAY_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** @returns a source of numbers from 0 up to, but not including, 1: the same ones from the same seed */
export const seededRandom = (from: number): (() => number) => sourceOf(from).next;

/** Fisher–Yates. */
export function shuffled<T>(values: readonly T[], random: () => number): T[] {
  const result = [...values];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [result[last], result[other]] = [result[other]!, result[last]!];
  }
  return result;
}
