import { setTimeout as delay } from 'node:timers/promises';

import { faults, type Cause, type EventEnvelope } from '@causeway/contracts';
import { type ClientSession, type Collection, type Db, type Filter, type UpdateFilter } from 'mongodb';

import { createAnnotate } from './annotate.ts';
import type { Annotation } from './annotate.ts';
import { buildEvent } from './build-event.ts';
import { compareAndSet } from './compare-and-set.ts';
import { RevisionMismatch, translate } from './errors.ts';
import type { EventGroup } from './event-group.ts';
import { gatherReads } from './gather-reads.ts';
import { createInserter } from './insert-documents.ts';
import { checkOutboxSize, limits, outboxFull } from './limits.ts';
import {
  newDocument,
  tombstoneId,
  tombstoneOf,
  tombstones,
  type EventDraft,
  type RecordedDocument,
  type Tombstone,
} from './recorded-document.ts';
import type {
  Creation,
  Decision,
  DeleteOptions,
  IfMatch,
  PlannedWrite,
  RecordedUpdate,
  RecordedWrite,
  UpdateOptions,
  WriteManyOptions,
  WriteOptions,
} from './recorded-writes.ts';
import type { Bell, RecordedRow, SessionJournal } from './session-journal.ts';
import { isRecorded, isUnknownOutcome, settleUpdate, unsettled } from './unknown-outcome.ts';
import { createTaken } from './taken-ids.ts';
import { createUpdater } from './update-documents.ts';
import { createWriteMany } from './write-many.ts';

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
   * race (at most 5 times, or `tries`), and gives the whole new state, or undefined where there is nothing to change.
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
    options?: DeleteOptions<Doc>,
  ): Promise<RecordedWrite<Doc> | undefined>;

  /**
   * Makes many writes in a transaction, in the order given, by few statements: neighbours of one kind go together. Each records its
   * event, with the next place of the group.
   *
   * @param writes - what they were decided by was read in this session, or is what an earlier write here, or in this session, has left
   * @returns for each, what it did
   * @throws {@link RefusedWrite} naming the one that MongoDB refused; `conflict` where one was decided by what is not there any more;
   *   `unavailable` while an outbox is full. Whatever is thrown, the transaction cannot go on
   */
  writeMany(
    cause: Cause,
    writes: readonly PlannedWrite<Doc>[],
    options: WriteManyOptions,
  ): Promise<readonly RecordedWrite<Doc>[]>;

  /**
   * Tells which ids cannot be given to new documents: of those that are there, and of those that were deleted as long as their tombstones stay.
   *
   * @param ids - at most some hundred
   */
  taken(ids: readonly string[], options?: { readonly session?: ClientSession }): Promise<ReadonlySet<string>>;

  /**
   * Holds documents as they are until a transaction commits: whoever changes or deletes one of them meanwhile meets it, and one of the two is
   * made anew. What was only read in a transaction may have changed by its commit. It makes no revision and records no event.
   *
   * @param ids - of documents that were read in this session, and that it does not write
   * @throws `conflict` where one of them is not there
   */
  touch(ids: readonly string[], options: { readonly session: ClientSession }): Promise<void>;

  /**
   * Writes what follows from the state of documents and is nobody's to see: it makes no revision and records no event, and the next change of a
   * document takes out again what its decision does not have. A document that has moved on stays as it is: whoever changed it has said what follows.
   */
  annotate(annotations: readonly Annotation<Doc>[]): Promise<void>;
}

/** A write that was not there when it was looked for, and may still be on its way. */
interface OpenWrite {
  readonly event: EventEnvelope;
  /** In place of its answer. */
  readonly error: unknown;
}

