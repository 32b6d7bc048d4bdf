import type { Timestamp } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import { bindCaller } from '../conditions/bind-condition.ts';
import type { Spend } from '../conditions/pattern/automaton.ts';
import { conditionFor, followedBy, mostFollowed } from '../rules/follow/follow-records.ts';
import type { FollowedReference } from '../rules/follow/follows.ts';
import { targetOf } from '../rules/follow/follows.ts';
import type { FieldPath } from '../conditions/field-path.ts';
import type { Caller } from '../rules/rule.ts';
import { hashOf } from './hash-of.ts';
import type { IdSet } from './id-sets.ts';
import type { Interest } from './interests.ts';
import { interestsOf } from './interests.ts';
import type { Meets } from './meets.ts';
import type { RecordChange } from './record-change.ts';
import type { SharedSights } from './shared-sights.ts';

/** What a change has to be of, for it to lead somebody elsewhere. */
export interface FollowedInterest {
  /** The id of the collection. */
  readonly target: string;
  /** What a record there has to have, before or after; undefined where that cannot be said. */
  readonly interests: readonly Interest[] | undefined;
}

/** Where one reference leads. */
interface Known {
  readonly follow: FollowedReference;
  readonly target: string;
  readonly isMet: Meets;
  set: IdSet;
}

/** Where the references lead that the rule of a feed follows: looked for once, and kept in step with the changes of the records there. */
export class FollowedRecords {
  readonly #asker: Caller;
  readonly #shared: Pick<SharedSights, 'idSets' | 'meets'>;
  #current: Collection;
  #interests: readonly FollowedInterest[];
  #known: readonly Known[] | undefined;
  #heard: RecordChange[] | undefined;
  /** What was committed by then is known, of a transaction all: they share one time. */
  #knownAsOf: Timestamp | undefined;
  #name = '';

  /**
   * Nothing is known yet.
   *
   * @param shared - what the process has of it
   */
  constructor(collection: Collection, asker: Caller, shared: Pick<SharedSights, 'idSets' | 'meets'>) {
    this.#current = collection;
    this.#asker = asker;
    this.#shared = shared;
    this.#interests = interestsIn(collection, asker);
  }

  /** Whether nobody has looked yet, by the rule of now. */
  get isUnknown(): boolean {
    return this.#known === undefined;
  }

  /** Whether they are more than a rule may follow. */
  get isTooMuch(): boolean {
    return this.#known?.some(({ set }) => set.ids.length > mostFollowed) ?? false;
  }

