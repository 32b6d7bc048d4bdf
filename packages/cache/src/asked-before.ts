import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/**
 * Tells keys that are asked for again from those that never are, so that what is asked for once takes no room in a cache.
 *
 * @param max - keys that are remembered, about 200 bytes each however long they are; the one not asked for longest is forgotten first
 * @returns whether a key was asked for before; from now on it was
 */
export function createAskedBefore(max: number): (key: string) => boolean {
  const asked = new LRUCache<string, true>({ max });
  return (key) => {
    // 96 bits: two that were taken for one would only be kept a call early.
    const short = createHash('sha256').update(key).digest('base64url').slice(0, 16);
    const before = asked.has(short);
    asked.set(short, true);
    return before;
  };
}
