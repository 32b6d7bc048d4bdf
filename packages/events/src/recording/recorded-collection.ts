import { faults, type Cause, type EventEnvelope } from '@causeway/contracts';
import {
  type ClientSession,
  type Collection,
  type Db,
  type Filter,
  type MatchKeysAndValues,
  type UpdateFilter,
} from 'mongodb';

import { buildEvent } from './build-event.ts';
import { RevisionMismatch, translate } from './errors.ts';
import { createInserter } from './insert-documents.ts';
import { checkOutboxSize, limits, outboxFull } from './limits.ts';
import {
  recordedKeys,
  tombstoneId,
  tombstones,
  type EventDraft,
  type RecordedDocument,
  type StateOf,
  type Tombstone,
} from './recorded-document.ts';
import type { Bell, RecordedRow, SessionJournal } from './session-journal.ts';
import { isRecorded, isUnknownOutcome, settleUpdate, unsettled } from './unknown-outcome.ts';

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
}

/** How {@link recordedCollection} is wired. */
export interface RecordedCollectionOptions {
  readonly service: string;
  readonly db: Db;
  readonly journal: SessionJournal;
  readonly bell: Bell;
  readonly transaction: <T>(work: (session: ClientSession) => Promise<T>) => Promise<T>;
  readonly now: () => Date;
  /** The kind of thing that its subjects name: `account`. */
  readonly thing: string;
  /** Whether an `_id` may be used anew after a delete: then a create goes on from the tombstone's revision. */
  readonly reusableIds: boolean;
}

/**
 * A MongoDB collection whose every write records an event in the same document, in the same operation. It is the only way
 * to write such a collection.
 */
export interface RecordedCollection<Doc extends RecordedDocument> {
  readonly name: string;
  /** The driver's collection, at majority: for reads and indexes. */
  readonly native: Collection<Doc>;

  /**
   * Creates a document.
   *
   * @throws {@link DuplicateKey}; `unavailable` while what was deleted under this id has too much to publish
   */
  create(cause: Cause, creation: Creation<Doc>, options?: WriteOptions): Promise<RecordedWrite<Doc>>;

  /**
   * Creates documents by one unordered insert: each stands or falls by itself.
   *
   * @returns for each, in the order given, the write or why it failed
   */
  createMany(
    cause: Cause,
    creations: readonly Creation<Doc>[],
    options?: WriteOptions,
  ): Promise<(RecordedWrite<Doc> | { readonly error: unknown })[]>;

  /**
   * Changes a document by compare-and-set on its revision. `decide` is called with what is there, anew after each lost
   * race (at most 5 times), and gives the whole new state, or undefined where there is nothing to change.
   *
   * @returns undefined where there is no such document
   * @throws {@link RevisionMismatch}, {@link DuplicateKey}, `conflict` after 5 lost races, `unavailable` while the outbox is full, or where
   * nobody can tell whether it was made
   */
  update(
    cause: Cause,
    id: string,
    decide: (current: Doc) => Decision<Doc> | undefined | Promise<Decision<Doc> | undefined>,
    options?: UpdateOptions<Doc>,
  ): Promise<RecordedUpdate<Doc> | undefined>;

  /**
   * Deletes a document, in a transaction that leaves a tombstone with its events.
   *
   * @returns undefined where there is no such document
   * @throws {@link RevisionMismatch}, `conflict` after 5 lost races, `unavailable` while the outbox is full
   */
  delete(
    cause: Cause,
    id: string,
    decide: (current: Doc) => EventDraft | Promise<EventDraft>,
    options?: ChangeOptions,
  ): Promise<RecordedWrite<Doc> | undefined>;
}

/** A write that was not there when it was looked for, and may still be on its way. */
interface OpenWrite {
  readonly event: EventEnvelope;
  /** In place of its answer. */
  readonly error: unknown;
}

/** A document as a compare-and-set leaves it. */
const changed = <Doc extends RecordedDocument>(
  current: Doc,
  set: object,
  gone: readonly string[],
  event: EventEnvelope,
): Doc => {
  const document = { ...current, ...set, outbox: [...current.outbox, event] };
  for (const key of gone) Reflect.deleteProperty(document, key);
  return document;
};

