import { ReadConcern, type Document, type MongoClient, type UUID } from 'mongodb';

import type { RelayLogger } from '../relay/relay-metrics.ts';

/**
 * A transaction that is open for longer was left by a process that died: those of {@link runTransaction} go on for 10 s at
 * most.
 */
export const abandonedAfterMs = 12_000;

/** How often is looked; replicas need not agree on who does. */
const lookEveryMs = 2_000;

/** Where looking is refused, it is asked again after so long. */
const refusedMs = 60_000;

/** How {@link endAbandonedTransactions} is wired. */
export interface AbandonedTransactionsOptions {
  /** Named by its `appName`: only transactions under that name are looked at. Without a name nothing is done. */
  readonly client: MongoClient;
  readonly logger: Pick<RelayLogger, 'info' | 'warn'>;
  /** Default {@link abandonedAfterMs}. */
  readonly afterMs?: number;
}

interface IdleTransaction {
  readonly lsid: { readonly id: UUID };
  readonly transaction: { readonly timeOpenMicros: number };
}

/**
 * Ends transactions of this service whose process is gone, so that what they hold is free again: MongoDB itself does so only
 * after 60 to 90 s (`transactionLifetimeLimitSeconds`, looked at twice in that time), since a session outlives its
 * connections. Until then nobody else gets past a claimed event, and its partition stands still.
 *
 * Needs no privilege: `$currentOp` shows one's own operations to everybody, and `killSessions` ends one's own sessions.
 *
 * @returns a function that ends the watch
 */
export const endAbandonedTransactions = (options: AbandonedTransactionsOptions): (() => void) => {
  const { client, logger, afterMs = abandonedAfterMs } = options;
  const { appName } = client.options;
  if (appName === undefined) return () => undefined;
  // A stage of the server's own: it takes no other read concern.
  const admin = client.db('admin', { readConcern: new ReadConcern('local') });
  const idle: Document[] = [
    { $currentOp: { idleSessions: true } },
    { $match: { type: 'idleSession', appName, 'transaction.timeOpenMicros': { $gt: afterMs * 1_000 } } },
    { $project: { 'lsid.id': 1, 'transaction.timeOpenMicros': 1 } },
  ];
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let refused = false;

  const look = async (): Promise<void> => {
    const found = await admin.aggregate<IdleTransaction>(idle, { maxTimeMS: 5_000 }).toArray();
    if (found.length === 0) return;
    await admin.command({ killSessions: found.map(({ lsid: { id } }) => ({ id })) });
    const openMs = found.map(({ transaction }) => Math.round(transaction.timeOpenMicros / 1_000));
    logger.info({ openMs }, 'transactions of a process that is gone were ended');
  };

  const again = (afterMs: number): void => {
    if (!stopped) timer = setTimeout(() => void round(), afterMs * (0.75 + Math.random() / 2)).unref();
  };

  const round = async (): Promise<void> => {
    try {
      await look();
      refused = false;
      again(lookEveryMs);
    } catch (error) {
      // Said once, and no reason to stop: MongoDB ends such transactions by itself, later.
      if (!refused && !stopped) logger.warn({ error }, 'transactions that were left open cannot be looked for');
      refused = true;
      again(refusedMs);
    }
  };

  again(lookEveryMs);
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
};
