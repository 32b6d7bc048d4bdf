import { hashOf } from './hash-of.ts';
import { createWeakPool } from './weak-pool.ts';

/** The ids of some records. It never changes: all who know the same share it. */
export interface IdSet {
  /** In order. */
  readonly ids: readonly string[];
  /** The same, in every process, for the same ids. */
  readonly name: string;
  /**
   * @param turned - whether each of these is in it from now on
   * @returns the set of then; this one where that changes nothing
   */
  turn(turned: ReadonlyMap<string, boolean>): IdSet;
}

/** The sets of ids of a process. */
export interface IdSets {
  of(ids: Iterable<string>): IdSet;
}

/** Makes it, with none. */
export function createIdSets(): IdSets {
  const pool = createWeakPool<IdSet>();
  const of = (ids: Iterable<string>): IdSet => {
    const sorted = [...new Set(ids)].sort();
    const name = hashOf(JSON.stringify(sorted));
    return pool.take(name, () => new Ids(sorted, name, of));
  };
  return { of };
}

class Ids implements IdSet {
  readonly ids: readonly string[];
  readonly name: string;
  readonly #of: IdSets['of'];
  /** What became of it last: thousands who know it learn of the same change. */
  #next: { readonly by: string; readonly set: WeakRef<IdSet> } | undefined;

  constructor(ids: readonly string[], name: string, of: IdSets['of']) {
    this.ids = ids;
    this.name = name;
    this.#of = of;
  }

  turn(turned: ReadonlyMap<string, boolean>): IdSet {
    const changed = [...turned].filter(([id, isIn]) => isIn !== this.#has(id));
    if (changed.length === 0) return this;
    const by = JSON.stringify(changed);
    const known = this.#next?.by === by ? this.#next.set.deref() : undefined;
    if (known !== undefined) return known;
    const ids = new Set(this.ids);
    for (const [id, isIn] of changed) {
      if (isIn) ids.add(id);
      else ids.delete(id);
    }
    const set = this.#of(ids);
    this.#next = { by, set: new WeakRef(set) };
    return set;
  }

  /** In the order of `sort`, which is that of `<`. */
  #has(id: string): boolean {
    let [low, high] = [0, this.ids.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.ids[middle] ?? '') < id) low = middle + 1;
      else high = middle;
    }
    return this.ids[low] === id;
  }
}
