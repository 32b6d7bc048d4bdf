import { faults } from '@causeway/contracts';
import { MongoError, WriteConcern, type ClientSession, type MongoClient } from 'mongodb';
import { setTimeout as delay } from 'node:timers/promises';

import { Contended, OutOfTime, unlessAborted } from './out-of-time.ts';
import { isOutage, NoAnswer } from './outage.ts';
import type { SessionJournal } from './session-journal.ts';

/** Transactions that go on for longer are given up; see `abandoned-transactions.ts` for those whose process is gone. */
export const transactionMs = 10_000;

/** A commit that begins in time has so long at least: what it awaits is MongoDB's majority, not us. */
const commitMs = 2_000;

/** Where MongoDB does not end a transaction within this time, it does not answer. */
const answerMs = 2_000;

const hasLabel = (error: unknown, label: string): boolean => error instanceof MongoError && error.hasErrorLabel(label);

/** Waits for MongoDB no longer than that. @throws NoAnswer */
const answeredWithin = async <T>(ms: number, asked: Promise<T>): Promise<T> => {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new NoAnswer(`MongoDB has not answered within ${ms} ms`)), ms);
  try {
    return await unlessAborted(asked, late.signal);
  } finally {
    clearTimeout(timer);
  }
};

/** Commits, again where the answer was lost: committing twice is safe. */
const commit = async (session: ClientSession, deadline: number): Promise<void> => {
  const until = Math.max(deadline, performance.now() + commitMs);
  for (;;) {
    try {
      // The driver itself has no bound here.
      await answeredWithin(Math.max(1, until - performance.now()), session.commitTransaction());
      return;
    } catch (error) {
      if (!hasLabel(error, 'UnknownTransactionCommitResult') || performance.now() >= until) throw error;
      await delay(20 + Math.random() * 80);
    }
  }
};

/** Ends a transaction on which somebody may still be at work, with the statement that is under way. @throws where MongoDB is away */
const cutOff = async (client: MongoClient, session: ClientSession): Promise<void> => {
  const { id } = session;
  if (id !== undefined) await answeredWithin(answerMs, client.db('admin').command({ killSessions: [{ id: id.id }] }));
};

/**
 * Before a transaction is made anew. The more often it has met others, the longer: after an outage, all that run at once want the same few
 * documents, and each attempt that is lost takes the database's time from those that win.
 */
const conflictPauseMs = (attempt: number): number => Math.random() * Math.min(1_000, 5 * 2 ** attempt);

const tooSlow = (boundMs: number): OutOfTime =>
  new OutOfTime(
    `a transaction was not over after ${boundMs} ms, and was undone. Do less in one, and nothing slow; and hand its session to every ` +
      'write: one without it waits for the transaction where that has written the same document',
  );

const contended = (boundMs: number, cause: unknown): Contended =>
  new Contended(
    `a transaction met a write of the same documents at each attempt, for ${boundMs} ms. Hand its session to every write in it; ` +
      'spread over more documents what many write at once',
    { cause },
  );

/** How long a transaction may take. */
export interface TransactionBound {
  /** Default {@link transactionMs}, and no more than that. */
  readonly boundMs?: number;
}

/** How {@link runTransaction} is wired. */
export interface TransactionOptions {
  readonly client: MongoClient;
  readonly journal: SessionJournal;
  /** Default {@link transactionMs}. */
  readonly boundMs?: number | undefined;
}

/**
 * Runs `work` in a transaction (snapshot reads, majority writes), anew where MongoDB asks for it, for at most 10 s. `work`
 * may run more than once, so it must touch nothing but the session. One that is not over by then is not waited for: whatever it still
 * does in its session fails.
 *
 * @param work - its signal is aborted when the time is up
 * @returns what `work` returned in the attempt that was committed
 * @throws what `work` throws; {@link OutOfTime} where it was not over in time, {@link Contended} where others came first until then;
 *   `unavailable` where MongoDB was away
 */
export const runTransaction = async <T>(
  { client, journal, boundMs = transactionMs }: TransactionOptions,
  work: (session: ClientSession, signal: AbortSignal) => Promise<T>,
): Promise<{ result: T; session: ClientSession }> => {
  const deadline = performance.now() + boundMs;
  const session = client.startSession({ causalConsistency: true });
  const late = new AbortController();
  let begunMs = performance.now();
  let conflict: unknown;
  /** Whether one attempt took the time, or there were many. */
  const lateness = (): Error =>
    conflict === undefined || performance.now() - begunMs > boundMs / 2
      ? tooSlow(boundMs)
      : contended(boundMs, conflict);
  const timer = setTimeout(() => late.abort(lateness()), boundMs);
  const isLate = (): boolean => late.signal.aborted || performance.now() >= deadline;

  /** Rejects with what comes of an attempt that failed, unless it is to be made anew. */
  const settleFailure = async (error: unknown, attempt: number): Promise<void> => {
    if (late.signal.aborted && !isOutage(error)) {
      await cutOff(client, session).catch((cause: unknown) => {
        throw faults.unavailable({ message: 'MongoDB does not end a transaction', retryAfterS: 1, cause });
      });
      throw late.signal.reason;
    }
    // An abort that fails leaves a transaction that MongoDB ends by itself; the first error tells more.
    if (session.inTransaction()) await answeredWithin(answerMs, session.abortTransaction()).catch(() => undefined);
    if (!hasLabel(error, 'TransientTransactionError')) throw error;
    // It is not ended yet: this session can begin no other.
    if (session.inTransaction()) throw faults.unavailable({ retryAfterS: 1, cause: new NoAnswer('an abort hangs') });
    conflict = isOutage(error) ? undefined : error;
    await delay(conflictPauseMs(attempt));
    if (isLate()) throw conflict === undefined ? faults.unavailable({ retryAfterS: 1, cause: error }) : lateness();
  };

  try {
    for (let attempt = 1; ; attempt += 1) {
      begunMs = performance.now();
      journal.begin(session);
      session.startTransaction({ readConcern: { level: 'snapshot' }, writeConcern: new WriteConcern('majority') });
      try {
        const result = await unlessAborted(work(session, late.signal), late.signal);
        if (isLate()) throw lateness();
        await commit(session, deadline);
        return { result, session };
      } catch (error) {
        await settleFailure(error, attempt);
      }
    }
  } finally {
    clearTimeout(timer);
    await answeredWithin(answerMs, session.endSession()).catch(() => undefined);
  }
};
