import { faults } from '@causeway/contracts';
import { clusterTimeOf, laterOf, readAfter } from '@causeway/events';
import type { Db, MongoClient, Timestamp } from 'mongodb';

import type { KeepHeaders } from '../caching/kept-answer.ts';
import { keepHeaders } from '../caching/kept-answer.ts';
import { expandItems, readInTurn } from '../expand/expand-items.ts';
import { parseExpand } from '../expand/parse-expand.ts';
import { referringIn } from '../expand/read-expanded.ts';
import { createLookTime } from '../pacing/look-time.ts';
import { faultOfQuery } from '../queries/find-records.ts';
import { inParameters } from '../queries/query-parameters.ts';
import { followFrom } from '../rules/follow/follow-records.ts';
import type { Caller } from '../rules/rule.ts';
import { decide } from '../rules/rule.ts';
import { createSight } from '../rules/see.ts';
import type { FindCurrentById } from './find-current.ts';
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
  /** Paths of references whose records are to be shown beside; undefined for none. */
  readonly expand?: readonly string[] | undefined;
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
 * Reads a record, with those that it refers to where they are asked for.
 *
 * @returns the use case; it throws fault `not-found` where there is none, or none that the caller may see; of `expand` also
 *   `invalid-request`, `query-too-costly` and `query-too-slow`
 */
export function createReadRecord({
  findCurrent,
  registry,
  reader,
  client,
  db,
  queryTimeoutMs,
  now,
}: FindCurrentById & {
  readonly reader: RecordReader;
  readonly client: MongoClient;
  readonly db: Db;
  /** For what the read rule follows, and all that is shown beside, together. */
  readonly queryTimeoutMs: number;
  readonly now: () => Date;
}): (command: ReadRecord) => Promise<SeenRecord> {
  const readSeen = async ({ collection: name, id, caller, after, expand }: ReadRecord): Promise<SeenRecord> => {
    const collection = await findCurrent(name, after);
    if (collection === undefined) throw faults.notFound();
    const found = await reader.read(collection.id, id, after);
    if (found === undefined) throw faults.notFound();
    const context = { at: now() };
    const time = createLookTime(queryTimeoutMs);
    const asking = await readAfter(client, after, (read) =>
      followFrom(db, collection, caller, [found.record], { only: 'read', read: { ...read, time } }),
    );
    if (!decide(collection.rules.read, asking, found.record, context)) throw faults.notFound();
    const { record, position } = found;
    const sight = createSight(collection, caller, context);
    const shown = sight.show(record);
    const json = sight.isAsStored ? found.json : JSON.stringify(answerRecord(shown));
    if (expand === undefined) {
      const keep = keepHeaders(collection, caller);
      return { json, position, keep, tag: tagOf(sight, record.revision, () => json) };
    }
    const place = inParameters('expand');
    const expansions = await parseExpand(expand, collection, { findCurrent, registry, caller, after, place });
    // What is shown beside a record is never older than the record.
    const since = laterOf(after, position);
    const [text = json] = await readAfter(client, since, (own) =>
      readInTurn(client, own, async (read) => {
        const reading = { db, caller, at: context.at, read, time };
        return (await expandItems(expansions, [{ row: referringIn(shown, expansions), text: json }], reading)).texts;
      }),
    );
    return {
      json: text,
      position: laterOf(position, clusterTimeOf(client)),
      keep: keepHeaders(collection, caller, expansions),
      // Of more than the record: at the same revision it is another one where what it refers to is.
      tag: tagOf({ isWhole: false }, record.revision, () => text),
    };
  };
  return (command) =>
    readSeen(command).catch((error: unknown) => {
      throw faultOfQuery(error);
    });
}
