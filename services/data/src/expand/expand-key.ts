import { everything } from '../conditions/condition.ts';
import { encryptedPaths } from '../encryption/sealed-fields.ts';
import { isFollowing } from '../rules/follow/follow-records.ts';
import type { Caller } from '../rules/rule.ts';
import { timelessSight } from '../rules/see.ts';
import type { Expansion } from './expansion.ts';

/** What a page depends on beside its own collection. */
export interface ExpandKey {
  /** The ids of the collections whose records are shown. */
  readonly collectionIds: readonly string[];
  /** All that decides what of them is shown: JSON. */
  readonly sights: unknown;
}

/**
 * What decides what is shown beside records, the same for all who see the same.
 *
 * @returns undefined where the time decides, too, or records that rules follow
 */
export function keyOfExpand(expansions: readonly Expansion[], caller: Caller): ExpandKey | undefined {
  const collectionIds = new Set<string>();
  const sightsOf = (own: readonly Expansion[]): readonly unknown[] | undefined => {
    const sights: unknown[] = [];
    for (const { path, target, inner } of own) {
      if (target === undefined) {
        sights.push([path]);
        continue;
      }
      // Records of other collections decide, whose changes are not those of this one.
      if (isFollowing(target, caller)) return undefined;
      // What is encrypted would be kept in the clear.
      if (encryptedPaths(target.fields).length > 0) return undefined;
      const sight = timelessSight(target, caller, everything);
      const behind = sightsOf(inner);
      if (sight === undefined || behind === undefined) return undefined;
      collectionIds.add(target.id);
      sights.push([path, target.id, target.revision, sight, behind]);
    }
    return sights;
  };
  const sights = sightsOf(expansions);
  return sights === undefined ? undefined : { collectionIds: [...collectionIds], sights };
}
