import { randomBytes } from 'node:crypto';

import { recordCreated, recordDeleted, recordUpdated } from '@causeway/contracts';
import type { EventEnvelope } from '@causeway/contracts';
import type { Change, CommitStream } from '@causeway/events';
import { Timestamp } from 'mongodb';

import { createEventStreamWriter } from '../changes/event-stream-writer.ts';
import { createFeedCursors } from '../changes/feed-cursors.ts';
import type { FeedHub, FeedHubOptions } from '../changes/feed-hub.ts';
import type { FeedBeginning } from '../changes/feed-options.ts';
import { createFeedHub } from '../changes/feed-hub.ts';
import { createSharedSights } from '../changes/shared-sights.ts';
import { Feed } from '../changes/feed.ts';
import type { FeedCursor } from '../changes/place.ts';
import type { Collection } from '../collections/collection-registry.ts';
import type { Condition, Operand } from '../conditions/condition.ts';
import { everything } from '../conditions/condition.ts';
import { createCursorCodec } from '../cursors/cursor-codec.ts';
import type { Caller } from '../rules/rule.ts';
import type { FakeResponse } from './fake-response.ts';
import { createFakeResponse } from './fake-response.ts';

type Listener = Parameters<CommitStream['subscribe']>[0];

/** A hub without a database, whose commits a test makes. */
export interface TestHub {
  readonly hub: FeedHub;
  /** What was logged as an error. */
  readonly logged: Record<string, unknown>[];
  /** Brings a change, as the commit stream does; what the hub throws over it is noted by {@link TestHub.logged}, and it hears of a gap. */
  bring(change: Change): void;
  /** Changes may have been missed. */
  miss(): void;
  /** Nothing but the beacon has moved. */
  beacon(seconds: number): void;
  /** Reads a cursor of its feeds. */
  decode(cursor: string): FeedCursor;
  /** Opens a feed, by an administrator where nothing is said. */
  follow(
    filter?: Condition<Operand>,
    beginning?: Partial<FeedBeginning> & { readonly caller?: Caller; readonly collection?: Collection },
  ): FakeResponse & { readonly feed: Feed };
}

/** The collection of every feed of a {@link TestHub}: anybody may read it. */
export const hubCollection = {
  id: 'col_a',
  revision: 1,
  rules: { read: { kind: 'public' } },
  source: { rules: { read: 'public' } },
  fields: [],
  follows: { read: [], all: [] },
} as unknown as Collection;
const administrator: Caller = { signedIn: true, administrator: true, auth: {} };
const bound = createCursorCodec(randomBytes(32))({ collectionId: hubCollection.id, query: 'all', principal: 'admin' });

const feedCursors = createFeedCursors({ secret: randomBytes(32), generation: 'g' });

/** Where a change of this second stands. */
export const at = (seconds: number): Timestamp => new Timestamp({ t: seconds, i: 1 });

/** A change of a record in the collection that every feed of a {@link TestHub} follows, whose event is named by the record and its revision. */
export function changeOf(
  id: string,
  seconds: number,
  about: {
    readonly before?: object;
    readonly after?: object;
    readonly revision?: number;
    readonly transaction?: string;
    readonly batch?: { readonly id: string; readonly size: number };
  } = {},
): Change {
  const { before, after = before === undefined ? {} : undefined, transaction, batch } = about;
  const revision = about.revision ?? (before === undefined ? 1 : 2);
  const type =
    before === undefined ? recordCreated.type : after === undefined ? recordDeleted.type : recordUpdated.type;
  const time = new Date(seconds * 1_000).toISOString();
  const data = { createdAt: time, beforeUpdatedAt: time, fields: after, before };
  const group = batch === undefined ? {} : { batchid: batch.id, batchindex: '0', batchsize: String(batch.size) };
  return {
    collection: 'records_col_a',
    id,
    revision,
    event: { id: `${id}-${revision}`, type, time, data, ...group } as unknown as EventEnvelope,
    document: undefined,
    deleted: type === recordDeleted.type,
    clusterTime: at(seconds),
    transaction,
  };
}

/** Makes it, with the beacon at the first second. */
export function openTestHub(options: Partial<FeedHubOptions> = {}): TestHub {
  const shared = createSharedSights();
  const listeners: [Listener, (() => void) | undefined][] = [];
  const logged: Record<string, unknown>[] = [];
  const logger = { error: (fields: Record<string, unknown>): void => void logged.push(fields) };
  const stream = {
    position: at(1),
    subscribe: (listener: Listener, onGap?: () => void) => {
      listeners.push([listener, onGap]);
      return () => undefined;
    },
  };
  const hub = createFeedHub({
    stream: stream as unknown as CommitStream,
    registry: { get: () => hubCollection, knownAsOf: () => undefined, onChange: () => () => undefined },
    generation: 'g',
    cursors: feedCursors,
    isRevoked: () => false,
    sendSnapshot: () => Promise.reject(new Error('no snapshot expected')),
    look: () => Promise.reject(new Error('nothing to look for')),
    settled: () => Promise.resolve(),
    limit: 10_000,
    historyBytes: 10_000_000,
    logger,
    ...options,
  });
  return {
    hub,
    logged,
    bring(change) {
      stream.position = change.clusterTime;
      for (const [listener, onGap] of listeners) {
        try {
          listener(change);
        } catch (error) {
          logger.error({ error });
          onGap?.();
        }
      }
    },
    miss() {
      for (const [, onGap] of listeners) onGap?.();
    },
    beacon: (seconds) => {
      stream.position = at(seconds);
    },
    decode: (cursor) => feedCursors.read(cursor, bound),
    follow(
      filter = everything,
      { resumed, after, snapshotPlace, caller = administrator, collection = hubCollection } = {},
    ) {
      const fake = createFakeResponse();
      const { response } = fake;
      const feed = new Feed({
        ...{ collection, caller, token: undefined, filter },
        writer: createEventStreamWriter(response),
        beginCursors: (rule) => feedCursors.begin(bound, rule),
        snapshots: false,
        shared,
      });
      void hub.serve(feed, { resumed, after, snapshotPlace });
      return { ...fake, feed };
    },
  };
}
