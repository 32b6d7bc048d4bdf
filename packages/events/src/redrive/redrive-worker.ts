import type { operationsOf } from '@causeway/contracts';
import { randomUUID } from 'node:crypto';
import type { Db } from 'mongodb';

import type { Handler } from '../consumer/handler.ts';
import type { Inbox } from '../consumer/inbox.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import { draft, stateOf } from '../recording/recorded-document.ts';
import type { RelayLogger } from '../relay/relay-metrics.ts';
import type { RedriveDocument, RedrivingRow } from './redrive.model.ts';
import type { RedriveProgress, RedriveRunner } from './run-redrive.ts';

/** A redrive whose runner has said nothing for so long is taken over. */
const leaseMs = 10_000;
const renewEveryMs = 2_000;
const lookEveryMs = 2_000;
/** Redrives that one process runs side by side. */
const atOnce = 4;

/** How {@link createRedriveWorker} is wired. */
export interface RedriveWorkerOptions {
  readonly contracts: ReturnType<typeof operationsOf>;
  readonly db: Db;
  readonly handlers: readonly Handler[];
  readonly inbox: Pick<Inbox, 'collection'>;
  readonly orders: RecordedCollection<RedriveDocument>;
  readonly run: RedriveRunner;
  readonly logger: RelayLogger;
}

/** Works on redrives that were asked for, at this replica or at one that is gone. */
export interface RedriveWorker {
  /** Begins at once, where there is room; otherwise it is found in time. */
  begin(order: RedriveDocument): void;
  /** How far whoever is at work had got when it last said so. */
  progressOf(id: string): Promise<RedriveProgress | undefined>;
  /** Takes up what nobody works on, from now on. */
  start(): void;
  stop(): Promise<void>;
}

/** Makes the worker of one replica. Each redrive has a lease in MongoDB, on the server's time. */
export const createRedriveWorker = (options: RedriveWorkerOptions): RedriveWorker => {
  const { contracts, db, handlers, inbox, orders, run, logger } = options;
  const owner = randomUUID();
  const leases = db.collection<RedrivingRow>('redriving');
  const stopping = new AbortController();
  const working = new Map<string, Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  const until = { $dateAdd: { startDate: '$$NOW', unit: 'millisecond', amount: leaseMs } };

  const take = async (id: string): Promise<RedrivingRow | undefined> => {
    const free = { owner: '', until: new Date(0), redriven: 0, failed: 0 };
    await leases.updateOne({ _id: id }, { $setOnInsert: free }, { upsert: true });
    const ended = { _id: id, $expr: { $lte: ['$until', '$$NOW'] } };
    const row = await leases.findOneAndUpdate(ended, [{ $set: { owner, until } }], { returnDocument: 'after' });
    return row ?? undefined;
  };

  const end = async (order: RedriveDocument, { failed }: RedriveProgress): Promise<void> => {
    const cause = { ...order.cause, causationId: order.event };
    // As the rows have it: what a replica had counted when it was killed is not known.
    const redriven = await inbox.collection.countDocuments({ redrive: order._id });
    await orders.update(cause, order._id, (current) => {
      if (current.status === 'ended') return undefined;
      const { _id: redriveId, handler } = current;
      const event = draft(contracts.redriveEnded, { redriveId, handler, redriven, failed });
      return { state: { ...stateOf(current), status: 'ended', redriven, failed }, event };
    });
    await leases.deleteOne({ _id: order._id, owner });
    logger.info({ redrive: order._id, handler: order.handler, redriven, failed }, 'a redrive has ended');
  };

  const work = async (order: RedriveDocument): Promise<void> => {
    const lease = await take(order._id);
    const handler = handlers.find(({ name }) => name === order.handler);
    if (lease === undefined || handler === undefined) return;
    // Whoever takes it over begins anew, and meets again what has failed.
    const progress: RedriveProgress = { redriven: lease.redriven, failed: 0 };
    const lost = new AbortController();
    const renewal = setInterval(() => {
      const mine = { _id: order._id, owner };
      leases.updateOne(mine, [{ $set: { until, ...progress } }]).then(
        ({ matchedCount }) => matchedCount === 0 && lost.abort(),
        (error: unknown) => logger.debug({ error }, 'a redrive could not tell how far it is'),
      );
    }, renewEveryMs);
    try {
      await run(order, handler, progress, AbortSignal.any([stopping.signal, lost.signal]));
      await end(order, progress);
    } finally {
      clearInterval(renewal);
      // Whoever takes it over goes on from here, and need not wait for the lease to end.
      const left = [{ $set: { until: '$$NOW', ...progress } }];
      await leases.updateOne({ _id: order._id, owner }, left).catch(() => undefined);
    }
  };

  const begin = (order: RedriveDocument): void => {
    if (working.has(order._id) || working.size >= atOnce || stopping.signal.aborted) return;
    const done = work(order)
      .catch((error: unknown) => {
        if (!stopping.signal.aborted)
          logger.warn({ redrive: order._id, error }, 'a redrive broke off; it is taken up again');
      })
      .finally(() => working.delete(order._id));
    working.set(order._id, done);
  };

  const look = async (): Promise<void> => {
    try {
      for await (const order of orders.native.find({ status: 'running' })) begin(order);
    } catch (error) {
      logger.debug({ error }, 'redrives could not be looked for; it is tried again');
    }
    if (!stopping.signal.aborted)
      timer = setTimeout(() => void look(), lookEveryMs * (0.75 + Math.random() / 2)).unref();
  };

  return {
    begin,
    progressOf: async (id) => (await leases.findOne({ _id: id })) ?? undefined,
    start: () => void look(),
    async stop() {
      stopping.abort();
      clearTimeout(timer);
      await Promise.allSettled(working.values());
    },
  };
};
