import { toSequence, type EventEnvelope } from '@causeway/contracts';
import {
  MongoServerError,
  type ChangeStreamDocument,
  type ChangeStreamOptions,
  type Db,
  type Document,
  type Timestamp,
} from 'mongodb';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import { eventLog } from '../log/event-log.ts';
import type { Beside, OutboxEvent } from '../recording/recorded-document.ts';
import { tombstones, withoutBeside } from '../recording/recorded-document.ts';
import type { RelayLogger } from '../relay/relay-metrics.ts';
import { createListeners } from './listeners.ts';
import { clusterTimeOf } from './position.ts';

/** A committed write of a recorded document, in commit order, which is the same in every replica. */
export interface Change {
  readonly collection: string;
  readonly id: string;
  readonly revision: number;
  /** The event of this write. */
  readonly event: EventEnvelope | undefined;
  /** What goes along with the event, and is not published; absent where nothing does. */
  readonly beside?: Beside;
  /** Whole, for creates alone: nothing is looked up for an update. */
  readonly document: Document | undefined;
  readonly deleted: boolean;
  readonly clusterTime: Timestamp;
  /** The same for all writes of one transaction; absent outside one. */
  readonly transaction: string | undefined;
}

/** The one change stream of a process on its database. */
export interface CommitStream {
  /** Opens it; from then on every commit is seen. */
  start(): Promise<void>;
  /**
   * Calls a listener for each change, in order; it must not wait. Whoever listens is on its own: one that throws keeps no other from
   * hearing.
   *
   * @param onGap - called where the listener may have missed changes, as where it threw over one: caches are to be emptied, feeds to say so
   * @returns ends it
   */
  subscribe(listener: (change: Change) => void, onGap?: () => void): () => void;
  /**
   * Waits for a mark in the order of commits, which no other process is told of.
   *
   * @param told - called once, when listeners have been given all that was committed before it
   * @returns what to write, and what ends the waiting
   */
  awaitMark(told: () => void): { readonly mark: string; readonly forget: () => void };
  /** The last cluster time that was seen, a beacon's too. */
  readonly position: Timestamp | undefined;
  /** Whether more of a transaction at {@link CommitStream.position} may follow: its changes come one by one, and not always in one answer. */
  readonly midTransaction: boolean;
  /** Milliseconds since the last beacon or change; `Infinity` before the first. */
  readonly ageMs: number;
  /** Seconds of MongoDB's time, in whole ones, that it is behind what this process has heard of in any other way; `Infinity` before the first. */
  readonly behindS: number;
  readonly ready: boolean;
  /**
   * Reads changes again from a cluster time on, that time included, and goes on with what follows: for ever, or until
   * everything up to `until` has been read, which takes up to a second after that time where nothing but the beacon moves.
   *
   * @throws {@link HistoryLost} - the oplog no longer reaches back so far
   */
  readFrom(clusterTime: Timestamp, signal: AbortSignal, until?: Timestamp): AsyncIterable<Change>;
  stop(): Promise<void>;
}

/** The oplog no longer reaches back to the time that was asked for. */
export class HistoryLost extends Error {
  override readonly name = 'HistoryLost';
}

/** The collection whose one row is written each second, so that quiet streams know how far they have come. */
export const beacons = 'beacons';

/** ChangeStreamHistoryLost, ChangeStreamFatalError. */
const historyLostCodes: ReadonlySet<unknown> = new Set([286, 280]);

/** Collections of this package that record no changes of their own. */
export const plumbing = [
  eventLog,
  'handled',
  'handlers',
  'idempotency',
  'lanes',
  'leases',
  'positions',
  'relays',
  'settings',
  'slots',
];

/**
 * Inserts and replaces, and updates that set `revision`: a relay's pull does not, and is never sent to us; and beacons, and marks of one's own. Decided
 * in the server.
 */
const pipelineOf = (origin: string): Document[] => [
  {
    $match: {
      'ns.coll': { $nin: plumbing },
      $or: [
        { operationType: { $in: ['insert', 'replace'] } },
        { operationType: 'update', 'updateDescription.updatedFields.revision': { $exists: true } },
        { operationType: 'update', 'ns.coll': beacons, 'updateDescription.updatedFields.mark': { $exists: false } },
        {
          operationType: 'update',
          'ns.coll': beacons,
          'updateDescription.updatedFields.mark': new RegExp(`^${origin}/`),
        },
      ],
    },
  },
];

/** The outbox entries that an update has added: MongoDB may name the element, or the whole array. */
const addedEvents = (updated: Document): OutboxEvent[] =>
  Object.entries(updated).flatMap(([path, value]) => {
    if (path === 'outbox') return value as OutboxEvent[];
    return path.startsWith('outbox.') ? [value as OutboxEvent] : [];
  });

/** What a row of the beacons was marked with last. */
const markOf = (raw: ChangeStreamDocument): unknown => {
  if (raw.operationType === 'insert') return raw.ns.coll === beacons ? raw.fullDocument.mark : undefined;
  if (raw.operationType !== 'update' || raw.ns.coll !== beacons) return undefined;
  return (raw.updateDescription.updatedFields as Document | undefined)?.mark;
};

const transactionOf = ({
  lsid,
  txnNumber,
}: {
  readonly lsid?: unknown;
  readonly txnNumber?: unknown;
}): string | undefined =>
  txnNumber === undefined ? undefined : `${JSON.stringify(lsid)}/${JSON.stringify(txnNumber)}`;

