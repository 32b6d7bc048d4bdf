import type { AccessClaims } from '@causeway/service';
import type { Timestamp } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import type { Condition, Operand } from '../conditions/condition.ts';
import { TooCostly } from '../conditions/evaluation-budget.ts';
import type { Spend } from '../conditions/pattern/automaton.ts';
import { queryNeedsIndex } from '../queries/queries.errors.ts';
import { arePlaced } from '../queries/required-indexes.ts';
import type { Caller } from '../rules/rule.ts';
import { GuardRefused } from '../rules/guard-condition.ts';
import { isFollowing } from '../rules/follow/follow-records.ts';
import { targetOf } from '../rules/follow/follows.ts';
import { DueSnapshot } from './due-snapshot.ts';
import type { FeedOptions, GapReason } from './feed-options.ts';
import type { FeedView } from './feed-view.ts';
import type { FeedWriter, Message } from './feed-writer.ts';
import { messageOf } from './feed-writer.ts';
import { FollowedRecords } from './followed-records.ts';
import { nameOfRule, nameOfSight } from './name-of-rule.ts';
import type { RecordChange } from './record-change.ts';

/** Sees nothing. */
const blind: FeedView = { key: 'blind', interests: [], tell: () => undefined };

const none: Pick<FollowedRecords, 'interests' | 'records'> = { interests: [], records: 0 };

/** One subscriber: what it sees, and where it is told. */
export class Feed {
  readonly collectionId: string;
  readonly token: AccessClaims | undefined;
  /** Who asks, as far as that is known without a look at other records. */
  readonly asker: Caller;
  readonly filter: Condition<Operand>;
  /** Whether it is sent the current result where changes are missing. */
  readonly snapshots: boolean;
  /** Resolves when the feed has ended, by either side. */
  readonly over: Promise<void>;
  /** Aborted when the feed has ended. */
  readonly signal: AbortSignal;
  readonly #options: FeedOptions;
  readonly #writer: FeedWriter;
  readonly #followed: FollowedRecords;
  readonly #snapshot = new DueSnapshot();
  #collection: Collection;
  /** Of the collection as it is known. */
  #newestRule: string;
  /** Of the view. */
  #rule: string;
  #view: FeedView;
  #cursorsBegin: string;
  #hasTurned = false;
  #noteFollowed: (() => void) | undefined;

  constructor(options: FeedOptions) {
    const { collection, caller, token, filter, writer, snapshots, shared } = options;
    this.#options = options;
    this.#collection = collection;
    this.collectionId = collection.id;
    this.token = token;
    this.asker = caller;
    this.#followed = new FollowedRecords(collection, caller, shared);
    this.filter = filter;
    this.snapshots = snapshots;
    this.#writer = writer;
    this.#newestRule = this.#nameRule();
    this.#rule = this.#newestRule;
    this.#view = this.#makeView();
    this.#cursorsBegin = options.beginCursors(this.#rule);
    const ending = new AbortController();
    this.signal = ending.signal;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.over = promise;
    writer.onEnd(() => {
      ending.abort();
      resolve(undefined);
      this.#snapshot.end();
    });
  }

  get rule(): string {
    return this.#rule;
  }

  get view(): FeedView {
    return this.#view;
  }

  hasEnded(): boolean {
    return this.#writer.ended;
  }

  /** The definition as the feed knows it. */
  get collection(): Collection {
    return this.#collection;
  }

  /** Who asks, by the records that the rule follows as they are known. */
  get caller(): Caller {
    return this.#followed.caller;
  }

