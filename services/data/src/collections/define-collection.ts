import { faults, newId } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { DuplicateKey } from '@causeway/events';
import type { Events, IfMatch, RecordedCollection } from '@causeway/events';
import { matches } from '@causeway/service';
import { isDeepStrictEqual } from 'node:util';

import { allIndexesOf, referenceIndexesOf } from '../references/all-indexes.ts';
import { checkDangling, newReferences } from '../references/check-dangling.ts';
import { holdTargets } from '../references/referrers.ts';
import type { RecordDocument } from '../records/record.model.ts';
import type { Definition, DefinitionChange, DefinitionDocument, IndexDefinition } from './collection.model.ts';
import { changesCollection, recordsCollection } from './collection.model.ts';
import type { CollectionRegistry } from './collection-registry.ts';
import { created, updated } from './collections.events.ts';
import { definitionBusy, definitionConflict, tooManyCollections } from './collections.errors.ts';
import type { DefinitionLock } from './definition-lock.ts';
import { lockDefinition } from './definition-lock.ts';
import type { CompiledDefinition } from './parse-definition.ts';
import { checkPlaces, geoPlacesOf } from './geo-places.ts';
import { isTextIndex } from './parse-index.ts';
import { buildIndex, hasIndexes, restoreIndexes } from './record-indexes.ts';
import { createRecordsCollection, demandDefinition } from './records-store.ts';

/** What {@link createDefineCollection} is given. */
export interface DefineCollectionDependencies {
  readonly events: Pick<Events, 'db' | 'transaction' | 'prepare'>;
  readonly definitions: RecordedCollection<DefinitionDocument>;
  readonly registry: CollectionRegistry;
}

/** What an administrator wants. */
export interface DefineCollection {
  readonly name: string;
  readonly definition: CompiledDefinition;
  readonly ifMatch: IfMatch | undefined;
}

/** What has come of it. */
export interface DefinedCollection {
  readonly document: DefinitionDocument;
  /** Absent where nothing has changed. */
  readonly eventId?: string;
  readonly isNew: boolean;
}

const maxCollections = 500;
const maxExamples = 5;

/**
 * Defines a collection, or changes its definition. A new schema or index is refused where the records there would break it;
 * from before they are looked at until the change is committed every write has to keep to both definitions, so that none
 * slips in between.
 *
 * @returns the use case; it throws faults `definition-conflict`, `definition-busy`, `precondition-failed` and
 *   `too-many-collections`
 */
