import {
  MongoServerError,
  type ChangeStreamDocument,
  type ChangeStreamOptions,
  type Db,
  type Timestamp,
} from 'mongodb';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import type { RelayLogger } from '../relay/relay-metrics.ts';
import { markOf, pipelineOf, toChange, transactionOf, type Change } from './change.ts';
import { createListeners } from './listeners.ts';
import { clusterTimeOf } from './position.ts';

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

/** ChangeStreamHistoryLost, ChangeStreamFatalError. */
const historyLostCodes: ReadonlySet<unknown> = new Set([286, 280]);

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
