import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';

import type { AccessClaims } from '@causeway/service';

import type { Collection } from '../collections/collection-registry.ts';
import type { Condition, Operand } from '../conditions/condition.ts';
import type { BoundCursors } from '../cursors/cursor-codec.ts';
import type { Caller } from '../rules/rule.ts';
import { timelessConditionOf } from '../rules/rule.ts';
import type { Block, EventStreamWriter } from './event-stream-writer.ts';
import { createEventStreamWriter } from './event-stream-writer.ts';
import type { FeedView } from './feed-view.ts';
import { createFeedView } from './feed-view.ts';
import type { Place } from './place.ts';
import { toStored } from './place.ts';

/** What a feed is opened with. */
export interface FeedOptions {
  readonly collection: Collection;
  readonly caller: Caller;
  readonly token: AccessClaims | undefined;
  readonly filter: Condition<Operand>;
  readonly cursors: BoundCursors;
  readonly response: ServerResponse;
}

/** Names a read rule in cursors: under another one, other changes would have been told. */
export const nameOfRule = ({ source }: Collection): string =>
  createHash('sha256')
    .update(JSON.stringify(source.rules.read ?? null))
    .digest('base64url')
    .slice(0, 12);

/** One subscriber: what it sees, and where it is told. */
export class Feed {
  readonly collectionId: string;
  readonly token: AccessClaims | undefined;
  /** Resolves when the feed has ended, by either side. */
  readonly over: Promise<void>;
  /** Aborted when the feed has ended. */
  readonly signal: AbortSignal;
  readonly #options: FeedOptions;
  readonly #writer: EventStreamWriter;
  #collection: Collection;
  #rule: string;
  #view: FeedView;

  constructor(options: FeedOptions) {
    const { collection, token, response } = options;
    this.#options = options;
    this.#collection = collection;
    this.collectionId = collection.id;
    this.token = token;
    this.#writer = createEventStreamWriter(response);
    this.#rule = nameOfRule(collection);
    this.#view = this.#makeView();
    const ending = new AbortController();
    this.signal = ending.signal;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.over = promise;
    const close = (): void => {
      ending.abort();
      resolve(undefined);
    };
    if (response.closed) close();
    else response.once('close', close).once('finish', close);
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

  /** Whether the read rule has changed since the view was made. */
  get isOutdated(): boolean {
    return nameOfRule(this.#collection) !== this.#rule;
  }

  /** @returns whether the read rule is another one now; {@link renew} takes it on */
  redefine(collection: Collection): boolean {
    this.#collection = collection;
    return this.isOutdated;
  }

  /** Sees by the current rule from now on. */
  renew(): void {
    this.#rule = nameOfRule(this.#collection);
    this.#view = this.#makeView();
  }

  cursorAt(place: Place, generation: string): string {
    return this.#options.cursors.encode(toStored({ place, generation, rule: this.#rule }));
  }

  /** @returns false where the reader is too slow */
  write(block: Block): boolean {
    return this.#writer.write(block);
  }

  /** Waits for a reader that is behind. @returns false where it does not come nearer in time */
  drained(): Promise<boolean> {
    return this.#writer.drained();
  }

  end(event: 'end' | 'gap', reason: string): void {
    this.#writer.end({ event, data: JSON.stringify({ reason }) });
  }

  #makeView(): FeedView {
    const { caller, filter } = this.#options;
    return createFeedView(timelessConditionOf(this.#collection.rules.read, caller), filter);
  }
}