export function createDefineCollection({ events, definitions, registry }: DefineCollectionDependencies) {
  const { db } = events;
  const changes = db.collection<DefinitionChange>(changesCollection);
  const recordsOf = (id: string) => db.collection<RecordDocument>(recordsCollection(id));

  const create = async (cause: Cause, name: string, definition: CompiledDefinition): Promise<DefinedCollection> => {
    if ((await definitions.native.countDocuments({}, { limit: maxCollections })) >= maxCollections) {
      throw tooManyCollections({ detail: `There may be at most ${maxCollections}.` });
    }
    const id = newId('col');
    const { source } = definition;
    await createRecordsCollection(db, id, 1);
    for (const index of allIndexesOf(source)) await buildIndex(recordsOf(id), index);
    await events.prepare(recordsCollection(id));
    const write = await events.transaction(async (session) => {
      await changes.insertOne({ _id: id, def: 1 }, { session });
      await holdTargets(db, source.refersTo ?? [], session);
      const creation = { _id: id, state: { name, definition: source }, event: created(id, name, source) };
      return await definitions.create(cause, creation, { session });
    });
    await registry.reload(id);
    return { document: write.document, eventId: write.event.id, isNew: true };
  };

  const commit = async (
    cause: Cause,
    current: DefinitionDocument,
    source: Definition,
    lock: DefinitionLock,
  ): Promise<DefinedCollection> => {
    const write = await events.transaction(async (session) => {
      await lock.commit(session);
      await holdTargets(db, source.refersTo ?? [], session);
      const decision = {
        state: { name: current.name, definition: source },
        event: updated(current._id, current.name, source),
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
    lock: DefinitionLock,
  ): Promise<DefinedCollection> => {
    // Somebody may have changed it before it was locked.
    const current = await definitions.native.findOne({ _id: id });
    if (!matches(ifMatch, current?.revision)) throw faults.preconditionFailed();
    if (current === null) throw faults.conflict();
    const { source } = definition;
    const records = recordsOf(id);
    await demandDefinition(db, id, lock.def);
    if (asksMore(definition, current.definition)) await checkRecords(records, definition, lock);
    // One of words at last: while it is built there is none.
    const isText = ({ keys }: IndexDefinition): number => Number(isTextIndex(keys));
    for (const index of allIndexesOf(source).toSorted((one, other) => isText(one) - isText(other))) {
      await lock.demandHeld();
      await buildIndex(records, index);
    }
    await checkDangling({
      lookup: { db, registry },
      transaction: events.transaction,
      records,
      references: newReferences(id, definition.fields, current.definition),
      demandHeld: () => lock.demandHeld(),
    });
    if (isSame(source, current.definition)) return { document: current, isNew: false };
    return await commit(cause, current, source, lock);
  };

  /** Whether the change has come about or not: leaves the indexes that the definition asks for now. */
  const tidyIndexes = async (id: string, lock: DefinitionLock): Promise<void> => {
    // Who has taken it over may have promised what we have built.
    if (!(await lock.isHeld())) return;
    const document = await definitions.native.findOne({ _id: id });
    if (document !== null) await restoreIndexes(recordsOf(id), allIndexesOf(document.definition));
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
    // As soon as a reference is pending, whoever deletes what it may name looks for it: by an index, from the beginning.
    for (const index of referenceIndexesOf(source)) await buildIndex(recordsOf(id), index);
    const lock = await lockDefinition(db, id, { pending: source });
    try {
      // Once more: now who removes one of them sees that it is referred to.
      await demandTargets(source.refersTo ?? []);
      return await changeLocked(cause, id, command, lock);
    } finally {
      try {
        await tidyIndexes(id, lock);
      } finally {
        await lock.release();
        await registry.reload(id);
      }
    }
  };

  return async (cause: Cause, command: DefineCollection): Promise<DefinedCollection> => {
    const { name, definition, ifMatch } = command;
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

/** Whether definitions are the same, in order too: it is that of an index's keys, and of a CSV's columns. */
const isSame = (one: Definition, other: Definition): boolean => JSON.stringify(one) === JSON.stringify(other);

/** Whether records that keep to a definition might break a new one. */
function asksMore({ source, places }: CompiledDefinition, current: Definition): boolean {
  const known = new Set(geoPlacesOf(current.indexes).map((segments) => segments.join('.')));
  return !isDeepStrictEqual(source.schema, current.schema) || places.some((each) => !known.has(each.join('.')));
}

/** Looks at every record, and keeps the lock while it does. */
async function checkRecords(
  records: RecordedCollection<RecordDocument>['native'],
  { schema, places }: CompiledDefinition,
  lock: DefinitionLock,
): Promise<void> {
  const examples: { readonly id: string; readonly errors: unknown }[] = [];
  let count = 0;
  for await (const { _id, fields } of records.find({}, { projection: { fields: 1 }, batchSize: 1_000 })) {
    count += 1;
    if (count % 5_000 === 0) await lock.demandHeld();
    const errors = [...schema.validate(fields), ...checkPlaces(places, fields)];
    if (errors.length > 0) examples.push({ id: _id, errors });
    if (examples.length >= maxExamples) break;
  }
  if (examples.length === 0) return;
  throw definitionConflict({
    detail: 'Records that are there break the new schema or index.',
    extensions: { examples },
  });
}
