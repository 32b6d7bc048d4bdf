import { randomUUID } from 'node:crypto';
import type { Db, MongoClient, Timestamp } from 'mongodb';

import { beacons } from './change.ts';
import type { CommitStream } from './commit-stream.ts';

/** What {@link createSettled} is given. */
export interface SettledOptions {
  readonly client: MongoClient;
  readonly db: Db;
  readonly stream: Pick<CommitStream, 'awaitMark'>;
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
   * Resolves when the listeners of this process's commit stream have been given every write that was acknowledged, by whichever process,
   * before the call. It takes a write to a majority, which calls of one moment share.
   *
   * @throws where that takes longer than `withinMs`
   */
  settled(withinMs: number): Promise<void>;
}

/** Lets work end in so many milliseconds, or fail. */
const within = async <Value>(work: Promise<Value>, withinMs: number, what: string): Promise<Value> => {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`${what} within ${withinMs.toFixed(0)} ms`)),
    Math.max(0, withinMs),
  );
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
};

/** Calls of one moment share one. One that has begun may stand before what the caller knows of: who comes meanwhile waits for the next. */
const together = <Value>(work: (withinMs: number) => Promise<Value>): ((withinMs: number) => Promise<Value>) => {
  let running: Promise<unknown> | undefined;
  let next: Promise<Value> | undefined;
  const begin = (withinMs: number): Promise<Value> => {
    const own = work(withinMs);
    const ended = own.then(
      () => undefined,
      () => undefined,
    );
    running = ended;
    void ended.then(() => {
      if (running === ended) running = undefined;
    });
    return own;
  };
  return (withinMs) => {
    if (running === undefined) return begin(withinMs);
    const askedAt = performance.now();
    next ??= running.then(() => {
      next = undefined;
      // Whoever was first to wait has waited for as long as the one before took.
      return begin(withinMs - (performance.now() - askedAt));
    });
    return next;
  };
};

/**
 * Makes it. A mark is a write, for a read would prove nothing: a primary that has been voted out without knowing it answers reads of what it
 * knows, but gets no majority for a write, and no stream brings what it has written.
 */
export const createSettled = ({ client, db, stream }: SettledOptions): Settled => {
  const rows = db.collection<{ _id: string; at: Date; mark: string }>(beacons);
  const _id = 'mark';

  const write = async (mark: string, withinMs: number): Promise<Timestamp> => {
    const session = client.startSession({ causalConsistency: true });
    try {
      await rows.updateOne(
        { _id },
        { $set: { mark }, $currentDate: { at: true } },
        { upsert: true, session, writeConcern: { w: 'majority', wtimeoutMS: Math.max(1, Math.ceil(withinMs)) } },
      );
      if (session.operationTime === undefined) throw new Error('MongoDB did not say when the mark was made');
      return session.operationTime;
    } finally {
      await session.endSession();
    }
  };
  return {
    // Never the same twice: a write that changes nothing stands nowhere.
    mark: together((withinMs) => within(write(randomUUID(), withinMs), withinMs, 'no majority has taken the mark')),
    settled: together(async (withinMs) => {
      const told = Promise.withResolvers<undefined>();
      // The mark itself, and not its time: that can be one of other databases, and nothing of this one's reaches it until the next beacon.
      const { mark, forget } = stream.awaitMark(() => told.resolve(undefined));
      try {
        await within(
          // Asking for a majority has MongoDB flush its journal at once; the stream brings the mark as soon as that is done.
          Promise.race([told.promise, write(mark, withinMs).then(() => told.promise)]),
          withinMs,
          'the commit stream has not come up to the mark',
        );
      } finally {
        forget();
      }
    }),
  };
};