const checkRevision = (ifMatch: IfMatch | undefined, revision: number): void => {
  if (ifMatch !== undefined && ifMatch !== '*' && !ifMatch.includes(revision)) throw new RevisionMismatch(revision);
};

/** Makes the {@link RecordedCollection} of one MongoDB collection. */
export const recordedCollection = <Doc extends RecordedDocument>(
  name: string,
  options: RecordedCollectionOptions,
): RecordedCollection<Doc> => {
  const { service, db, journal, bell, transaction, now, thing } = options;
  const native = db.collection<Doc>(name);
  const graves = db.collection<Tombstone>(tombstones);
  const inserter = createInserter(native, db);
  const byId = (id: string): Filter<Doc> => ({ _id: id }) as Filter<Doc>;

  /** Rings at once, or after the commit of the transaction that the write is part of. */
  const announce = (row: RecordedRow, eventId: string, session?: ClientSession): void => {
    if (session === undefined) bell(row);
    else journal.note(session, row, eventId);
  };
  const rowOf = ({ _id, outbox }: Doc): RecordedRow => ({ collection: name, id: _id, outbox });

  const build = (cause: Cause, creation: Creation<Doc>, grave?: Tombstone): RecordedWrite<Doc> => {
    const at = now();
    const revision = (grave?.revision ?? 0) + 1;
    const event = buildEvent(cause, creation.event, { service, thing, id: creation._id, revision, at });
    const own = { _id: creation._id, revision, event: event.id, createdAt: at, updatedAt: at };
    const document = { ...creation.state, ...own, outbox: [...(grave?.outbox ?? []), event] };
    return { document: document as unknown as Doc, event };
  };

  const insert = async (write: RecordedWrite<Doc>, session?: ClientSession): Promise<void> => {
    await inserter.one(write.document, session);
    announce(rowOf(write.document), write.event.id, session);
  };

  const createAnew = async (
    cause: Cause,
    creation: Creation<Doc>,
    session: ClientSession,
  ): Promise<RecordedWrite<Doc>> => {
    const grave = await graves.findOneAndDelete({ _id: tombstoneId(name, creation._id) }, { session });
    checkOutboxSize(grave?.outbox ?? []);
    const write = build(cause, creation, grave ?? undefined);
    await insert(write, session);
    return write;
  };

  const create: RecordedCollection<Doc>['create'] = async (cause, creation, { session } = {}) => {
    if (options.reusableIds) {
      const work = (own: ClientSession): Promise<RecordedWrite<Doc>> => createAnew(cause, creation, own);
      return session === undefined ? transaction(work) : work(session);
    }
    const write = build(cause, creation);
    await insert(write, session);
    return write;
  };

  const createMany: RecordedCollection<Doc>['createMany'] = async (cause, creations, { session } = {}) => {
    if (options.reusableIds) throw new TypeError('ids that come back are created one by one: each has its tombstone');
    const results = creations.map((creation): RecordedWrite<Doc> | { readonly error: unknown } => {
      try {
        return build(cause, creation);
      } catch (error) {
        return { error };
      }
    });
    const built = results.flatMap((result, index) => ('error' in result ? [] : [{ index, write: result }]));
    if (built.length === 0) return results;
    const documents = built.map(({ write }) => write.document);
    for (const [at, error] of (await inserter.many(documents, session)).entries()) {
      const index = built[at]?.index;
      if (index !== undefined && error !== undefined) results[index] = { error };
    }
    for (const result of results) {
      if (!('error' in result)) announce(rowOf(result.document), result.event.id, session);
    }
    return results;
  };

  /** One compare-and-set; undefined where somebody else was faster. */
  const compareAndSet = async (
    cause: Cause,
    current: Doc,
    decision: Decision<Doc>,
    open: OpenWrite[],
    session?: ClientSession,
  ): Promise<RecordedWrite<Doc> | undefined> => {
    checkOutboxSize(current.outbox);
    const at = now();
    const place = { service, thing, id: current._id, revision: current.revision + 1, at };
    const event = buildEvent(cause, decision.event, place);
    const gone = Object.keys(current).filter((key) => !recordedKeys.has(key) && !(key in decision.state));
    const set = { ...decision.state, revision: place.revision, event: event.id, updatedAt: at };
    const update = {
      $set: set as MatchKeysAndValues<Doc>,
      ...(gone.length === 0 ? {} : { $unset: Object.fromEntries(gone.map((key) => [key, ''])) }),
      $push: { outbox: event },
    } as unknown as UpdateFilter<Doc>;
    const filter = {
      _id: current._id,
      revision: current.revision,
      [`outbox.${limits.outboxEvents - 1}`]: { $exists: false },
    } as unknown as Filter<Doc>;
    let document: Doc | null;
    try {
      // Not `findOneAndUpdate`: so that it can be tried again, MongoDB would write down what it answers, at each call. What is there now
      // is known; but the outbox may be shorter, where the relay has pulled something since `current` was read.
      const { matchedCount } = await native.updateOne(filter, update, session === undefined ? {} : { session });
      document = matchedCount === 0 ? null : changed(current, set, gone, event);
    } catch (error) {
      if (session !== undefined || !isUnknownOutcome(error)) throw translate(error);
      document = await settleUpdate(native, db, current._id, event, error);
      // Not there yet is not never: it may still be on its way.
      if (document === null) open.push({ event, error });
    }
    if (document === null) return undefined;
    announce(rowOf(document), event.id, session);
    return { document, event };
  };

  const read = async (id: string, session?: ClientSession): Promise<Doc | null> =>
    (await native.findOne(byId(id), session === undefined ? {} : { session })) as Doc | null;

  const update: RecordedCollection<Doc>['update'] = async (cause, id, decide, { ifMatch, session, ...given } = {}) => {
    const open: OpenWrite[] = [];
    for (let tries = 1; tries <= limits.tries; tries += 1) {
      const current = (tries === 1 ? given.current : undefined) ?? (await read(id, session));
      if (current === null) return undefined;
      for (const { event } of open) {
        if (!(await isRecorded(db, current, event.id))) continue;
        announce(rowOf(current), event.id, session);
        return { document: current, event };
      }
      checkRevision(ifMatch, current.revision);
      if (current.outbox.length >= limits.outboxEvents) throw outboxFull();
      const decision = await decide(current);
      if (decision === undefined) return { document: current };
      const write = await compareAndSet(cause, current, decision, open, session);
      if (write !== undefined) return write;
    }
    // Whoever is told of a conflict takes it for a no.
    if (open[0] !== undefined) throw unsettled(open[0].error);
    throw faults.conflict({ detail: `Others changed it ${limits.tries} times meanwhile. Try again.` });
  };

  const bury = async (
    cause: Cause,
    id: string,
    decide: (current: Doc) => EventDraft | Promise<EventDraft>,
    ifMatch: IfMatch | undefined,
    session: ClientSession,
  ): Promise<RecordedWrite<Doc> | undefined> => {
    const current = await read(id, session);
    if (current === null) return undefined;
    checkRevision(ifMatch, current.revision);
    checkOutboxSize(current.outbox);
    const at = now();
    const revision = current.revision + 1;
    const event = buildEvent(cause, await decide(current), { service, thing, id, revision, at });
    // In a transaction the snapshot makes a write conflict of every race, so that the revision cannot have moved on.
    await native.deleteOne({ _id: id, revision: current.revision } as unknown as Filter<Doc>, { session });
    const outbox = [...current.outbox, event];
    const own = { collection: name, id, revision, event: event.id, deletedAt: at, outbox };
    await graves.insertOne({ _id: tombstoneId(name, id), ...own }, { session });
    announce({ collection: tombstones, id: tombstoneId(name, id), outbox }, event.id, session);
    return { document: current, event };
  };

  return {
    name,
    native,
    create,
    createMany,
    update,
    delete(cause, id, decide, { ifMatch, session } = {}) {
      const work = (own: ClientSession): Promise<RecordedWrite<Doc> | undefined> =>
        bury(cause, id, decide, ifMatch, own);
      return session === undefined ? transaction(work) : work(session);
    },
  };
};
