import { setTimeout as delay } from 'node:timers/promises';

import { Fault } from '@causeway/contracts';
import { readAfter, readAfterTimeoutMs } from '@causeway/events';
import type { Db, MongoClient, Timestamp } from 'mongodb';

import type { DefinitionDocument } from '../../collections/collection.model.ts';
import { definitionsCollection } from '../../collections/collection.model.ts';
import type { Collection, CollectionRegistry } from '../../collections/collection-registry.ts';
import { parseDefinition } from '../../collections/parse-definition.ts';
import { scalarTypesAt } from '../../collections/scalar-types.ts';
import { bindCondition } from '../../conditions/bind-condition.ts';
import type { RecordQuery } from '../../queries/asked-query.ts';
import { faultOfQuery, findVisible } from '../../queries/find-records.ts';
import { inTime } from '../../queries/in-time.ts';
import type { AdmitQuery } from '../../queries/plan/admit-query.ts';
import { answerRecord } from '../../records/record.model.ts';
import { queryTooSlow } from '../../records/records.errors.ts';
import { GuardRefused } from '../../rules/guard-condition.ts';
import { followAll } from '../../rules/follow/follow-records.ts';
import { createSight } from '../../rules/see.ts';
import { parseSort } from '../../sorting/sort.ts';
import type { FeedCursors } from '../feed-cursors.ts';
import type { Feed } from '../feed.ts';
import type { Place } from '../place.ts';
import type { Snapshot } from './read-snapshot.ts';
import { isSnapshotGone, openSnapshot } from './read-snapshot.ts';
import type { Release, SnapshotPlaces } from './snapshot-places.ts';

/** What {@link createSendSnapshot} is given. */
export interface SendSnapshotOptions {
  readonly client: MongoClient;
  readonly db: Db;
  readonly admit: Pick<AdmitQuery, 'demand'>;
  readonly registry: Pick<CollectionRegistry, 'reload'>;
  readonly places: SnapshotPlaces;
  readonly cursors: Pick<FeedCursors, 'seal'>;
  /** How long MongoDB may take for one batch. */
  readonly queryTimeoutMs: number;
  /** How long its reader may take for all of it. Default 60,000. */
  readonly boundMs?: number;
  readonly now: () => Date;
}

/** How a snapshot is to be sent. */
export interface SendSnapshotCommand {
  /** It is of no earlier time. */
  readonly notBefore: Timestamp | undefined;
  /** The place that was taken for it, by who has had the query admitted; undefined where neither has been done. */
  readonly place: Release | undefined;
}

/**
 * Sends a feed its current result, one `current` each, and `ready`.
 *
 * @returns the place after which the feed goes on; undefined where it has ended, or has lost the snapshot midway
 */
export type SendSnapshot = (feed: Feed, command: SendSnapshotCommand) => Promise<Place | undefined>;

interface Sending {
  readonly notBefore: Timestamp | undefined;
  /** Aborted when the feed has ended, or the time is up. */
  readonly signal: AbortSignal;
}

/** A reader who has not taken it all by then is too slow: MongoDB's history, and ours, is not kept for ever. */
const snapshotMs = 60_000;
const batchSize = 500;
/** Before another one is read: the change of an index that has cost us this one may not be over. */
const pauseMs = 100;

const byId = parseSort([], () => undefined);

/** The query of a feed's snapshot, by its filter and the time that it takes for now. */
export const snapshotQuery = (filter: RecordQuery['filter'], at: Date): RecordQuery => ({
  filter,
  condition: bindCondition(filter, { at }),
  at,
  sort: byId.ok ? byId.value : [],
  fields: undefined,
});

