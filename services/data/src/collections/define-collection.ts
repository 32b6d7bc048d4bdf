import { faults, newId } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { DuplicateKey } from '@causeway/events';
import type { Events, IfMatch, RecordedCollection } from '@causeway/events';
import { matches } from '@causeway/service';

import { conversionsOf, demandConverted } from '../encryption/check-converted.ts';
import { createDemandEncryptable } from '../encryption/demand-encryptable.ts';
import type { CollectionKeys, FieldKeys } from '../encryption/field-keys.ts';
import { keysFor } from '../encryption/field-keys.ts';
import { createFieldRoots } from '../encryption/field-roots.ts';
import { openFields } from '../encryption/seal-fields.ts';
import { encryptedPaths } from '../encryption/sealed-fields.ts';
import { dropExpiryIndex, ensureExpiryIndex } from '../expiry/expiry-index.ts';
import { prepareExpiry } from '../expiry/prepare-expiry.ts';
import { allIndexesOf, referenceIndexesOf } from '../references/all-indexes.ts';
import { checkDangling, newReferences } from '../references/check-dangling.ts';
import { holdTargets } from '../references/referrers.ts';
import type { Fields, RecordDocument } from '../records/record.model.ts';
import { beginOrJoin } from './begin-or-join.ts';
import { endingOf } from './change-ending.ts';
import { demandNoneBreaks } from './check-records.ts';
import type { DefinitionChange, DefinitionDocument, IndexDefinition } from './collection.model.ts';
import { changesCollection, recordsCollection } from './collection.model.ts';
import type { CollectionRegistry } from './collection-registry.ts';
import type { DefinitionBeside } from './collections.events.ts';
import { created, updated } from './collections.events.ts';
import { asksMore, isSame } from './compare-definitions.ts';
import { definitionBusy, definitionConflict, tooManyCollections } from './collections.errors.ts';
import type { DefinitionLock, Ending } from './definition-lock.ts';
import { followChange, wantedBy } from './follow-change.ts';
import { parseDefinition } from './parse-definition.ts';
import type { CompiledDefinition } from './parse-definition.ts';
import { isTextIndex } from './parse-index.ts';
import { readingOf } from './reading-of.ts';
import { buildIndex, hasIndexes, restoreIndexes } from './record-indexes.ts';
import { createRecordsCollection, demandDefinition } from './records-store.ts';

/** What {@link createDefineCollection} is given. */
export interface DefineCollectionDependencies {
  readonly events: Pick<Events, 'db' | 'transaction' | 'prepare'>;
  readonly definitions: RecordedCollection<DefinitionDocument>;
  readonly registry: CollectionRegistry;
  readonly fieldKeys: FieldKeys;
  /** Ends changes that are under way, between two steps; never where it is not given. */
  readonly stopping?: AbortSignal;
}

/** What an administrator wants. */
export interface DefineCollection {
  readonly name: string;
  readonly definition: CompiledDefinition;
  readonly ifMatch: IfMatch | undefined;
  /** Called once a change is under way: from then on it goes on, whoever still waits for it. */
  readonly onBegun?: () => void;
  /** Ended where nobody waits for a change any more that somebody else has begun. */
  readonly patience?: AbortSignal;
}

/** What has come of it. */
export interface DefinedCollection {
  readonly document: DefinitionDocument;
  /** Absent where nothing has changed. */
  readonly eventId?: string;
  readonly isNew: boolean;
}

const maxCollections = 500;
/** A change that broke off is begun anew by who had joined it, so often. */
const maxTries = 3;

/**
 * Defines a collection, or changes its definition. A new schema or index is refused where the records there would break it;
 * from before they are looked at until the change is committed every write has to keep to both definitions, so that none
 * slips in between. Who sends the same definition while a change to it is under way joins that.
 *
 * @returns the use case; it throws faults `definition-conflict`, `definition-busy`, `precondition-failed` and
 *   `too-many-collections`
 */
