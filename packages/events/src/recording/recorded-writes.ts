import type { EventEnvelope } from '@causeway/contracts';
import type { ClientSession } from 'mongodb';

import type { EventGroup } from './event-group.ts';
import type { EventDraft, RecordedDocument, StateOf } from './recorded-document.ts';

/** The revisions that a caller accepts: `If-Match`, parsed. */
export type IfMatch = '*' | readonly number[];

/** What a write did. */
export interface RecordedWrite<Doc extends RecordedDocument> {
  readonly document: Doc;
  readonly event: EventEnvelope;
}

/** What an update did; without `event`, there was nothing to change. */
export interface RecordedUpdate<Doc extends RecordedDocument> {
  readonly document: Doc;
  readonly event?: EventEnvelope;
}

/** A document to create, and the event that says so. */
export interface Creation<Doc extends RecordedDocument> {
  readonly _id: string;
  readonly state: StateOf<Doc>;
  readonly event: EventDraft;
}

/** What a service decides: the whole new state, and the event that says so. */
export interface Decision<Doc extends RecordedDocument> {
  readonly state: StateOf<Doc>;
  readonly event: EventDraft;
}

/** How to write. */
export interface WriteOptions {
  /** Of `events.transaction()`: the write becomes part of it. */
  readonly session?: ClientSession;
  /** Where the event is one of several that are recorded together, in one transaction. */
  readonly group?: EventGroup;
}

/** How to change or delete. */
export interface ChangeOptions extends WriteOptions {
  /** Only at one of these revisions; then it is tried once. */
  readonly ifMatch?: IfMatch;
}

/** How to change. */
export interface UpdateOptions<Doc extends RecordedDocument> extends ChangeOptions {
  /** The whole document, where the caller has just read it at majority: the first try decides by it, and reads nothing. */
  readonly current?: Doc;
  /** How often it is tried against others, 5 times where nothing is said; after the fifth each try waits for up to 50 ms. */
  readonly tries?: number;
}

/** How to delete. */
export interface DeleteOptions<Doc extends RecordedDocument> extends ChangeOptions {
  /** The whole document, where the caller has read it in this session: it is not read again. */
  readonly current?: Doc;
}

/** A write that has been decided. */
export type PlannedWrite<Doc extends RecordedDocument> =
  | { readonly kind: 'create'; readonly creation: Creation<Doc> }
  | { readonly kind: 'update'; readonly current: Doc; readonly decision: Decision<Doc> }
  | { readonly kind: 'delete'; readonly current: Doc; readonly event: EventDraft };

/** How to make many writes. */
export interface WriteManyOptions {
  /** Of `events.transaction()`. */
  readonly session: ClientSession;
  /** The place of the first one's event; each of the others has the next. */
  readonly group?: EventGroup;
  /** When all of them are made; default now. */
  readonly at?: Date;
}
