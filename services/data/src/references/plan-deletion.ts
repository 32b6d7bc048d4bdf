import { isDeepStrictEqual } from 'node:util';

import type { PlannedWrite } from '@causeway/events';
import { BSON } from 'mongodb';
import type { Filter } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import { BrokenSeal, isKeyMissing } from '../encryption/encryption.errors.ts';
import { openFields } from '../encryption/seal-fields.ts';
import type { Fields, RecordDocument } from '../records/record.model.ts';
import { stateOfRecord } from '../records/record-state.ts';
import { deleted, updated } from '../records/records.events.ts';
import { calledTowards } from './called-towards.ts';
import type { Referrer } from './called-towards.ts';
import { demandNoneKept } from './demand-none-kept.ts';
import type { Kept } from './demand-none-kept.ts';
import type { Incoming } from './incoming.ts';
import { findIncoming } from './incoming.ts';
import { loosen } from './loosen.ts';
import type { Loosened } from './loosen.ts';
import type { Asking, Lookup } from './lookup.ts';
import { idsAt } from './referenced-ids.ts';
import { keyOf, referring } from './referring.ts';
import type { Unwritten } from './referring.ts';
import { stillReferenced, tooManyDependents } from './references.errors.ts';

/** A write that follows from the delete of a record which others refer to. */
export interface Dependent {
  /** Of the record, `col_…/rec_…`. */
  readonly key: string;
  readonly collection: Collection;
  readonly write: Exclude<PlannedWrite<RecordDocument>, { kind: 'create' }>;
  /** The key of the record that it follows from. */
  readonly parent: string;
}

/** What the dependents of one transaction may come to; it is counted down. */
export interface DependentsBudget {
  records: number;
  bytes: number;
}

/** As much as goes into one transaction beside others. */
export const dependentsBudget = (): DependentsBudget => ({ records: 1_000, bytes: 16 * 1_048_576 });

/** How many records may stand one behind the other. */
const maxLevels = 5;

/** Who deletes, and how. */
export interface AskingToDelete extends Asking {
  /** As events say who it was. */
  readonly by: string | undefined;
  readonly budget: DependentsBudget;
  /** What {@link findIncoming} gives, asked once. */
  readonly incomingOf?: (collection: Collection) => Promise<readonly Incoming[]>;
  /** What the transaction is about to write beside. */
  readonly unwritten?: Unwritten;
  /** Records that go whatever a reference says; undefined for none of a collection. */
  readonly alsoGoing?: (from: Collection) => Filter<RecordDocument> | undefined;
  /** What events tell of a record that was; all of it where nothing is said. */
  readonly told?: (before: RecordDocument) => RecordDocument;
}

interface Going {
  readonly collection: Collection;
  readonly document: RecordDocument;
  /** Absent for the one that is asked for. */
  readonly parent?: string;
}

/**
 * Decides what the delete of a record comes to, in its transaction: which records that refer to it go too, and which no longer name it. The
 * caller needs no right to these: whoever defined the reference has said so.
 *
 * @param document - as it is; it is not among what is given back
 * @returns in the order in which to write, each after the one that it follows from
 * @throws Fault `still-referenced`, `too-many-dependents`; OutdatedDefinition
 */
export async function planDeletion(
  lookup: Lookup,
  collection: Collection,
  document: RecordDocument,
  how: AskingToDelete,
): Promise<readonly Dependent[]> {
  const { session, incomingOf = (to: Collection) => findIncoming(lookup, to, session) } = how;
  const goes = new Map<string, Going>([[keyOf(collection, document._id), { collection, document }]]);
  const loosened = new Map<string, Loosened>();
  const kept: Kept[] = [];
  let level = [...goes.values()];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxLevels) throw tooManyDependents({ detail: `They stand more than ${maxLevels} deep.` });
    const next: Going[] = [];
    for (const [to, ids] of byCollection(level)) {
      for (const incoming of await incomingOf(to)) {
        const found = await take(incoming, to, ids, { how, goes, loosened, kept });
        for (const each of found) goes.set(keyOf(each.collection, each.document._id), each);
        next.push(...found);
      }
    }
    level = next;
  }
  await demandNoneKept(lookup, kept, new Set(goes.keys()), how);
  return await dependentsOf(lookup, goes, loosened, how);
}

interface Progress {
  readonly how: AskingToDelete;
  readonly goes: ReadonlyMap<string, Going>;
  readonly loosened: Map<string, Loosened>;
  readonly kept: Kept[];
}

