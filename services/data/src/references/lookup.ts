import type { ClientSession, Db, Document } from 'mongodb';

import type { Collection, CollectionRegistry } from '../collections/collection-registry.ts';
import { compileFilter } from '../conditions/compile-filter.ts';
import type { Condition, Value } from '../conditions/condition.ts';
import { everything } from '../conditions/condition.ts';
import { fieldsKey } from '../conditions/field-path.ts';
import type { RecordDocument } from '../records/record.model.ts';
import type { FollowFrom, Following, FollowReading } from '../rules/follow/follow-records.ts';
import { followAll, followFrom } from '../rules/follow/follow-records.ts';
import type { Caller } from '../rules/rule.ts';
import type { Seen } from '../rules/see.ts';
import { visibleCondition } from '../rules/see.ts';

/** Where referring records and those that are referred to are looked for. */
export interface Lookup {
  readonly db: Db;
  readonly registry: Pick<CollectionRegistry, 'get' | 'reload'>;
}

/** Who asks, when, and in which transaction. */
export interface Asking {
  readonly caller: Caller;
  readonly at: Date;
  readonly session: ClientSession;
}

/** A collection by its id; one that this process has not heard of is read. */
export const collectionBy = async ({ registry }: Lookup, id: string): Promise<Collection | undefined> =>
  registry.get(id) ?? (await registry.reload(id));

/**
 * The records of a collection that somebody may see, as a MongoDB query.
 *
 * @param asked - what they are to meet as they are seen; everything where nothing is said
 */
export async function readableFilter(
  { db }: Pick<Lookup, 'db'>,
  collection: Seen & Following,
  { caller, at, session, readConcern }: Pick<Asking, 'caller' | 'at'> & FollowReading,
  asked: Condition<Value> = everything,
): Promise<Document> {
  const seeing = await followAll(db, collection, caller, {
    ...(session === undefined ? {} : { session }),
    ...(readConcern === undefined ? {} : { readConcern }),
  });
  return compileFilter(visibleCondition(collection, seeing, asked, { at }));
}

/** How to look among some records: in a transaction, or as `readAfter` says. */
type Among = Pick<Asking, 'caller' | 'at'> & FollowReading & Pick<FollowFrom, 'asLeft'>;

/**
 * Those of some records that somebody may see, as a MongoDB query. Of what the rule follows only that is looked at which these records name:
 * nothing depends on how much else there is that the caller may see.
 */
export async function readableAmong(
  { db }: Pick<Lookup, 'db'>,
  collection: Collection,
  ids: readonly string[],
  { caller, at, session, readConcern, asLeft, time }: Among,
): Promise<Document> {
  const read: FollowReading = {
    ...(session === undefined ? {} : { session }),
    ...(readConcern === undefined ? {} : { readConcern }),
  };
  const own = { _id: { $in: [...ids] } };
  const { read: follows } = collection.follows;
  const isFollowed = follows.length > 0 && !caller.administrator;
  const projection = Object.fromEntries(follows.map(({ segments }) => [[fieldsKey, ...segments].join('.'), 1]));
  const options = { projection, ...read, ...(time === undefined ? {} : { maxTimeMS: time.leftMs() }) };
  const rows = isFollowed
    ? await collection.records.native.find<Pick<RecordDocument, 'fields'>>(own, options).toArray()
    : [];
  const seeing = await followFrom(db, collection, caller, rows, { only: 'read', read: { ...read, time }, asLeft });
  return { $and: [own, compileFilter(visibleCondition(collection, seeing, everything, { at }))] };
}
