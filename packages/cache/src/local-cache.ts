import { LRUCache } from 'lru-cache';

/** A value at a revision. */
export interface Entry<T> {
  readonly revision: number;
  readonly value: T;
}

/** Values in this process, bounded by their bytes, dropped as the commit stream says. */
export interface LocalCache<T> {
  get(key: string): Entry<T> | undefined;
  /**
   * Loads a value once for all who ask meanwhile, and keeps it, unless the stream has named its key since the load began:
   * then those who asked before still get it, and whoever asks later starts another load.
   */
  load(key: string, load: () => Promise<Entry<T> | undefined>): Promise<Entry<T> | undefined>;
  /** Whether a value of this revision is not older than what the stream has told. */
  admits(key: string, revision: number): boolean;
  /** The stream has seen a change of this key. */
  invalidate(key: string, revision: number): void;
  clear(): void;
  readonly size: number;
}

interface Loading<T> {
  readonly result: Promise<Entry<T> | undefined>;
  overtaken: boolean;
}

/** How a {@link LocalCache} is bounded. */
export interface LocalCacheOptions<T> {
  readonly maxBytes: number;
  /** About how many bytes a value takes. */
  readonly sizeOf: (value: T) => number;
}

/** Floors of recently changed keys: they outlast any read that began before the change. */
const floorLimit = 50_000;

/** What an entry costs beside its value. */
const entryBytes = 200;

/** Makes the in-process cache. */
export const createLocalCache = <T>({ maxBytes, sizeOf }: LocalCacheOptions<T>): LocalCache<T> => {
  const entries = new LRUCache<string, Entry<T>>({
    maxSize: maxBytes,
    sizeCalculation: ({ value }, key) => entryBytes + key.length + sizeOf(value),
  });
  const floors = new LRUCache<string, number>({ max: floorLimit });
  const loads = new Map<string, Loading<T>>();
  const admits = (key: string, revision: number): boolean => revision >= (floors.get(key) ?? 0);

  const begin = (key: string, load: () => Promise<Entry<T> | undefined>): Loading<T> => {
    const loading: Loading<T> = {
      overtaken: false,
      result: load().then(
        (entry) => {
          if (loads.get(key) === loading) loads.delete(key);
          if (entry !== undefined && !loading.overtaken && admits(key, entry.revision)) entries.set(key, entry);
          return entry;
        },
        (error: unknown) => {
          if (loads.get(key) === loading) loads.delete(key);
          throw error;
        },
      ),
    };
    loads.set(key, loading);
    return loading;
  };

  return {
    get: (key) => entries.get(key),
    admits,
    load: (key, load) => (loads.get(key) ?? begin(key, load)).result,
    invalidate(key, revision) {
      const known = entries.peek(key);
      if (known !== undefined && known.revision < revision) entries.delete(key);
      floors.set(key, Math.max(floors.get(key) ?? 0, revision));
      const loading = loads.get(key);
      if (loading === undefined) return;
      loading.overtaken = true;
      loads.delete(key);
    },
    clear() {
      entries.clear();
      for (const loading of loads.values()) loading.overtaken = true;
      loads.clear();
    },
    get size() {
      return entries.size;
    },
  };
};