/** Those who lose the same races over and over are to come at different times. */
const raceDelayMs = 50;

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
  const updater = createUpdater(native, db);
  const readSoon = gatherReads(native);
  const byId = (id: string): Filter<Doc> => ({ _id: id }) as Filter<Doc>;

  /** Rings at once, or after the commit of the transaction that the write is part of. */
  const announce = (row: RecordedRow, eventId: string, session?: ClientSession): void => {
    if (session === undefined) bell(row);
    else journal.note(session, row, eventId);
  };
  const rowOf = ({ _id, outbox }: Doc): RecordedRow => ({ collection: name, id: _id, outbox });

  const build = (
    cause: Cause,
    creation: Creation<Doc>,
    { grave, group }: { readonly grave?: Tombstone | undefined; readonly group?: EventGroup | undefined } = {},
  ): RecordedWrite<Doc> => {
    const at = now();
    const revision = (grave?.revision ?? 0) + 1;
    const event = buildEvent(cause, creation.event, { service, thing, id: creation._id, revision, at, group });
    return { document: newDocument(creation, event, { revision, at, outbox: grave?.outbox ?? [] }), event };
  };

  const insert = async (write: RecordedWrite<Doc>, session?: ClientSession): Promise<void> => {
    await inserter.one(write.document, session);
    announce(rowOf(write.document), write.event.id, session);
  };

  const createAnew = async (
    cause: Cause,
    creation: Creation<Doc>,
    group: EventGroup | undefined,
    session: ClientSession,
  ): Promise<RecordedWrite<Doc>> => {
    const grave = await graves.findOneAndDelete({ _id: tombstoneId(name, creation._id) }, { session });
    checkOutboxSize(grave?.outbox ?? []);
    const write = build(cause, creation, { grave: grave ?? undefined, group });
    await insert(write, session);
    return write;
  };

  const create: RecordedCollection<Doc>['create'] = async (cause, creation, { session, group } = {}) => {
    if (options.reusableIds) {
      const work = (own: ClientSession): Promise<RecordedWrite<Doc>> => createAnew(cause, creation, group, own);
      return session === undefined ? transaction(work) : work(session);
    }
    const write = build(cause, creation, { group });
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
  const trySet = async (
    cause: Cause,
    current: Doc,
    decision: Decision<Doc>,
    open: OpenWrite[],
    { session, group, alone }: WriteOptions & { readonly alone: boolean },
  ): Promise<RecordedWrite<Doc> | undefined> => {
    checkOutboxSize(current.outbox);
    const at = now();
    const place = { service, thing, id: current._id, revision: current.revision + 1, at, group };
    const event = buildEvent(cause, decision.event, place);
    const write = compareAndSet(current, decision.state, event, at);
    let document: Doc | null;
    try {
      const isMade = await updater(write, { session, alone });
      // What is there now is known; but the outbox may be shorter, where the relay has pulled something since `current` was read.
      document = isMade ? write.document : null;
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
    session === undefined
      ? ((await readSoon(id)) ?? null)
      : ((await native.findOne(byId(id), { session })) as Doc | null);

  const update: RecordedCollection<Doc>['update'] = async (cause, id, decide, how = {}) => {
    const { ifMatch, session, current: given, tries: mostTries = limits.tries } = how;
    const open: OpenWrite[] = [];
    for (let tries = 1; tries <= mostTries; tries += 1) {
      if (tries > limits.tries) await delay(Math.random() * raceDelayMs);
      const current = (tries === 1 ? given : undefined) ?? (await read(id, session));
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
      const write = await trySet(cause, current, decision, open, { ...how, alone: tries > 1 });
      if (write !== undefined) return write;
    }
    // Whoever is told of a conflict takes it for a no.
    if (open[0] !== undefined) throw unsettled(open[0].error);
    throw faults.conflict({ detail: `Others changed it ${mostTries} times meanwhile. Try again.` });
  };

  const bury = async (
    cause: Cause,
    id: string,
    decide: (current: Doc) => EventDraft | Promise<EventDraft>,
    { ifMatch, group, current: given }: DeleteOptions<Doc>,
    session: ClientSession,
  ): Promise<RecordedWrite<Doc> | undefined> => {
    const current = given ?? (await read(id, session));
    if (current === null) return undefined;
    checkRevision(ifMatch, current.revision);
    checkOutboxSize(current.outbox);
    const at = now();
    const revision = current.revision + 1;
    const event = buildEvent(cause, await decide(current), { service, thing, id, revision, at, group });
    // In a transaction the snapshot makes a write conflict of every race, so that the revision cannot have moved on.
    const filter = { _id: id, revision: current.revision } as unknown as Filter<Doc>;
    const { deletedCount } = await native.deleteOne(filter, { session });
    if (deletedCount === 0) throw faults.conflict({ message: 'a delete was decided by what is not there any more' });
    const grave = tombstoneOf(name, current, event, at);
    await graves.insertOne(grave, { session });
    announce({ collection: tombstones, id: grave._id, outbox: grave.outbox }, event.id, session);
    return { document: current, event };
  };

  return {
    name,
    native,
    create,
    createMany,
    update,
    delete(cause, id, decide, how = {}) {
      const { session } = how;
      const work = (own: ClientSession): Promise<RecordedWrite<Doc> | undefined> => bury(cause, id, decide, how, own);
      return session === undefined ? transaction(work) : work(session);
    },
    writeMany: createWriteMany({
      name,
      native,
      graves,
      journal,
      now,
      service,
      thing,
      reusableIds: options.reusableIds,
    }),
    annotate: createAnnotate(native),
    taken: createTaken(native, graves),
    async touch(ids, { session }) {
      if (ids.length === 0) return;
      const filter = { _id: { $in: ids } } as unknown as Filter<Doc>;
      // One that was written under an older definition stays as it is. The next change of the document takes `refs` out again.
      const { matchedCount } = await native.updateMany(filter, { $inc: { refs: 1 } } as unknown as UpdateFilter<Doc>, {
        bypassDocumentValidation: true,
        session,
      });
      if (matchedCount < new Set(ids).size) throw faults.conflict({ message: 'a document that was read is not there' });
    },
  };
};
