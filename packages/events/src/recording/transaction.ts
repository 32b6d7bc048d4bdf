import { faults } from '@causeway/contracts';
import { MongoError, WriteConcern, type ClientSession, type MongoClient } from 'mongodb';
import { setTimeout as delay } from 'node:timers/promises';

import type { SessionJournal } from './session-journal.ts';

/** Transactions that go on for longer are given up; see `abandoned-transactions.ts` for those whose process is gone. */
const boundMs = 10_000;

const hasLabel = (error: unknown, label: string): boolean => error instanceof MongoError && error.hasErrorLabel(label);

/** Commits, again where the answer was lost: committing twice is safe. */
const commit = async (session: ClientSession, deadline: number): Promise<void> => {
  for (;;) {
    try {
      await session.commitTransaction({ timeoutMS: Math.max(1, deadline - performance.now()) });
      return;
    } catch (error) {
      if (!hasLabel(error, 'UnknownTransactionCommitResult') || performance.now() >= deadline) throw error;
      await delay(20 + Math.random() * 80);
    }
  }
};

/**
 * Runs `work` in a transaction (snapshot reads, majority writes), anew where MongoDB asks for it, for at most 10 s. `work`
 * may run more than once, so it must touch nothing but the session.
 *
 * @returns what `work` returned in the attempt that was committed
 * @throws what `work` throws, and `unavailable` where the transaction could not be committed in time
 */
export const runTransaction = async <T>(
  client: MongoClient,
  journal: SessionJournal,
  work: (session: ClientSession) => Promise<T>,
): Promise<{ result: T; session: ClientSession }> => {
  const deadline = performance.now() + boundMs;
  const session = client.startSession({ causalConsistency: true });
  try {
    for (let attempt = 1; ; attempt += 1) {
      journal.begin(session);
      session.startTransaction({ readConcern: { level: 'snapshot' }, writeConcern: new WriteConcern('majority') });
      try {
        const result = await work(session);
        await commit(session, deadline);
        return { result, session };
      } catch (error) {
        // An abort that fails leaves a transaction that MongoDB ends by itself; the first error tells more.
        if (session.inTransaction()) await session.abortTransaction().catch(() => undefined);
        if (!hasLabel(error, 'TransientTransactionError')) throw error;
        if (performance.now() >= deadline) {
          throw faults.unavailable({ message: 'a transaction found no quiet moment', retryAfterS: 1, cause: error });
        }
        await delay(Math.random() * Math.min(200, 5 * 2 ** attempt));
      }
    }
  } finally {
    await session.endSession();
  }
};
