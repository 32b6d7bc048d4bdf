import { createHash } from 'node:crypto';

import type { Timestamp } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import { compilePredicate } from '../conditions/compile-predicate.ts';
import type { Predicate } from '../conditions/compile-predicate.ts';
import { createBudget } from '../conditions/evaluation-budget.ts';
import { conditionFor, followedBy, mostFollowed } from '../rules/follow/follow-records.ts';
import type { FollowedReference } from '../rules/follow/follows.ts';
import { targetOf } from '../rules/follow/follows.ts';
import type { Caller } from '../rules/rule.ts';
import { decisionUnits } from '../rules/rule.ts';
import type { RecordChange } from './record-change.ts';

/** Where the references lead that the rule of a feed follows: looked for once, and kept in step with the changes of the records there. */
export interface FollowedRecords {
  /** Whether nobody has looked yet, by the rule of now. */
  readonly isUnknown: boolean;
  /** Whether they are more than a rule may follow. */
  readonly isTooMuch: boolean;
  /** The caller, of whom it is known where references lead. */
  readonly caller: Caller;
  /** The same where the same is known. */
  readonly name: string;
  /** The rule is that of another definition. It stays known what is asked in the same places, where the rule is the same. */
  redefine(collection: Collection, isSame: boolean): void;
  /** Somebody begins to look: from here on changes are kept, for what is found may be of before them. */
  begin(): void;
  /**
   * Somebody has looked.
   *
   * @param collection - under whose definition
   * @param caller - by `followAll`
   * @param asOf - the time of which that was read: what was committed by then is in it, whenever one learns of it; undefined where it is of now
   */
  settle(collection: Collection, caller: Caller, asOf?: Timestamp): void;
  /** Changes may have been missed: nothing is known, and what is being looked for does not count. */
  forget(): void;
  /**
   * Learns of a change.
   *
   * @returns whether references lead elsewhere by it
   * @throws TooCostly where patterns take too long to tell what follows from it
   */
  hear(change: RecordChange): boolean;
  /**
   * Whether a change of before led references elsewhere, which may lead back by now.
   *
   * @throws TooCostly where patterns take too long to tell
   */
  isTurnedBy(change: RecordChange): boolean;
}

interface Known {
  readonly follow: FollowedReference;
  readonly target: string;
  readonly isMet: Predicate;
  readonly ids: Set<string>;
}

/** Makes it, with nothing known. */
export function createFollowedRecords(collection: Collection, asker: Caller): FollowedRecords {
  let current = collection;
  let known: readonly Known[] | undefined;
  let heard: RecordChange[] | undefined;
  /** What was committed by then is known, of a transaction all: they share one time. */
  let knownAsOf: Timestamp | undefined;
  let name = '';

  const apply = ({ collectionId, id, after, position }: RecordChange): boolean => {
    // A process that is behind learns of it late: it would fall back to how things were then.
    if (knownAsOf !== undefined && position.lessThanOrEqual(knownAsOf)) return false;
    let isOther = false;
    for (const { target, isMet, ids } of known ?? []) {
      if (target !== collectionId) continue;
      const isThere = after !== undefined && isMet(after);
      if (isThere === ids.has(id)) continue;
      isOther = true;
      if (isThere) ids.add(id);
      else ids.delete(id);
    }
    return isOther;
  };
  const rename = (): void => {
    name = createHash('sha256')
      .update(JSON.stringify((known ?? []).map(({ target, ids }) => [target, [...ids].sort()])))
      .digest('base64url');
  };
  const learn = (own: Collection, idsOf: (follow: FollowedReference) => Iterable<string> | undefined): void => {
    known = own.follows.read.map((follow) => ({
      follow,
      target: targetOf(follow, own),
      isMet: withBudget(follow, asker),
      ids: new Set(idsOf(follow)),
    }));
  };

  return {
    get isUnknown() {
      return known === undefined;
    },
    get isTooMuch() {
      return known?.some(({ ids }) => ids.size > mostFollowed) ?? false;
    },
    get caller() {
      const idsOf = (follow: FollowedReference): readonly string[] => [
        ...(known?.find((each) => each.follow === follow)?.ids ?? []),
      ];
      return known === undefined ? asker : { ...asker, followed: followedBy(current.follows.read, idsOf) };
    },
    get name() {
      return name;
    },
    redefine(next, isSame) {
      current = next;
      const before = known;
      if (!isSame) known = undefined;
      else if (before !== undefined) {
        learn(next, ({ operand }) => before.find(({ follow }) => follow.operand.pointer === operand.pointer)?.ids);
      }
    },
    begin() {
      heard = [];
    },
    settle(own, caller, asOf) {
      const changes = heard;
      heard = undefined;
      // The rule has changed since, or something was missed.
      if (own !== current || changes === undefined) return;
      learn(own, ({ operand }) => caller.followed?.get(operand));
      knownAsOf = asOf;
      for (const each of changes) apply(each);
      rename();
    },
    forget() {
      known = undefined;
      heard = undefined;
      name = 'unknown';
    },
    hear(change) {
      if (current.follows.read.every((follow) => targetOf(follow, current) !== change.collectionId)) return false;
      heard?.push(change);
      // To name what is known takes as long as there are records in it: most changes leave that as it is.
      if (known === undefined || !apply(change)) return false;
      rename();
      return true;
    },
    isTurnedBy: ({ collectionId, before, after }) =>
      (known ?? []).some(
        ({ target, isMet }) =>
          target === collectionId && (before !== undefined && isMet(before)) !== (after !== undefined && isMet(after)),
      ),
  };
}

/** What a followed record has to meet; its patterns have as much to spend on each as those of any rule. */
function withBudget(follow: FollowedReference, caller: Caller): Predicate {
  let budget = createBudget(decisionUnits);
  const isMet = compilePredicate(conditionFor(follow, caller), (units) => budget(units));
  return (document) => {
    budget = createBudget(decisionUnits);
    return isMet(document);
  };
}
