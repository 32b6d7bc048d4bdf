import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Db, MongoClient, Timestamp } from 'mongodb';

import { beacons, type CommitStream } from './commit-stream.ts';

/** What {@link createSettled} is given. */
export interface SettledOptions {
  readonly client: MongoClient;
  readonly db: Db;
  readonly stream: Pick<CommitStream, 'position'>;
}

/** Knows what has been committed for certain, and when the commit stream has told of it. */
export interface Settled {
  /**
   * Writes a mark into the order of commits: every write that was acknowledged before the call stands before it. Calls of one moment share one.
   *
   * @returns where it stands; what is read after it is as new as the call
   * @throws where a majority has not taken it within `withinMs`
   */
  mark(withinMs: number): Promise<Timestamp>;
  /**
   * Resolves when the listeners of this process's commit stream have been given every write that was acknowledged before the call.
   *
   * @throws where that takes longer than `withinMs`
   */
  settled(withinMs: number): Promise<void>;
}

const pollMs = 2;

const within = async <Value>(work: Promise<Value>, withinMs: number): Promise<Value> => {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`no majority has taken the mark within ${withinMs} ms`)),
    withinMs,
  );
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
};

/**
 * Makes it. A mark is a write, for a read would prove nothing: a primary that has been voted out without knowing it answers reads of what it
 * knows, but gets no majority for a write.
 */
export const createSettled = ({ client, db, stream }: SettledOptions): Settled => {
  const rows = db.collection<{ _id: string; at: Date; mark: string }>(beacons);
  const _id = 'mark';

  const write = async (withinMs: number): Promise<Timestamp> => {
    const session = client.startSession({ causalConsistency: true });
    try {
      // Never the same twice: a write that changes nothing stands nowhere.
      await rows.updateOne(
        { _id },
        { $set: { mark: randomUUID() }, $currentDate: { at: true } },
        { upsert: true, session, writeConcern: { w: 'majority', wtimeoutMS: withinMs } },
      );
      if (session.operationTime === undefined) throw new Error('MongoDB did not say when the mark was made');
      return session.operationTime;
    } finally {
      await session.endSession();
    }
  };

  /** One that has begun may stand before what the caller knows of: who comes meanwhile waits for the next. */
  let running: Promise<unknown> | undefined;
  let next: Promise<Timestamp> | undefined;
  const begin = (withinMs: number): Promise<Timestamp> => {
    const mark = within(write(withinMs), withinMs);
    const ended = mark.then(
      () => undefined,
      () => undefined,
    );
    running = ended;
    void ended.then(() => {
      if (running === ended) running = undefined;
    });
    return mark;
  };
  const mark = (withinMs: number): Promise<Timestamp> => {
    if (running === undefined) return begin(withinMs);
    next ??= running.then(() => {
      next = undefined;
      return begin(withinMs);
    });
    return next;
  };

  return {
    mark,
    async settled(withinMs) {
      const deadline = performance.now() + withinMs;
      const place = await mark(withinMs);
      while (stream.position?.greaterThanOrEqual(place) !== true) {
        if (performance.now() > deadline) throw new Error(`the commit stream is more than ${withinMs} ms behind`);
        await delay(pollMs);
      }
    },
  };
};