  /** How many records they are, as far as that is known. */
  get records(): number {
    return (this.#known ?? []).reduce((sum, { set }) => sum + set.ids.length, 0);
  }

  /** The caller, of whom it is known where references lead. */
  get caller(): Caller {
    const known = this.#known;
    if (known === undefined) return this.#asker;
    const idsOf = (follow: FollowedReference): readonly string[] =>
      known.find((each) => each.follow === follow)?.set.ids ?? [];
    return { ...this.#asker, followed: followedBy(this.#current.follows.read, idsOf) };
  }

  /** The same where the same is known. */
  get name(): string {
    return this.#name;
  }

  /** What changes have to be heard of; the same until it is redefined. */
  get interests(): readonly FollowedInterest[] {
    return this.#interests;
  }

  /** The rule is that of another definition. It stays known what is asked in the same places, where the rule is the same. */
  redefine(next: Collection, isSame: boolean): void {
    this.#current = next;
    this.#interests = interestsIn(next, this.#asker);
    const before = this.#known;
    if (!isSame) {
      this.#known = undefined;
      this.#name = unknownName;
    } else if (before !== undefined) {
      this.#learn(next, ({ operand }) => before.find(({ follow }) => follow.operand.pointer === operand.pointer)?.set);
    }
  }

  /** Somebody begins to look: from here on changes are kept, for what is found may be of before them. */
  begin(): void {
    this.#heard = [];
  }

  /**
   * Somebody has looked.
   *
   * @param own - the collection under whose definition
   * @param caller - by `followAll`
   * @param asOf - the time of which that was read: what was committed by then is in it, whenever one learns of it; undefined where it is of now
   */
  settle(own: Collection, caller: Caller, asOf?: Timestamp): void {
    const changes = this.#heard;
    this.#heard = undefined;
    // The rule has changed since, or something was missed.
    if (own !== this.#current || changes === undefined) return;
    this.#learn(own, ({ operand }) => this.#shared.idSets.of(caller.followed?.get(operand) ?? []));
    this.#knownAsOf = asOf;
    this.#apply(changes);
    this.#rename();
  }

  /** Changes may have been missed: nothing is known, and what is being looked for does not count. */
  forget(): void {
    this.#known = undefined;
    this.#heard = undefined;
    this.#name = unknownName;
  }

  /**
   * Learns of the changes of a commit, those at least that concern its interests.
   *
   * @param spend - what there is for all who hear of them
   * @returns whether references lead elsewhere by them
   * @throws TooCostly where patterns take too long to tell what follows from them
   */
  hear(changes: readonly RecordChange[], spend?: Spend): boolean {
    const own = changes.filter(({ collectionId }) => this.#interests.some(({ target }) => target === collectionId));
    if (own.length === 0) return false;
    this.#heard?.push(...own);
    // Most changes leave it as it is.
    if (this.#known === undefined || !this.#apply(own, spend)) return false;
    this.#rename();
    return true;
  }

  /**
   * Whether a change of before led references elsewhere, which may lead back by now.
   *
   * @throws TooCostly where patterns take too long to tell
   */
  isTurnedBy({ collectionId, before, after }: RecordChange): boolean {
    return (this.#known ?? []).some(
      ({ target, isMet }) =>
        target === collectionId && (before !== undefined && isMet(before)) !== (after !== undefined && isMet(after)),
    );
  }

  /** What becomes of one by changes; the last of a record decides. */
  #turn({ target, isMet, set }: Known, changes: readonly RecordChange[], whole?: Spend): IdSet {
    const turned = new Map<string, boolean>();
    for (const { collectionId, id, after, position } of changes) {
      if (target !== collectionId) continue;
      // A process that is behind learns of it late: it would fall back to how things were then.
      if (this.#knownAsOf !== undefined && position.lessThanOrEqual(this.#knownAsOf)) continue;
      turned.set(id, after !== undefined && isMet(after, whole));
    }
    return turned.size === 0 ? set : set.turn(turned);
  }

  #apply(changes: readonly RecordChange[], whole?: Spend): boolean {
    const known = this.#known ?? [];
    // All of them or none, should one take too long.
    const sets = known.map((each) => this.#turn(each, changes, whole));
    const isOther = known.some(({ set }, at) => set !== sets[at]);
    for (const [at, each] of known.entries()) each.set = sets[at] ?? each.set;
    return isOther;
  }

  #rename(): void {
    this.#name = hashOf(JSON.stringify((this.#known ?? []).map(({ target, set }) => [target, set.name])));
  }

  #learn(own: Collection, setOf: (follow: FollowedReference) => IdSet | undefined): void {
    this.#known = own.follows.read.map((follow) => ({
      follow,
      target: targetOf(follow, own),
      isMet: this.#shared.meets.of(conditionFor(follow, this.#asker)),
      set: setOf(follow) ?? this.#shared.idSets.of([]),
    }));
  }
}

const none: readonly FollowedInterest[] = [];

/** None that was known has it: by cursors of then nobody goes on. */
const unknownName = 'unknown';

function interestsIn(collection: Collection, { auth }: Caller): readonly FollowedInterest[] {
  if (collection.follows.read.length === 0) return none;
  return collection.follows.read.map((follow) => ({
    target: targetOf(follow, collection),
    interests: interestsOf(bindCaller(follow.operand.condition, auth), isTold),
  }));
}

/** Of who is erased, events do not say that a record was theirs. */
const isTold = ({ storage }: FieldPath): boolean => storage !== 'createdBy' && storage !== 'updatedBy';
