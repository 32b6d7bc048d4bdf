interface Kept<T> {
  readonly value: Promise<T>;
  readonly until: number;
}

/** What is asked often and may be a little old. */
export interface KeptValues<T> {
  /** What is kept under a key, or what `make` gives; those who ask at once wait for the same. */
  get(key: string, make: () => Promise<T>): Promise<T>;
}

/**
 * Keeps values for a while, and no more than so many: the one that was used longest ago goes first. What failed is not kept.
 *
 * @param options - `now`: a monotonic clock in milliseconds
 */
export function keepValues<T>({
  keptMs,
  most,
  now = () => performance.now(),
}: {
  readonly keptMs: number;
  readonly most: number;
  readonly now?: () => number;
}): KeptValues<T> {
  const kept = new Map<string, Kept<T>>();
  return {
    get(key, make) {
      const known = kept.get(key);
      kept.delete(key);
      const current = known !== undefined && now() < known.until ? known : { value: make(), until: now() + keptMs };
      kept.set(key, current);
      current.value.catch(() => {
        if (kept.get(key) === current) kept.delete(key);
      });
      const [oldest] = kept.keys();
      if (kept.size > most && oldest !== undefined) kept.delete(oldest);
      return current.value;
    },
  };
}
