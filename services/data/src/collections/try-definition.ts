import { faults } from '@causeway/contracts';
import { serverTime } from '@causeway/events';
import type { Events } from '@causeway/events';
import { matches } from '@causeway/service';
import type { Collection } from 'mongodb';

import type { Conversion } from '../encryption/check-converted.ts';
import { conversionDetail, conversionPointer, conversionsOf, findUnconverted } from '../encryption/check-converted.ts';
import { createDemandEncryptable } from '../encryption/demand-encryptable.ts';
import type { FieldKeys } from '../encryption/field-keys.ts';
import { createFieldRoots } from '../encryption/field-roots.ts';
import { openFields } from '../encryption/seal-fields.ts';
import type { FoundExpired } from '../expiry/find-expired.ts';
import { findExpired } from '../expiry/find-expired.ts';
import { createLookTime, lookInTime } from '../pacing/look-time.ts';
import { allIndexesOf } from '../references/all-indexes.ts';
import { findDangling, newReferences } from '../references/check-dangling.ts';
import { collectionBy } from '../references/lookup.ts';
import type { Fields, RecordDocument } from '../records/record.model.ts';
import { findBreaking } from './check-records.ts';
import type { DefinitionDocument, IndexDefinition } from './collection.model.ts';
import { recordsCollection } from './collection.model.ts';
import type { CollectionRegistry } from './collection-registry.ts';
import { definitionBusy } from './collections.errors.ts';
import { asksMore, isSame } from './compare-definitions.ts';
import { ConflictTally, mostCounted } from './conflict-tally.ts';
import type { DefinitionConflict } from './conflict-tally.ts';
import type { DefineCollection } from './define-collection.ts';
import { describeIndex } from './describe-index.ts';
import { duplicates, indexDetails, parallels } from './index-conflicts.ts';
import { indexNamesOf } from './record-indexes.ts';

/** What {@link createTryDefinition} is given. */
export interface TryDefinitionDependencies {
  readonly events: Pick<Events, 'db'>;
  readonly definitions: { readonly native: Collection<DefinitionDocument> };
  readonly registry: CollectionRegistry;
  readonly fieldKeys: Pick<FieldKeys, 'isThere' | 'roots'>;
  /** For how long it looks; default 15 s. */
  readonly mostMs?: number;
}

/** What would become of a definition. */
export interface TriedDefinition {
  readonly isNew: boolean;
  readonly wouldChange: boolean;
  /** About how many records there are. */
  readonly records: number;
  /** Whether all has been looked at that could be; otherwise the time was up before. */
  readonly complete: boolean;
  readonly conflicts: readonly DefinitionConflict[];
  /** Records that would be deleted, for their time is over; only where another field would hold it than before. */
  readonly expired?: FoundExpired;
  readonly indexes: { readonly built: readonly IndexDefinition[]; readonly dropped: readonly IndexDefinition[] };
}

/** Below the gateway's patience (`UPSTREAM_TIMEOUT`). */
const defaultMostMs = 15_000;

/**
 * Holds a definition against everything that a change to it would be held against, and changes nothing: no lock is taken, nothing is asked of
 * writers, nothing is recorded. What is said holds for the time of the look; of what an index does not take, only a build finds all.
 *
 * @returns the use case; it throws faults `precondition-failed` and `definition-busy`
 */