  /** Whether its rule follows references to other records, which decide what it is told. */
  get isFollowing(): boolean {
    return isFollowing(this.#collection, this.asker);
  }

  /** Whether somebody has to look where they lead before it can be told anything. */
  get needsLook(): boolean {
    return this.isFollowing && this.#followed.isUnknown;
  }

  /** Where the references lead that its rule follows, and what changes decide that. */
  get followed(): Pick<FollowedRecords, 'interests' | 'records'> {
    return this.isFollowing ? this.#followed : none;
  }

  /** Whether nothing is told until a snapshot has been sent. */
  get awaitsSnapshot(): boolean {
    return this.#snapshot.isAwaited;
  }

  /** Whether the read rule has changed since the view was made, or was another one in what is being told. */
  get isOutdated(): boolean {
    return this.#hasTurned || this.#newestRule !== this.#rule;
  }

  /** The collections whose changes decide what it is told. */
  get concerns(): readonly string[] {
    const { follows } = this.#collection;
    const followed = this.isFollowing ? follows.read.map((follow) => targetOf(follow, this.#collection)) : [];
    return [this.collectionId, ...followed];
  }

  /**
   * Learns of a definition; of one that is older than what the feed knows, as it may be where MongoDB was asked, nothing.
   *
   * @returns whether the read rule is another one now; {@link renew} takes it on
   */
  redefine(collection: Collection): boolean {
    if (collection.revision >= this.#collection.revision) {
      this.#followed.redefine(collection, nameOfRule(collection) === nameOfRule(this.#collection));
      this.#collection = collection;
      this.#newestRule = this.#nameRule();
      this.#noteFollowed?.();
      // Nothing has values checked any more of which the filter asks where they lie.
      if (!arePlaced(collection, this.filter)) this.end('end', queryNeedsIndex.declaration.code);
    }
    return this.isOutdated;
  }

  /** @param listener - is called whenever what its rule follows may be something else, and whenever it sees anew */
  onFollowed(listener: () => void): void {
    this.#noteFollowed = listener;
  }

  /** Somebody is about to look where references lead. */
  beginLook(): void {
    this.#followed.begin();
  }

  /**
   * Learns where references lead, and sees by that.
   *
   * @param collection - under whose definition somebody has looked
   * @param caller - by `followAll`
   * @param asOf - the time of which that was read; undefined for now
   */
  settleLook(collection: Collection, caller: Caller, asOf?: Timestamp): void {
    this.#bounded(() => this.#followed.settle(collection, caller, asOf));
    if (this.hasEnded()) return;
    this.#newestRule = this.#nameRule();
    // The definition has changed meanwhile, or changes were missed.
    if (this.needsLook) this.end('gap', 'rights');
    else this.renew();
  }

  /** Changes may have been missed. */
  forgetLook(): void {
    this.#followed.forget();
    this.#newestRule = this.#nameRule();
  }

  /**
   * Learns of the changes of a commit that may be of records which the rule follows. {@link isOutdated} tells what comes of it.
   *
   * @param spend - what there is for all who hear of them
   */
  hear(changes: readonly RecordChange[], spend?: Spend): void {
    if (!this.isFollowing) return;
    this.#bounded(() => {
      if (!this.#followed.hear(changes, spend)) return;
      this.#newestRule = this.#nameRule();
      if (this.#followed.isTooMuch) this.end('end', 'rule-too-costly');
    });
  }

  /** Learns of changes that it has missed, before it is told them: by other rights than those of now it would have been told otherwise. */
  hearEarlier(changes: readonly RecordChange[]): void {
    if (!this.isFollowing) return;
    this.#bounded(() => {
      this.#hasTurned ||= changes.some((change) => this.#followed.isTurnedBy(change));
    });
  }

  /** Sees by the current rule from now on. */
  renew(): void {
    this.#hasTurned = false;
    this.#rule = this.#newestRule;
    this.#view = this.#makeView();
    this.#cursorsBegin = this.#options.beginCursors(this.#rule);
    this.#noteFollowed?.();
  }

  /** Begins with a snapshot. */
  askSnapshot(): void {
    this.#snapshot.ask();
  }

  /**
   * Says that changes are missing, which a snapshot is to make up for. It has no `id`, and neither has anything until the snapshot
   * is whole: whoever is cut off before comes back with the cursor of before, and is sent another one.
   */
  lose(reason: GapReason): void {
    if (this.write({ event: 'gap', data: JSON.stringify({ reason }) })) this.#options.noteGap?.(reason);
    else this.end('gap', 'slow');
    this.askSnapshot();
  }

  /** Waits until a snapshot is due, and takes it that it is seen to. @returns false where the feed has ended */
  async snapshotIsDue(): Promise<boolean> {
    await this.#snapshot.wait();
    return !this.hasEnded();
  }

  /** @param telling - of what it had no room for, until it is told live again; never rejected */
  followTelling(telling: Promise<void>): void {
    this.#snapshot.followTelling(telling);
  }

  /** @param sealed - of a place, by `FeedCursors` */
  cursorAt(sealed: string): string {
    return this.#cursorsBegin + sealed;
  }

  /** @returns false where there is no room for it */
  write({ id, ...told }: { readonly event?: string; readonly data?: string; readonly id?: string }): boolean {
    return this.#writer.write(told.event === undefined ? messageOf() : messageOf(told), id);
  }

  /**
   * Writes what all are told who see the same.
   *
   * @param message - made once
   * @param sealed - of the place after it; without one more of the same commit follows
   * @returns false where there is no room for it, and nothing of it has been written
   */
  tell(message: Message, sealed: string | undefined): boolean {
    return this.#writer.write(message, sealed === undefined ? undefined : this.cursorAt(sealed));
  }

  /** Waits for a reader that is behind. @returns false where it does not come nearer in time */
  drained(): Promise<boolean> {
    return this.#writer.drained();
  }

  end(event: 'end' | 'gap', reason: string): void {
    if (event === 'gap' && !this.hasEnded()) this.#options.noteGap?.(reason);
    this.#writer.end(messageOf({ event, data: JSON.stringify({ reason }) }));
  }

  #nameRule(): string {
    return nameOfSight(this.#collection, this.asker, this.isFollowing ? this.#followed.name : undefined);
  }

  /** Ends the feed where that takes too long. */
  #bounded(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof TooCostly)) throw error;
      this.end('end', 'rule-too-costly');
    }
  }

  #makeView(): FeedView {
    if (this.needsLook) return blind;
    try {
      const { caller, filter } = this;
      const followed = this.isFollowing ? this.#followed.name : '';
      return this.#options.shared.views.of({ collection: this.#collection, caller, filter, followed });
    } catch (error) {
      if (!(error instanceof GuardRefused)) throw error;
      // The rules have changed, so that such a filter could not be asked any more.
      this.end('end', error.code);
      return blind;
    }
  }
}
