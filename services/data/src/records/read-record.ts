import { faults } from '@causeway/contracts';
import { readAfter } from '@causeway/events';
import type { Db, MongoClient, Timestamp } from 'mongodb';

import type { KeepHeaders } from '../caching/kept-answer.ts';
import { keepHeaders } from '../caching/kept-answer.ts';
import { followFrom } from '../rules/follow/follow-records.ts';
import type { Caller } from '../rules/rule.ts';
import { decide } from '../rules/rule.ts';
import { createSight } from '../rules/see.ts';
import type { FindCurrent } from './find-current.ts';
import type { VisibleRecord } from './record.model.ts';
import { answerRecord } from './record.model.ts';
import { tagOf } from './show-record.ts';

/** Which record somebody wants to see. */
export interface ReadRecord {
  readonly collection: string;
  readonly id: string;
  readonly caller: Caller;
  /** The highest position that the caller has seen; without one, caches are passed by. */
  readonly after: Timestamp | undefined;
}

/** A record that was found. */
export interface FoundRecord {
  readonly record: VisibleRecord;
  /** The record as JSON, as it is answered to who sees all of it. */
  readonly json: string;
  /** How far the commits reach that the answer reflects. */
  readonly position: Timestamp | undefined;
}

/** A record as a caller sees it. */
export interface SeenRecord extends Pick<FoundRecord, 'json' | 'position'> {
  /** Its entity tag. */
  readonly tag: string;
  /** How it may be kept. */
  readonly keep: KeepHeaders;
}

/** Where records are read. A caller's position decides whether a cache may answer. */
export interface RecordReader {
  /** @returns undefined where there is no such record */
  read(collectionId: string, id: string, after: Timestamp | undefined): Promise<FoundRecord | undefined>;
}

/**
 * Reads a record.
 *
 * @returns the use case; it throws fault `not-found` where there is none, or none that the caller may see
 */
export function createReadRecord({
  findCurrent,
  reader,
  client,
  db,
  now,
}: {
  readonly findCurrent: FindCurrent;
  readonly reader: RecordReader;
  readonly client: MongoClient;
  readonly db: Db;
  readonly now: () => Date;
}) {
  return async ({ collection: name, id, caller, after }: ReadRecord): Promise<SeenRecord> => {
    const collection = await findCurrent(name, after);
    if (collection === undefined) throw faults.notFound();
    const found = await reader.read(collection.id, id, after);
    if (found === undefined) throw faults.notFound();
    const context = { at: now() };
    const asking = await readAfter(client, after, (read) =>
      followFrom(db, collection, caller, [found.record], { only: 'read', read }),
    );
    if (!decide(collection.rules.read, asking, found.record, context)) throw faults.notFound();
    const { record, position } = found;
    const sight = createSight(collection, caller, context);
    const json = sight.isAsStored ? found.json : JSON.stringify(answerRecord(sight.show(record)));
    const keep = keepHeaders(collection, caller);
    return { json, position, keep, tag: tagOf(sight, record.revision, () => json) };
  };
}