export function createDefineCollection(given: DefineCollectionDependencies) {
  const { events, definitions, registry, fieldKeys, stopping } = given;
  const { db } = events;
  const fieldRoots = createFieldRoots(db, fieldKeys);
  const demandEncryptable = createDemandEncryptable({ definitions: definitions.native, db, fieldKeys, fieldRoots });
  const keysOf = (id: string, { fields }: CompiledDefinition, known?: CollectionKeys): DefinitionBeside => {
    const keys = keysFor(fieldKeys, id, encryptedPaths(fields).length > 0, known);
    return keys === undefined ? {} : { keys };
  };
  const changes = db.collection<DefinitionChange>(changesCollection);
  const recordsOf = (id: string) => db.collection<RecordDocument>(recordsCollection(id));

  const create = async (cause: Cause, name: string, definition: CompiledDefinition): Promise<DefinedCollection> => {
    if ((await definitions.native.countDocuments({}, { limit: maxCollections })) >= maxCollections) {
      throw tooManyCollections({ detail: `There may be at most ${maxCollections}.` });
    }
    const id = newId('col');
    const { source } = definition;
    const keys = keysOf(id, definition);
    await createRecordsCollection(db, id, 1);
    for (const index of allIndexesOf(source)) await buildIndex(recordsOf(id), index);
    if (source.expiry !== undefined) await ensureExpiryIndex(recordsOf(id));
    await events.prepare(recordsCollection(id));
    const write = await events.transaction(async (session) => {
      await changes.insertOne({ _id: id, def: 1 }, { session });
      await holdTargets(db, source.refersTo ?? [], session);
      if (keys.keys !== undefined) await fieldRoots.demandOurs(session);
      await demandEncryptable(name, definition, session);
      const state = { name, definition: source, ...keys };
      const creation = { _id: id, state, event: created(id, name, source, keys) };
      return await definitions.create(cause, creation, { session });
    });
    await registry.reload(id);
    return { document: write.document, eventId: write.event.id, isNew: true };
  };

  const commit = async (
    cause: Cause,
    current: DefinitionDocument,
    definition: CompiledDefinition,
    lock: DefinitionLock,
  ): Promise<DefinedCollection> => {
    const { source } = definition;
    const write = await events.transaction(async (session) => {
      // Not as they were when it began: a rotation may have come to its end since, which raises no revision.
      const now = await definitions.native.findOne({ _id: current._id }, { session });
      const keys = keysOf(current._id, definition, now?.keys);
      await lock.commit(session);
      await holdTargets(db, source.refersTo ?? [], session);
      if (keys.keys !== now?.keys) await fieldRoots.demandOurs(session);
      const isRead = readingOf(definition) === readingOf(parseDefinition(current.definition));
      const readSince = isRead ? current.readSince : current.revision + 1;
      const beside = { ...keys, ...(readSince === undefined ? {} : { readSince }) };
      const decision = {
        state: { name: current.name, definition: source, ...beside },
        event: updated(current._id, current.name, source, beside),
      };
      // Nobody else changes it while we have the lock; a revision that moved on ends the change.
      return await definitions.update(cause, current._id, () => decision, { ifMatch: [current.revision], session });
    });
    if (write?.event === undefined) throw faults.conflict();
    return { document: write.document, eventId: write.event.id, isNew: false };
  };

  const changeLocked = async (
    cause: Cause,
    id: string,
    { definition, ifMatch }: DefineCollection,
    { lock, tell }: UnderLock,
  ): Promise<DefinedCollection> => {
    // Somebody may have changed it before it was locked.
    const current = await definitions.native.findOne({ _id: id });
    if (!matches(ifMatch, current?.revision)) throw faults.preconditionFailed();
    if (current === null) throw faults.conflict();
    const { source } = definition;
    const records = recordsOf(id);
    await demandDefinition(db, id, lock.def);
    // Once more: by now it is said that this is about to come, so that of two that must not come together neither passes the other.
    await demandEncryptable(current.name, definition);
    const of = await records.estimatedDocumentCount();
    const tellChecked = (checked: number): Promise<void> => tell({ step: 'records', checked, of });
    if (asksMore(definition, current.definition)) {
      const known = await registry.reload(id);
      const open = (record: RecordDocument): Fields =>
        known === undefined ? record.fields : openFields(known, record);
      await demandNoneBreaks({ records, definition, known: known?.fields, open, tell: tellChecked });
    }
    await demandConverted(records, conversionsOf(definition.fields, current.definition), tellChecked);
    // One of words at last: while it is built there is none.
    const isText = ({ keys }: IndexDefinition): number => Number(isTextIndex(keys));
    for (const index of allIndexesOf(source).toSorted((one, other) => isText(one) - isText(other))) {
      await tell({ step: 'indexes', index });
      await buildIndex(records, index);
    }
    await checkDangling({
      lookup: { db, registry },
      transaction: events.transaction,
      records,
      references: newReferences(id, definition.fields, current.definition),
      tell: (checked) => tell({ step: 'references', checked, of }),
    });
    await prepareExpiry({ registry, records }, id, source, current.definition, (checked) =>
      tell({ step: 'expiry', checked, of }),
    );
    if (isSame(source, current.definition)) return { document: current, isNew: false };
    return await commit(cause, current, definition, lock);
  };

  /** Whether the change has come about or not: leaves the indexes that the definition asks for now. */
  const tidyIndexes = async (id: string, lock: DefinitionLock): Promise<void> => {
    // Who has taken it over may have promised what we have built.
    if (!(await lock.isHeld())) return;
    const document = await definitions.native.findOne({ _id: id });
    if (document === null) return;
    await restoreIndexes(recordsOf(id), allIndexesOf(document.definition));
    if (document.definition.expiry === undefined) await dropExpiryIndex(recordsOf(id));
  };

  /** One that is being removed cannot be referred to; read again, for a removal whose process died is over. */
  const demandTargets = async (ids: readonly string[]): Promise<void> => {
    for (const id of ids) {
      const target = await registry.reload(id);
      if (target === undefined || target.removing) throw definitionBusy();
    }
  };

  const change = async (
    cause: Cause,
    known: DefinitionDocument,
    command: DefineCollection,
  ): Promise<DefinedCollection> => {
    const { _id: id } = known;
    const { source } = command.definition;
    // A process that died in a change may have left indexes that no definition asks for.
    if (isSame(source, known.definition) && (await hasIndexes(recordsOf(id), allIndexesOf(source)))) {
      return { document: known, isNew: false };
    }
    const wanted = wantedBy(source);
    for (let tries = 1; ; tries += 1) {
      const lock = await beginOrJoin({ db, changes }, id, source, wanted);
      command.onBegun?.();
      if (typeof lock !== 'string') return await changeUnder(cause, id, command, lock);
      const last = await followChange(db, id, lock, command.patience);
      if (last?.outcome === 'refused') {
        throw definitionConflict({ detail: last.detail ?? '', extensions: { examples: last.examples } });
      }
      const document = await definitions.native.findOne({ _id: id });
      if (document === null) throw faults.conflict();
      if (last?.outcome === 'applied' && isSame(source, document.definition)) {
        return { document, isNew: false, ...(last.eventId === undefined ? {} : { eventId: last.eventId }) };
      }
      // Whoever had begun it is gone, or somebody has changed it again.
      if (last?.outcome === 'applied' || tries >= maxTries) throw definitionBusy();
    }
  };

  const changeUnder = async (
    cause: Cause,
    id: string,
    command: DefineCollection,
    lock: DefinitionLock,
  ): Promise<DefinedCollection> => {
    const { source } = command.definition;
    const tell: UnderLock['tell'] = async (progress) => {
      stopping?.throwIfAborted();
      await lock.note(progress);
    };
    let ending: Ending = { outcome: 'failed' };
    try {
      // As soon as a reference is pending, whoever deletes what it may name looks for it: by an index, from the beginning.
      for (const index of referenceIndexesOf(source)) {
        await tell({ step: 'indexes', index });
        await buildIndex(recordsOf(id), index);
      }
      if (referenceIndexesOf(source).length > 0) await lock.ask({ pending: source });
      // Once more: now who removes one of them sees that it is referred to.
      await demandTargets(source.refersTo ?? []);
      const defined = await changeLocked(cause, id, command, { lock, tell });
      const { eventId } = defined;
      ending = { outcome: 'applied', ...(eventId === undefined ? {} : { eventId }) };
      return defined;
    } catch (error) {
      ending = endingOf(error);
      throw error;
    } finally {
      try {
        await tidyIndexes(id, lock);
      } finally {
        await lock.release(ending);
        await registry.reload(id);
      }
    }
  };

  return async (cause: Cause, command: DefineCollection): Promise<DefinedCollection> => {
    const { name, definition, ifMatch } = command;
    await demandEncryptable(name, definition);
    await demandTargets(definition.source.refersTo ?? []);
    const current = await definitions.native.findOne({ name });
    if (!matches(ifMatch, current?.revision)) throw faults.preconditionFailed();
    if (current !== null) return await change(cause, current, command);
    try {
      return await create(cause, name, definition);
    } catch (error) {
      // Somebody has defined the same name meanwhile.
      const winner = error instanceof DuplicateKey ? await definitions.native.findOne({ name }) : null;
      if (winner === null) throw error;
      return await change(cause, winner, command);
    }
  };
}

/** A change that has its lock. */
interface UnderLock {
  readonly lock: DefinitionLock;
  /** Says what it is at, and makes sure that it may go on. */
  readonly tell: DefinitionLock['note'];
}