/** A change of MongoDB's as ours; undefined for a beacon and for what records nothing. */
export const toChange = (raw: ChangeStreamDocument): Change | undefined => {
  if (raw.operationType !== 'insert' && raw.operationType !== 'replace' && raw.operationType !== 'update')
    return undefined;
  const { coll } = raw.ns;
  if (coll === beacons || raw.clusterTime === undefined) return undefined;
  const document = raw.operationType === 'update' ? undefined : raw.fullDocument;
  const updated =
    raw.operationType === 'update' ? ((raw.updateDescription.updatedFields ?? {}) as Document) : undefined;
  const revision = (document?.revision ?? updated?.revision) as number | undefined;
  if (typeof revision !== 'number') return undefined;
  const sequence = toSequence(revision);
  const events = updated === undefined ? ((document?.outbox ?? []) as OutboxEvent[]) : addedEvents(updated);
  const deleted = coll === tombstones;
  const event = events.find((each) => each.sequence === sequence);
  return {
    collection: deleted ? (document?.collection as string) : coll,
    id: deleted ? (document?.id as string) : String(raw.documentKey._id),
    revision,
    event: event && withoutBeside(event),
    ...(event?.beside === undefined ? {} : { beside: event.beside }),
    document: deleted ? undefined : document,
    deleted,
    clusterTime: raw.clusterTime,
    transaction: transactionOf(raw),
  };
};

const isAfter = (raw: ChangeStreamDocument, time: Timestamp): boolean =>
  'clusterTime' in raw && raw.clusterTime.greaterThan(time);

const isHistoryLost = (error: unknown): boolean =>
  error instanceof MongoServerError && historyLostCodes.has(error.code);

/** Makes the commit stream of one service in this process. */
export const createCommitStream = (db: Db, logger: RelayLogger): CommitStream => {
  const listeners = createListeners<Change>(logger);
  const stopping = new AbortController();
  const origin = randomUUID();
  const pipeline = pipelineOf(origin);
  const marks = new Map<unknown, () => void>();
  let running: Promise<void> | undefined;
  let position: Timestamp | undefined;
  let midTransaction = false;
  let seenAt = Number.NEGATIVE_INFINITY;
  let ready = false;

  const deliver = (raw: ChangeStreamDocument): void => {
    if ('clusterTime' in raw) position = raw.clusterTime ?? position;
    midTransaction = transactionOf(raw) !== undefined;
    seenAt = performance.now();
    let change: Change | undefined;
    try {
      change = toChange(raw);
    } catch (error) {
      // Nothing of ours has written it.
      logger.error({ error }, 'a change cannot be read');
      listeners.tellGap();
      return;
    }
    if (change !== undefined) listeners.tell(change);
    else if (marks.size > 0) marks.get(markOf(raw))?.();
  };

  /** Follows one stream until it breaks; gives the token to go on from. */
  const follow = async (token: unknown, opened: () => void): Promise<unknown> => {
    const options: ChangeStreamOptions = {
      maxAwaitTimeMS: 1_000,
      ...(token === undefined ? {} : { resumeAfter: token }),
    };
    const stream = db.watch(pipeline, options);
    const close = (): void => void stream.close().catch(() => undefined);
    stopping.signal.addEventListener('abort', close, { once: true });
    let last = token;
    try {
      // Told at the first answer, empty or not: the server has begun to watch.
      stream.once('resumeTokenChanged', opened);
      while (!stopping.signal.aborted) {
        const raw = await stream.tryNext();
        if (raw === null) midTransaction = false;
        else deliver(raw);
        last = stream.resumeToken;
      }
    } catch (error) {
      if (stopping.signal.aborted) return last;
      if (isHistoryLost(error)) {
        logger.error({ error }, 'the oplog no longer holds where the commit stream stood');
        return undefined;
      }
      logger.warn({ error }, 'the commit stream broke; it is opened again');
    } finally {
      stopping.signal.removeEventListener('abort', close);
      close();
    }
    return last;
  };

  const run = async (opened: () => void): Promise<void> => {
    let token: unknown;
    let first = true;
    while (!stopping.signal.aborted) {
      token = await follow(token, () => {
        ready = true;
        if (!first && token === undefined) listeners.tellGap();
        first = false;
        opened();
      });
      ready = false;
      await delay(50 + Math.random() * 200, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };

  return {
    start: () =>
      new Promise((resolve) => {
        running = run(resolve);
      }),
    subscribe: (listener, onGap) => listeners.add(listener, onGap),
    awaitMark(told) {
      const mark = `${origin}/${randomUUID()}`;
      const forget = (): void => void marks.delete(mark);
      marks.set(mark, () => {
        forget();
        told();
      });
      return { mark, forget };
    },
    get position() {
      return position;
    },
    get midTransaction() {
      return midTransaction;
    },
    get ageMs() {
      return performance.now() - seenAt;
    },
    get behindS() {
      if (position === undefined) return Number.POSITIVE_INFINITY;
      return Math.max(0, (clusterTimeOf(db.client)?.t ?? 0) - position.t);
    },
    get ready() {
      return ready;
    },
    async *readFrom(clusterTime, signal, until) {
      const stream = db.watch(pipeline, { startAtOperationTime: clusterTime, maxAwaitTimeMS: 500 });
      try {
        while (!signal.aborted && !stopping.signal.aborted) {
          const raw = await stream.tryNext();
          if (until !== undefined && raw !== null && isAfter(raw, until)) return;
          const change = raw === null ? undefined : toChange(raw);
          if (change !== undefined) yield change;
        }
      } catch (error) {
        throw isHistoryLost(error)
          ? new HistoryLost('the oplog no longer reaches back so far', { cause: error })
          : error;
      } finally {
        await stream.close().catch(() => undefined);
      }
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
};
