import { Fault } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import type { Events, RemovalStep } from '@causeway/events';

import type { DefinitionDocument } from '../collections/collection.model.ts';
import { definitionsCollection } from '../collections/collection.model.ts';
import type { Collection, CollectionRegistry } from '../collections/collection-registry.ts';
import type { RecordDocument } from '../records/record.model.ts';
import { stateOfRecord } from '../records/record-state.ts';
import { deleted, updated } from '../records/records.events.ts';
import { dependentsBudget, planDeletion } from '../references/plan-deletion.ts';
import { writeDeletion } from '../references/write-deletion.ts';
import { stillReferenced, tooManyDependents } from '../references/references.errors.ts';
import { anonymous } from '../rules/caller.ts';
import { demandCurrent, underDefinition } from '../records/under-definition.ts';

/** What {@link removeRecords} is given. */
export interface RemoveRecordsDependencies {
  readonly events: () => Pick<Events, 'db' | 'transaction'>;
  readonly registry: () => Pick<CollectionRegistry, 'find' | 'get' | 'reload'>;
  /** Records that one query looks at; default 5,000. */
  readonly window?: number;
}

/** Why a record cannot go. */
const keeping: ReadonlySet<string> = new Set([stillReferenced, tooManyDependents].map((each) => each.declaration.code));

/** Writes side by side. */
const together = 16;

/** Records by somebody, within one collection and one window. */
interface Found {
  readonly ids: readonly string[];
  /** Where the window ends; absent at the end of the collection. */
  readonly end: string | undefined;
}

/** How many records have gone, and how many no longer say whose they were. */
interface Tally {
  recordsDeleted: number;
  recordsKept: number;
}

/** The record as its events tell it: without somebody's name. */
const nameless = (record: RecordDocument, personId: string): RecordDocument => {
  const { createdBy, updatedBy, ...rest } = record;
  return {
    ...rest,
    ...(createdBy === undefined || createdBy === personId ? {} : { createdBy }),
    ...(updatedBy === undefined || updatedBy === personId ? {} : { updatedBy }),
  };
};

/** A place is a collection's id and, behind a slash, the last record's that was looked at. */
const formatPlace = (collectionId: string, recordId = ''): string => `${collectionId}/${recordId}`;
const parsePlace = (place = '/'): { readonly collectionId: string; readonly after: string } => {
  const slash = place.indexOf('/');
  return { collectionId: place.slice(0, slash), after: place.slice(slash + 1) };
};

/**
 * The step of an erasure that goes through every collection, by `_id`: what somebody has created goes where the collection says so
 * (`onErase`), or stays without their name; what they have changed stays without it too. No index is kept for it: it is rare, and looks at
 * some 100,000 records a second.
 *
 * @returns the step; it counts `recordsDeleted` and `recordsKept`
 */
export const removeRecords = (given: RemoveRecordsDependencies): RemovalStep => {
  const { events, registry, window = 5_000 } = given;

  const find = async ({ records }: Collection, personId: string, after: string): Promise<Found> => {
    const last = await records.native
      .find({ _id: { $gt: after } }, { projection: { _id: 1 } })
      .sort({ _id: 1 })
      .skip(window - 1)
      .limit(1)
      .next();
    const range = { $gt: after, ...(last === null ? {} : { $lte: last._id }) };
    const theirs = { _id: range, $or: [{ createdBy: personId }, { updatedBy: personId }] };
    const rows = await records.native
      .find(theirs, { projection: { _id: 1 } })
      .sort({ _id: 1 })
      .toArray();
    return { ids: rows.map(({ _id }) => _id), end: last?._id };
  };

  const forget = async (collection: Collection, cause: Cause, id: string, personId: string): Promise<boolean> => {
    const decide = (current: RecordDocument) => {
      const { createdBy, updatedBy } = current;
      if (createdBy !== personId && updatedBy !== personId) return undefined;
      const before = nameless(current, personId);
      const { fields, sealed, createdBy: kept, updatedBy: last } = before;
      const state = stateOfRecord(collection, {
        ...{ fields, sealed },
        ...(kept === undefined ? {} : { createdBy: kept }),
        ...(last === undefined ? {} : { updatedBy: last }),
      });
      return { state, event: updated(collection, before, state) };
    };
    // What is sealed is written as it was read: a transaction sees where it has been sealed anew meanwhile, which raises no revision.
    const write = await events().transaction((session) => collection.records.update(cause, id, decide, { session }));
    return write?.event !== undefined;
  };

  const remove = async (collection: Collection, cause: Cause, id: string, personId: string): Promise<boolean> => {
    const { db, transaction } = events();
    const lookup = { db, registry: registry() };
    const alsoGoing = ({ source }: Collection) => (source.onErase === 'delete' ? { createdBy: personId } : undefined);
    return await transaction(async (session) => {
      await demandCurrent(db, collection, session);
      const there = await collection.records.native.findOne({ _id: id, createdBy: personId }, { session });
      if (there === null) return false;
      const asking = { caller: anonymous, at: new Date(), session };
      const dependents = await planDeletion(lookup, collection, there, {
        ...asking,
        ...{ by: undefined, budget: dependentsBudget(), alsoGoing, told: (before) => nameless(before, personId) },
      });
      const event = deleted(collection, nameless(there, personId), undefined);
      await writeDeletion(lookup, cause, { collection, document: there, event }, dependents, asking);
      return true;
    });
  };

  /** What others refer to, and a definition keeps for them, stays without a name; so does what more refer to than can go with it. */
  const removeUnlessKept = async (...given: Parameters<typeof remove>): Promise<boolean> =>
    remove(...given).catch((error: unknown) => {
      if (error instanceof Fault && keeping.has(error.code)) return false;
      throw error;
    });

  /** One record, under the definition of now: a change of it that is under way is waited for as every writer does. */
  const one = async (name: string, cause: Cause, id: string, personId: string, tally: Tally): Promise<void> => {
    await underDefinition(registry(), name, async (collection) => {
      const goes = collection.source.onErase === 'delete' && (await removeUnlessKept(collection, cause, id, personId));
      if (goes) tally.recordsDeleted += 1;
      else if (await forget(collection, cause, id, personId)) tally.recordsKept += 1;
    });
  };

  return {
    name: 'remove-records',
    async run({ personId, place, cause, isTimeUp }) {
      const tally: Tally = { recordsDeleted: 0, recordsKept: 0 };
      const from = parsePlace(place);
      const definitions = events()
        .db.collection<DefinitionDocument>(definitionsCollection)
        .find({ _id: { $gte: from.collectionId } }, { projection: { name: 1 } })
        .sort({ _id: 1 });
      for (const { _id: collectionId, name } of await definitions.toArray()) {
        const collection = await registry().reload(collectionId);
        // Removed meanwhile, with its records.
        if (collection === undefined) continue;
        let after: string | undefined = collectionId === from.collectionId ? from.after : '';
        while (after !== undefined) {
          const { ids, end } = await find(collection, personId, after);
          for (let index = 0; index < ids.length; index += together) {
            const group = ids.slice(index, index + together);
            await Promise.all(group.map((id) => one(name, cause, id, personId, tally)));
            if (isTimeUp()) return { counts: { ...tally }, place: formatPlace(collectionId, group.at(-1)) };
          }
          after = end;
          if (end !== undefined && isTimeUp()) return { counts: { ...tally }, place: formatPlace(collectionId, end) };
        }
      }
      return { counts: { ...tally } };
    },
  };
};