export function createTryDefinition(given: TryDefinitionDependencies) {
  const { events, definitions, registry, fieldKeys, mostMs = defaultMostMs } = given;
  const { db } = events;
  const demandEncryptable = createDemandEncryptable({
    definitions: definitions.native,
    db,
    fieldKeys,
    fieldRoots: createFieldRoots(db, fieldKeys),
  });

  const tryOn = async (current: DefinitionDocument, { definition }: Pick<DefineCollection, 'definition'>) => {
    const { _id: id } = current;
    const { source } = definition;
    const records = db.collection<RecordDocument>(recordsCollection(id));
    const time = createLookTime(mostMs);
    const leftMs = (): number => time.leftMs();
    const inTime = async (): Promise<void> => {
      await Promise.resolve();
      time.demand();
    };
    const tally = new ConflictTally();
    const known = await registry.reload(id);
    const open = (record: RecordDocument): Fields => (known === undefined ? record.fields : openFields(known, record));
    const indexes = await compareIndexes(records, current.definition, source);
    const { expiry } = definition;
    const isOtherTime = expiry !== undefined && expiry.field !== current.definition.expiry?.field;
    let expired: FoundExpired = { count: 0, examples: [] };

    const looks: (() => Promise<unknown>)[] = [
      async () => {
        if (!asksMore(definition, current.definition)) return;
        const detail = 'Records break the schema, or what an index wants of places.';
        const options = { records, definition, known: known?.fields, open, tell: inTime, maxTimeMS: mostMs };
        const isEnough = (): boolean => tally.isFull('/schema', detail);
        await findBreaking({ ...options, isEnough }, (record) => tally.add('/schema', detail, record));
      },
      async () => {
        const conversions = conversionsOf(definition.fields, current.definition);
        const placeOf = (each: Conversion) => [conversionPointer(each), conversionDetail(each)] as const;
        const isEnough = (): boolean => conversions.every((each) => tally.isFull(...placeOf(each)));
        const options = { records, conversions, tell: inTime, isEnough, maxTimeMS: leftMs() };
        await findUnconverted(options, (each, record) => tally.add(...placeOf(each), record));
      },
      ...indexes.built.map((index) => () => tryIndex(records, index, pointerOf(source.indexes, index), tally, leftMs)),
      ...newReferences(id, definition.fields, current.definition).map((reference) => async () => {
        const target = await collectionBy({ db, registry }, reference.target);
        if (target === undefined || target.removing) throw definitionBusy();
        const missingOf = async (ids: readonly string[]): Promise<readonly string[]> => {
          const rows = target.records.native.find(
            { _id: { $in: [...ids] } },
            { projection: { _id: 1 }, maxTimeMS: leftMs() },
          );
          const there = new Set(await rows.map(({ _id }) => _id).toArray());
          return ids.filter((each) => !there.has(each));
        };
        const pointer = `/fields/${reference.segments.join('.')}/reference`;
        const detail = 'Records refer to records that are not there.';
        const options = { records, reference, missingOf, tell: inTime, maxTimeMS: leftMs() };
        const isEnough = (): boolean => tally.isFull(pointer, detail);
        await findDangling({ ...options, isEnough }, (record) => tally.add(pointer, detail, record));
      }),
      async () => {
        if (!isOtherTime) return;
        const options = { records, expiry, time: await serverTime(db), tell: inTime, maxTimeMS: leftMs() };
        await findExpired({ ...options, most: mostCounted }, (some) => (expired = some));
      },
    ];
    const complete = await lookInTime(async () => {
      for (const look of looks) {
        await inTime();
        await look();
      }
    });
    return {
      indexes,
      conflicts: tally,
      complete,
      ...(isOtherTime ? { expired } : {}),
      records: await records.estimatedDocumentCount(),
    };
  };

  return async (command: Pick<DefineCollection, 'name' | 'definition' | 'ifMatch'>): Promise<TriedDefinition> => {
    const { name, definition, ifMatch } = command;
    await demandEncryptable(name, definition);
    const current = await definitions.native.findOne({ name });
    if (!matches(ifMatch, current?.revision)) throw faults.preconditionFailed();
    if (current === null) {
      const indexes = { built: allIndexesOf(definition.source), dropped: [] };
      return { isNew: true, wouldChange: true, records: 0, complete: true, conflicts: [], indexes };
    }
    const { conflicts, ...found } = await tryOn(current, command);
    const wouldChange = !isSame(definition.source, current.definition);
    return { isNew: false, wouldChange, ...found, conflicts: conflicts.all };
  };
}

/** Where an index stands in the definition; that of a reference stands nowhere. */
const pointerOf = (indexes: readonly IndexDefinition[], index: IndexDefinition): string => {
  const at = indexes.indexOf(index);
  return at === -1 ? '/fields' : `/indexes/${at}`;
};

async function compareIndexes(
  records: Collection<RecordDocument>,
  current: DefinitionDocument['definition'],
  wanted: DefinitionDocument['definition'],
): Promise<TriedDefinition['indexes']> {
  const nameOf = (index: IndexDefinition): string => describeIndex(index).name;
  const [there, asked] = [new Set(await indexNamesOf(records)), new Set(allIndexesOf(wanted).map(nameOf))];
  return {
    built: allIndexesOf(wanted).filter((index) => !there.has(nameOf(index))),
    dropped: allIndexesOf(current).filter((index) => there.has(nameOf(index)) && !asked.has(nameOf(index))),
  };
}

async function tryIndex(
  records: Collection<RecordDocument>,
  definition: IndexDefinition,
  pointer: string,
  tally: ConflictTally,
  leftMs: () => number,
): Promise<void> {
  const index = describeIndex(definition);
  const options = () => ({ maxTimeMS: leftMs(), limit: mostCounted });
  for (const each of await parallels(records, index, options())) {
    tally.add(pointer, indexDetails['parallel-arrays'], each);
  }
  if (definition.unique !== true) return;
  for (const each of await duplicates(records, index, options())) tally.add(pointer, indexDetails.duplicates, each);
}