/** Takes what refers to some records by one field. @returns what goes with them */
async function take(
  incoming: Incoming,
  to: Collection,
  ids: readonly string[],
  { how, goes, loosened, kept }: Progress,
): Promise<readonly Going[]> {
  const { from, reference } = incoming;
  const { onDelete } = reference;
  const going = how.alsoGoing?.(from);
  if (onDelete === 'restrict') kept.push({ incoming, ids });
  if (onDelete === 'restrict' && going === undefined) return [];
  const { filter, unwritten } = referring(incoming, ids, how.unwritten, goes.keys());
  const rows = from.records.native.find(onDelete === 'restrict' ? { $and: [filter, going ?? {}] } : filter, {
    session: how.session,
    batchSize: 100,
  });
  const found: Going[] = [];
  const add = (document: RecordDocument): void => {
    const parent = keyOf(to, parentOf(document, incoming, ids));
    spend(how.budget, document);
    if (onDelete === 'null') loosen(loosened, { incoming, document, ids, parent });
    else found.push({ collection: from, document, parent });
  };
  if (onDelete !== 'restrict') for (const each of unwritten) add(each);
  for await (const each of rows) add(each);
  return found;
}

function spend(budget: DependentsBudget, document: RecordDocument): void {
  budget.records -= 1;
  budget.bytes -= BSON.calculateObjectSize(document);
  if (budget.records < 0 || budget.bytes < 0) throw tooManyDependents();
}

const byCollection = (level: readonly Going[]): ReadonlyMap<Collection, readonly string[]> =>
  new Map(
    [...Map.groupBy(level, ({ collection }) => collection)].map(([to, each]) => [
      to,
      each.map(({ document }) => document._id),
    ]),
  );

/** Which of some records another one names. */
const parentOf = (document: RecordDocument, { reference }: Incoming, ids: readonly string[]): string => {
  const wanted = new Set(ids);
  return idsAt(document.fields, reference.segments).find(({ id }) => wanted.has(id))?.id ?? '';
};

async function dependentsOf(
  lookup: Lookup,
  goes: ReadonlyMap<string, Going>,
  loosened: ReadonlyMap<string, Loosened>,
  how: AskingToDelete,
): Promise<readonly Dependent[]> {
  const { by, told = (before: RecordDocument) => before } = how;
  const deletes = [...goes].flatMap(([key, { collection, document, parent }]): Dependent[] => {
    if (parent === undefined) return [];
    const event = deleted(collection, told(document), by, { reason: 'cascade' });
    return [{ key, collection, parent, write: { kind: 'delete', current: document, event } }];
  });
  const updates: Dependent[] = [];
  for (const [key, { collection, document, fields, parent }] of loosened) {
    if (goes.has(key)) continue;
    await demandValid(lookup, { collection, document }, fields, how);
    // Events need not tell whose it is; it stays that until somebody says otherwise.
    const { createdBy } = document;
    const state = stateOfRecord(collection, {
      fields,
      // A reference is never encrypted.
      sealed: document.sealed,
      ...(createdBy === undefined ? {} : { createdBy }),
      ...(by === undefined ? {} : { updatedBy: by }),
    });
    const event = updated(collection, told(document), state);
    updates.push({
      ...{ key, collection, parent },
      write: { kind: 'update', current: document, decision: { state, event } },
    });
  }
  return [...deletes, ...updates];
}

/** A schema may ask for a reference under conditions that nobody could look at when it was defined. */
async function demandValid(lookup: Lookup, referrer: Referrer, fields: Fields, asking: AskingToDelete): Promise<void> {
  if (isLeftValid(referrer, fields)) return;
  const name = await calledTowards(lookup, asking, referrer);
  throw stillReferenced({ detail: `The schema of ${name} does not let a record be without it.` });
}

/** Whether a record keeps to its schema with other fields. Where what is encrypted cannot be opened, that counts which was not so before. */
function isLeftValid({ collection, document }: Referrer, fields: Fields): boolean {
  const { schema, pending } = collection;
  const faultsIn = (own: Fields) => [...schema.validate(own), ...(pending?.schema.validate(own) ?? [])];
  try {
    return faultsIn(openFields(collection, { ...document, fields })).length === 0;
  } catch (error) {
    if (!isKeyMissing(error) && !(error instanceof BrokenSeal)) throw error;
    const before = faultsIn(document.fields);
    return faultsIn(fields).every((fault) => before.some((each) => isDeepStrictEqual(each, fault)));
  }
}
