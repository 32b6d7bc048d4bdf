/** Gives what is alike to all who ask for it, for as long as one of them keeps it. */
export interface WeakPool<Value extends object> {
  /** What is kept, or was of late. */
  readonly size: number;
  /** @param make - makes it where nobody keeps it */
  take(key: string, make: () => Value): Value;
}

/** Makes it, with nothing kept. */
export function createWeakPool<Value extends object>(): WeakPool<Value> {
  const kept = new Map<string, WeakRef<Value>>();
  const gone = new FinalizationRegistry<string>((key) => {
    // Somebody may have made it anew meanwhile.
    if (kept.get(key)?.deref() === undefined) kept.delete(key);
  });
  return {
    get size() {
      return kept.size;
    },
    take(key, make) {
      const known = kept.get(key)?.deref();
      if (known !== undefined) return known;
      const made = make();
      kept.set(key, new WeakRef(made));
      gone.register(made, key);
      return made;
    },
  };
}
