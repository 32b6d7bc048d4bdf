/** A seeded source of choices: the same seed makes the same ones, on every machine. */
export interface Random {
  /** From 0 up to, but not including, 1. */
  next(): number;
  /** A whole number from 0 up to, but not including, `end`. */
  below(end: number): number;
  /** True in `percent` of 100 cases. */
  chance(percent: number): boolean;
  /** One of the items, of which there must be one. */
  pick<T>(items: readonly T[]): T;
  /** The items in another order (Fisher–Yates). */
  shuffled<T>(items: readonly T[]): T[];
  /** A source of its own, so that who draws from it does not change what others draw. */
  fork(): Random;
}

/**
 * Mulberry32 (Tommy Ettinger, public domain): 32 bits of state, enough to vary tests.
 *
 * @param seed - any whole number
 */
export const seededRandom = (seed: number): Random => {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (end: number): number => Math.floor(next() * end);
  return {
    next,
    below,
    chance: (percent) => below(100) < percent,
    pick(items) {
      if (items.length === 0) throw new RangeError('nothing to pick from');
      return items[below(items.length)] as (typeof items)[number];
    },
    shuffled<T>(items: readonly T[]) {
      const left = [...items];
      const result: T[] = [];
      while (left.length > 0) result.push(...left.splice(below(left.length), 1));
      return result;
    },
    fork: () => seededRandom(Math.floor(next() * 2 ** 32)),
  };
};