/** Makes what sends snapshots. */
export function createSendSnapshot(options: SendSnapshotOptions): SendSnapshot {
  const { client, db, admit, registry, places, cursors, queryTimeoutMs, boundMs = snapshotMs, now } = options;
  const definitions = db.collection<DefinitionDocument>(definitionsCollection);

  /** A collection as it was at the time of a snapshot, also before the commit stream has brought that: what it knows of keys, nobody else does. */
  const defined = async (known: Collection, document: DefinitionDocument): Promise<Collection> => {
    const isAhead = document.revision > known.revision;
    return definedBy((isAhead ? await registry.reload(known.id) : undefined) ?? known, document);
  };

  /** Opens a snapshot, and has the feed see by the definition of then. @returns undefined where that is gone, or has ended the feed */
  const open = async (feed: Feed, { notBefore, signal }: Sending): Promise<Snapshot | undefined> => {
    // Changes of records that its rule follows are kept from here on: those of after the snapshot are not in what is found.
    feed.beginLook();
    const about = { projection: { _id: 1 }, maxTimeMS: readAfterTimeoutMs, signal };
    await readAfter(client, notBefore, (read) =>
      definitions.findOne({ _id: feed.collectionId }, { ...about, ...read }),
    );
    const snapshot = await openSnapshot(db, feed.collectionId, signal);
    if (snapshot.definition === undefined) return undefined;
    feed.redefine(await defined(feed.collection, snapshot.definition));
    if (feed.isFollowing) {
      const { collection, asker } = feed;
      const { readConcern, time } = snapshot;
      feed.settleLook(collection, await followAll(db, collection, asker, { readConcern }), time);
    } else feed.renew();
    return feed.hasEnded() ? undefined : snapshot;
  };

  /** @returns how many were sent; undefined where the feed is not to be sent more */
  const sendRows = async (
    feed: Feed,
    { readConcern, time }: Snapshot,
    { signal }: Sending,
  ): Promise<number | undefined> => {
    const late = new AbortController();
    const read = { readConcern, signal: AbortSignal.any([signal, late.signal]) };
    const query = snapshotQuery(feed.filter, new Date(time.t * 1000));
    const cursor = findVisible(feed.collection, feed.caller, query, { read });
    const { show } = createSight(feed.collection, feed.caller, { at: query.at });
    cursor.batchSize(batchSize);
    let sent = 0;
    try {
      for await (const record of inTime(cursor, queryTimeoutMs, () => late.abort(queryTooSlow()))) {
        const hasRoom = await feed.drained();
        if (!hasRoom || feed.hasEnded() || feed.isOutdated || signal.aborted) return undefined;
        const data = JSON.stringify({ record: answerRecord(show(record)), revision: record.revision });
        if (!feed.write({ event: 'current', data })) return undefined;
        sent += 1;
      }
    } finally {
      await cursor.close();
    }
    return sent;
  };

  const send = async (feed: Feed, sending: Sending): Promise<Place | undefined> => {
    const snapshot = await open(feed, sending);
    if (snapshot === undefined) {
      feed.end('end', 'collection-removed');
      return undefined;
    }
    const records = await sendRows(feed, snapshot, sending);
    if (feed.hasEnded()) return undefined;
    // The rest is nobody's business who may no longer read it.
    if (feed.isOutdated) {
      feed.lose('rights');
      return undefined;
    }
    const place: Place = { position: snapshot.time, eventId: undefined };
    const ready = { event: 'ready', id: feed.cursorAt(cursors.seal(place)), data: JSON.stringify({ records }) };
    if (records !== undefined && feed.write(ready)) return place;
    feed.end('gap', 'slow');
    return undefined;
  };

  return async (feed, { notBefore, place }) => {
    const bound = AbortSignal.timeout(boundMs);
    let release = place;
    try {
      if (release === undefined) {
        const { collection, asker } = feed;
        const caller = await followAll(db, collection, asker);
        await admit.demand({ collection, caller, query: snapshotQuery(feed.filter, now()), read: {} });
        release = await places.take(feed.signal);
      }
      return await send(feed, { notBefore, signal: AbortSignal.any([feed.signal, bound]) });
    } catch (error) {
      await settle(feed, faultOfQuery(error), bound);
      return undefined;
    } finally {
      release?.();
    }
  };
}

/** What becomes of a feed whose snapshot could not be sent. @throws what nobody can say more of */
async function settle(feed: Feed, error: unknown, bound: AbortSignal): Promise<void> {
  if (feed.hasEnded() || feed.signal.aborted) return;
  if (bound.aborted) feed.end('gap', 'slow');
  else if (isSnapshotGone(error)) {
    feed.lose('history');
    await delay(pauseMs * (0.5 + Math.random()));
  } else if (error instanceof Fault || error instanceof GuardRefused) feed.end('end', error.code);
  else throw error;
}

/** A collection as a definition makes it that was read at some time. */
function definedBy(known: Collection, { name, revision, definition, readSince }: DefinitionDocument): Collection {
  if (revision === known.revision) return known;
  const typesAt = (segments: readonly string[]) => scalarTypesAt(definition.schema, segments);
  const parsed = parseDefinition(definition);
  return { ...known, ...parsed, name, revision, readSince, pending: undefined, scalarTypesAt: typesAt };
}
