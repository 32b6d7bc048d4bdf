import type { operationsOf } from '@causeway/contracts';
import type { Db } from 'mongodb';

import type { Handler } from '../consumer/handler.ts';
import type { Inbox } from '../consumer/inbox.ts';
import { createLeasedWork, type LeasedWork } from '../operations/leased-work.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import { draft, stateOf } from '../recording/recorded-document.ts';
import type { RelayLogger } from '../relay/relay-metrics.ts';
import type { RedriveDocument } from './redrive.model.ts';
import type { RedriveProgress, RedriveRunner } from './run-redrive.ts';

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
export type RedriveWorker = LeasedWork<RedriveDocument, RedriveProgress>;

/** Makes the worker of one replica. */
export const createRedriveWorker = (options: RedriveWorkerOptions): RedriveWorker => {
  const { contracts, db, handlers, inbox, orders, run, logger } = options;
  const handlerOf = ({ handler }: RedriveDocument): Handler | undefined =>
    handlers.find(({ name }) => name === handler);
  return createLeasedWork<RedriveDocument, RedriveProgress>({
    name: 'redrive',
    db,
    leases: 'redriving',
    orders,
    zero: { redriven: 0, failed: 0 },
    can: (order) => handlerOf(order) !== undefined,
    async work(order, progress, signal) {
      const handler = handlerOf(order);
      if (handler === undefined) return;
      // Whoever takes it over begins anew, and meets again what has failed.
      progress.failed = 0;
      await run(order, handler, progress, signal);
    },
    async end(order, { failed }) {
      const cause = { ...order.cause, causationId: order.event };
      // As the rows have it: what a replica had counted when it was killed is not known.
      const redriven = await inbox.collection.countDocuments({ redrive: order._id });
      await orders.update(cause, order._id, (current) => {
        if (current.status === 'ended') return undefined;
        const { _id: redriveId, handler } = current;
        const event = draft(contracts.redriveEnded, { redriveId, handler, redriven, failed });
        return { state: { ...stateOf(current), status: 'ended', redriven, failed }, event };
      });
      logger.info({ redrive: order._id, handler: order.handler, redriven, failed }, 'a redrive has ended');
    },
    logger,
  });
};
