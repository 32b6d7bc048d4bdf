import { faults } from '@causeway/contracts';
import type { ReadAfterOptions } from '@causeway/events';
import { BSON } from 'mongodb';
import type { ClientSession, Db, Document } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import { compilePredicate } from '../conditions/compile-predicate.ts';
import { createBudget, TooCostly } from '../conditions/evaluation-budget.ts';
import type { RecordQuery } from '../queries/asked-query.ts';
import { visibleCondition, visibleMatch } from '../queries/find-records.ts';
import { inParameters } from '../queries/query-parameters.ts';
import { demandPlaces } from '../queries/required-indexes.ts';
import { demandReadable, demandWritable } from '../records/judge-record.ts';
import type { RecordDocument } from '../records/record.model.ts';
import { followAll } from '../rules/follow/follow-records.ts';
import type { Caller } from '../rules/rule.ts';
import { decisionUnits } from '../rules/rule.ts';
import { ruleTooCostly } from '../rules/rules.errors.ts';
import { demandSeen } from '../rules/see.ts';

/** Which records of a collection a call is about. */
export interface Matching {
  /** The id of the collection that was asked: another one may have its name by now. */
  readonly collectionId: string;
  readonly caller: Caller;
  /** In the order of ids; its filter is bound to the time at which the call began. */
  readonly query: RecordQuery;
  /** How long MongoDB may take to find some. */
  readonly timeoutMs: number;
}

/** Documents that are held at once, with the events that they have not published yet. */
const maxBytes = 8 * 1_048_576;

/**
 * Makes sure, under the definition of now, that what was asked may still be asked.
 *
 * @throws Fault `not-found`, `definition-busy`, `invalid-request` where fields have become guarded, `query-needs-index` where places are not
 *   indexed any more
 */
export function demandMatchable(collection: Collection, { collectionId, caller, query }: Matching): void {
  if (collection.id !== collectionId) throw faults.notFound();
  demandReadable(collection, caller);
  demandWritable(collection);
  demandSeen(collection, caller, query, inParameters);
  demandPlaces(collection, query);
}

/** What meets the filter, as the caller sees it now. */
const filterAt = (collection: Collection, { caller, query }: Matching, at: Date): Document =>
  visibleMatch(collection, caller, { ...query, at });

/**
 * Whether a record meets the filter as the caller sees it.
 *
 * @param matching - its caller is one of whom it is known where references lead, as far as this record goes
 * @param at - when, for rules
 * @throws Fault `rule-too-costly`
 */
export function meets(collection: Collection, { caller, query }: Matching, record: object, at: Date): boolean {
  const condition = visibleCondition(collection, caller, { ...query, at });
  try {
    return compilePredicate(condition, createBudget(decisionUnits))(record);
  } catch (error) {
    throw error instanceof TooCostly ? ruleTooCostly({ cause: error }) : error;
  }
}

/** Records that match, as of the beginning of a call. */
export interface Selected {
  /** In their order, up to a number. */
  readonly ids: readonly string[];
  /** Whether there are more. */
  readonly hasMore: boolean;
}

/**
 * Finds which records match. What comes to match later is not among them: a call does not run after what is being written.
 *
 * @param after - the id behind which to begin
 * @param read - of `readAfter`
 */
export async function selectMatching(
  db: Db,
  collection: Collection,
  matching: Matching,
  {
    after,
    limit,
    read,
  }: { readonly after: string | undefined; readonly limit: number; readonly read: ReadAfterOptions },
): Promise<Selected> {
  const { query, timeoutMs } = matching;
  const caller = await followAll(db, collection, matching.caller, read);
  const filter = filterAt(collection, { ...matching, caller }, query.at);
  const rows = await collection.records.native
    .find(after === undefined ? filter : { $and: [filter, { _id: { $gt: after } }] }, {
      projection: { _id: 1 },
      ...read,
    })
    .sort({ _id: 1 })
    .limit(limit + 1)
    .maxTimeMS(timeoutMs)
    .toArray();
  return { ids: rows.slice(0, limit).map(({ _id }) => _id), hasMore: rows.length > limit };
}

/** Records that still match, whole. */
export interface ReadMatching {
  readonly documents: readonly RecordDocument[];
  /** How many of the ids were looked for: fewer than all where the records are large. */
  readonly through: number;
}

/** How to read records. */
export interface ReadHow {
  readonly at: Date;
  readonly session?: ClientSession;
  readonly isWhole?: boolean;
}

/**
 * Reads those of some records that match now, in their order.
 *
 * @param ids - in their order
 * @param how - `at`: when, for rules; `isWhole`: all of them, however large
 */
export async function readMatching(
  db: Db,
  collection: Collection,
  matching: Matching,
  ids: readonly string[],
  { at, session, isWhole = false }: ReadHow,
): Promise<ReadMatching> {
  const caller = await followAll(db, collection, matching.caller, session === undefined ? {} : { session });
  const filter = { $and: [{ _id: { $in: [...ids] } }, filterAt(collection, { ...matching, caller }, at)] };
  const found = collection.records.native
    .find(filter, { batchSize: 100, maxTimeMS: matching.timeoutMs, ...(session === undefined ? {} : { session }) })
    .hint({ _id: 1 })
    .sort({ _id: 1 });
  const documents: RecordDocument[] = [];
  let bytes = 0;
  for await (const document of found) {
    documents.push(document);
    bytes += BSON.calculateObjectSize(document);
    if (bytes >= maxBytes && !isWhole) return { documents, through: ids.indexOf(document._id) + 1 };
  }
  return { documents, through: ids.length };
}
