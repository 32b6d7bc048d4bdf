import type { Collection } from '../collections/collection-registry.ts';
import type { Condition, Operand } from '../conditions/condition.ts';
import type { Caller } from '../rules/rule.ts';
import { visionOf } from '../rules/see.ts';
import type { FeedView } from './feed-view.ts';
import { createFeedView } from './feed-view.ts';
import { hashOf } from './hash-of.ts';
import { rightsIn } from './name-of-rule.ts';
import type { WeakPool } from './weak-pool.ts';
import { createWeakPool } from './weak-pool.ts';

/** What feeds see, each kept once for all who see the same by the same definition. */
export interface FeedViews {
  /**
   * @param caller - of whom it is known where references lead
   * @param followed - names the records that these lead to
   * @throws GuardRefused where the rules do not let such a filter be asked
   */
  of(sight: {
    readonly collection: Collection;
    readonly caller: Caller;
    readonly filter: Condition<Operand>;
    readonly followed: string;
  }): FeedView;
}

/** Makes it, with none. */
export function createFeedViews(): FeedViews {
  /** A collection is another one once anything of its definition, or a key of it, is. */
  const pools = new WeakMap<Collection, WeakPool<FeedView>>();
  return {
    of({ collection, caller, filter, followed }) {
      let pool = pools.get(collection);
      if (pool === undefined) pools.set(collection, (pool = createWeakPool()));
      const sight = JSON.stringify([rightsIn(collection, caller), followed, filter]);
      return pool.take(hashOf(sight), () => createFeedView(visionOf(collection, caller, filter)));
    },
  };
}
