import { LRUCache } from 'lru-cache';

/** A read that will fill a place, unless something is heard of the key meanwhile. */
export interface Fill<Value> {
  /** Puts the value, if nothing has been heard of the key since the read began. */
  done(value: Value, sizeBytes: number): void;
  /** Ends a read that found nothing. */
  abandon(): void;
  /** Whether nothing has been heard of the key since the read began. */
  readonly fresh: boolean;
}

/** Values in this process. */
export interface LocalTier<Value> {
  get(key: string): Value | undefined;
  /** Begins a read. */
  begin(key: string): Fill<Value>;
  /** Forgets a value, and every read of it that has begun. */
  invalidate(key: string): void;
  /** Forgets everything, and every read that has begun. */
  clear(): void;
}

/** Makes the tier of this process, bounded by the size of its values. */
export function createLocalTier<Value extends object>(maxBytes: number): LocalTier<Value> {
  const values = new LRUCache<string, Value>({ maxSize: maxBytes, maxEntrySize: Math.ceil(maxBytes / 8) });
  const reads = new Map<string, Set<{ fresh: boolean }>>();

  const end = (key: string, read: { fresh: boolean }): void => {
    const others = reads.get(key);
    others?.delete(read);
    if (others?.size === 0) reads.delete(key);
  };

  const spoil = (key: string): void => {
    for (const read of reads.get(key) ?? []) read.fresh = false;
    reads.delete(key);
  };

  return {
    get: (key) => values.get(key),
    begin(key) {
      const read = { fresh: true };
      const others = reads.get(key);
      if (others === undefined) reads.set(key, new Set([read]));
      else others.add(read);
      return {
        get fresh() {
          return read.fresh;
        },
        done(value, sizeBytes) {
          end(key, read);
          if (read.fresh) values.set(key, value, { size: Math.max(1, sizeBytes) });
        },
        abandon: () => end(key, read),
      };
    },
    invalidate(key) {
      values.delete(key);
      spoil(key);
    },
    clear() {
      values.clear();
      for (const key of [...reads.keys()]) spoil(key);
    },
  };
}
