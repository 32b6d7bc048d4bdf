import { createHash } from 'node:crypto';

import type { Timestamp } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import { bindCaller } from '../conditions/bind-condition.ts';
import { compilePredicate } from '../conditions/compile-predicate.ts';
import { createBudget } from '../conditions/evaluation-budget.ts';
import type { Spend } from '../conditions/pattern/automaton.ts';
import { conditionFor, followedBy, mostFollowed } from '../rules/follow/follow-records.ts';
import type { FollowedReference } from '../rules/follow/follows.ts';
import { targetOf } from '../rules/follow/follows.ts';
import type { Caller } from '../rules/rule.ts';
import { decisionUnits } from '../rules/rule.ts';
import type { IdSet, IdSets } from './id-sets.ts';
import type { Interest } from './interests.ts';
import { interestsOf } from './interests.ts';
import type { RecordChange } from './record-change.ts';

/** What a change has to be of, for it to lead somebody elsewhere. */
export interface FollowedInterest {
  /** The id of the collection. */
  readonly target: string;
  /** What a record there has to have, before or after; undefined where that cannot be said. */
  readonly interests: readonly Interest[] | undefined;
}

/** Where the references lead that the rule of a feed follows: looked for once, and kept in step with the changes of the records there. */
export interface FollowedRecords {
  /** Whether nobody has looked yet, by the rule of now. */
  readonly isUnknown: boolean;
  /** Whether they are more than a rule may follow. */
  readonly isTooMuch: boolean;
  /** What is known, for each reference. */
  readonly sets: readonly IdSet[];
  /** The caller, of whom it is known where references lead. */
  readonly caller: Caller;
  /** The same where the same is known. */
  readonly name: string;
  /** What changes have to be heard of; the same until it is redefined. */
  readonly interests: readonly FollowedInterest[];
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
   * Learns of the changes of a commit, those at least that concern its interests.
   *
   * @param spend - what there is for all who hear of them
   * @returns whether references lead elsewhere by them
   * @throws TooCostly where patterns take too long to tell what follows from them
   */
  hear(changes: readonly RecordChange[], spend?: Spend): boolean;
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
  readonly isMet: (document: object, whole?: Spend) => boolean;
  set: IdSet;
}

/**
 * Makes it, with nothing known.
 *
 * @param idSets - those of the process
 */
export function createFollowedRecords(collection: Collection, asker: Caller, idSets: IdSets): FollowedRecords {
  let current = collection;
  let interests = interestsIn(collection, asker);
  let known: readonly Known[] | undefined;
  let heard: RecordChange[] | undefined;
  /** What was committed by then is known, of a transaction all: they share one time. */
  let knownAsOf: Timestamp | undefined;
  let name = '';

  /** What becomes of one by changes; the last of a record decides. */
  const turn = ({ target, isMet, set }: Known, changes: readonly RecordChange[], whole?: Spend): IdSet => {
    const turned = new Map<string, boolean>();
    for (const { collectionId, id, after, position } of changes) {
      if (target !== collectionId) continue;
      // A process that is behind learns of it late: it would fall back to how things were then.
      if (knownAsOf !== undefined && position.lessThanOrEqual(knownAsOf)) continue;
      turned.set(id, after !== undefined && isMet(after, whole));
    }
    return turned.size === 0 ? set : set.turn(turned);
  };
  const apply = (changes: readonly RecordChange[], whole?: Spend): boolean => {
    let isOther = false;
    for (const each of known ?? []) {
      const set = turn(each, changes, whole);
      isOther ||= set !== each.set;
      each.set = set;
    }
    return isOther;
  };
  const rename = (): void => {
    name = createHash('sha256')
      .update(JSON.stringify((known ?? []).map(({ target, set }) => [target, set.name])))
      .digest('base64url');
  };
  const learn = (own: Collection, setOf: (follow: FollowedReference) => IdSet | undefined): void => {
    known = own.follows.read.map((follow) => ({
      follow,
      target: targetOf(follow, own),
      isMet: withBudget(follow, asker),
      set: setOf(follow) ?? idSets.of([]),
    }));
  };

  return {
    get isUnknown() {
      return known === undefined;
    },
    get isTooMuch() {
      return known?.some(({ set }) => set.ids.length > mostFollowed) ?? false;
    },
    get sets() {
      return (known ?? []).map(({ set }) => set);
    },
    get caller() {
      const idsOf = (follow: FollowedReference): readonly string[] =>
        known?.find((each) => each.follow === follow)?.set.ids ?? [];
      return known === undefined ? asker : { ...asker, followed: followedBy(current.follows.read, idsOf) };
    },
    get name() {
      return name;
    },
    get interests() {
      return interests;
    },
    redefine(next, isSame) {
      current = next;
      interests = interestsIn(next, asker);
      const before = known;
      if (!isSame) known = undefined;
      else if (before !== undefined) {
        learn(next, ({ operand }) => before.find(({ follow }) => follow.operand.pointer === operand.pointer)?.set);
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
      learn(own, ({ operand }) => idSets.of(caller.followed?.get(operand) ?? []));
      knownAsOf = asOf;
      apply(changes);
      rename();
    },
    forget() {
      known = undefined;
      heard = undefined;
      name = 'unknown';
    },
    hear(changes, spend) {
      const own = changes.filter(({ collectionId }) => interests.some(({ target }) => target === collectionId));
      if (own.length === 0) return false;
      heard?.push(...own);
      // Most changes leave it as it is.
      if (known === undefined || !apply(own, spend)) return false;
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

function interestsIn(collection: Collection, { auth }: Caller): readonly FollowedInterest[] {
  return collection.follows.read.map((follow) => ({
    target: targetOf(follow, collection),
    interests: interestsOf(bindCaller(follow.operand.condition, auth)),
  }));
}

/** What a followed record has to meet; its patterns have as much to spend on each as those of any rule. */
function withBudget(follow: FollowedReference, caller: Caller): Known['isMet'] {
  let budget: Spend;
  const isMet = compilePredicate(conditionFor(follow, caller), (units) => budget(units));
  return (document, whole) => {
    budget = createBudget(decisionUnits, whole);
    return isMet(document);
  };
}
