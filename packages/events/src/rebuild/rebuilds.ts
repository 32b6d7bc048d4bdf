import { newId, operationsOf, type Cause } from '@causeway/contracts';
import type { Db } from 'mongodb';

import type { Handler, ProjectionHandler } from '../consumer/handler.ts';
import type { KafkaPort } from '../kafka/port.ts';
import type { ProducerLog } from '../log/producer-log.ts';
import { createLeasedWork } from '../operations/leased-work.ts';
import { DuplicateKey } from '../recording/errors.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import { draft, stateOf } from '../recording/recorded-document.ts';
import type { RelayLogger } from '../relay/relay-metrics.ts';
import { demandLogs } from '../replay/demand-logs.ts';
import { rebuildFaults } from './rebuild.errors.ts';
import type { Comparison, RebuildDocument, RebuildProgress } from './rebuild.model.ts';
import { createRebuildRunner } from './run-rebuild.ts';

/** A rebuild as it is shown. */
export interface Rebuild extends Comparison {
  readonly id: string;
  readonly handler: string;
  readonly collection: string;
  /** `waiting`: both copies differ, and an administrator decides. */
  readonly status: 'running' | 'waiting' | 'swapped' | 'dropped';
  readonly ratePerSecond?: number;
  readonly seen: number;
  readonly carried: number;
  readonly requestedAt: string;
  readonly endedAt?: string;
}

/** Builds read models anew, beside those that are used. */
export interface Rebuilds {
  createIndexes(): Promise<void>;
  /**
   * Builds a projection's copy anew from the producers' logs, in the background, and swaps it in where it agrees with the one that is
   * used. Where it does not, it waits for {@link Rebuilds.decide}.
   *
   * @param options - `ratePerSecond`: events in a second that are read, at most; it has to be above what is published meanwhile
   * @throws Fault `unknown-handler`, `no-projection`, `rebuild-running`, `no-log`
   */
  request(
    cause: Cause,
    handler: string,
    options?: { readonly ratePerSecond?: number | undefined },
  ): Promise<{ readonly rebuild: Rebuild; readonly eventId: string }>;
  /** @throws Fault `nothing-to-decide`. @returns undefined where there is no such rebuild */
  decide(
    cause: Cause,
    id: string,
    decision: 'swap' | 'drop',
  ): Promise<{ readonly rebuild: Rebuild; readonly eventId: string } | undefined>;
  find(id: string): Promise<Rebuild | undefined>;
  /** Takes over what other replicas have left. */
  start(): void;
  stop(): Promise<void>;
}

/** How {@link createRebuilds} is wired. */
export interface RebuildsOptions {
  readonly service: string;
  readonly db: Db;
  readonly kafka: Pick<KafkaPort, 'partitionCount'>;
  readonly handlers: readonly Handler[];
  readonly orders: RecordedCollection<RebuildDocument>;
  readonly logs: (topic: string) => ProducerLog;
  readonly logger: RelayLogger;
}

const nothing: Comparison = { documents: 0, differing: 0, examples: [], liveChecksum: '', rebuiltChecksum: '' };

const shown = (document: RebuildDocument, progress: Pick<RebuildProgress, 'seen' | 'carried'> = document): Rebuild => {
  const { _id: id, handler, collection, ratePerSecond, waiting, status, result, createdAt, updatedAt } = document;
  const { documents, differing, examples, liveChecksum, rebuiltChecksum } = document;
  const ended = result === 'none' ? undefined : result;
  return {
    ...{ id, handler, collection, status: ended ?? (waiting ? 'waiting' : 'running') },
    ...(ratePerSecond !== undefined && { ratePerSecond }),
    ...{ seen: progress.seen, carried: progress.carried },
    ...{ documents, differing, examples, liveChecksum, rebuiltChecksum },
    requestedAt: createdAt.toISOString(),
    ...(status === 'ended' && { endedAt: updatedAt.toISOString() }),
  };
};

/** Makes the rebuilds of one service. */
export const createRebuilds = (options: RebuildsOptions): Rebuilds => {
  const { service, db, kafka, handlers, orders, logs, logger } = options;
  const contracts = operationsOf(service);
  const projectionOf = (wanted: string): ProjectionHandler | undefined =>
    handlers.find((each): each is ProjectionHandler => each.kind === 'projection' && each.name === wanted);
  const isDropped = async (_id: string) => (await orders.native.findOne({ _id, decision: 'drop' })) !== null;
  const { run, remove } = createRebuildRunner({ db, kafka, logs, isDropped, logger });

  /** Either it has ended, or both copies differ and it is not decided what is to be. */
  const end = async (order: RebuildDocument, progress: RebuildProgress): Promise<void> => {
    const cause = { ...order.cause, causationId: order.event };
    const { places, seen, carried } = progress;
    if (progress.phase === 'building' && (await isDropped(order._id))) await remove(order);
    const update = await orders.update(cause, order._id, (current) => {
      if (current.status === 'ended') return undefined;
      const about = { rebuildId: current._id, handler: current.handler };
      const comparison = current.decision === 'none' ? progress.comparison : current;
      const { documents, differing, examples, liveChecksum, rebuiltChecksum } = comparison;
      const compared = { documents, differing, examples, liveChecksum, rebuiltChecksum };
      const state = { ...stateOf(current), ...compared, places, seen, carried, waiting: false };
      if (current.decision === 'none' && progress.phase === 'building') {
        const event = draft(contracts.rebuildCompared, { ...about, documents, differing });
        return { state: { ...state, waiting: true }, event };
      }
      // Once it is swapped in, nothing can be dropped any more.
      const result = progress.phase === 'building' ? ('dropped' as const) : ('swapped' as const);
      const event = draft(contracts.rebuildEnded, { ...about, result, documents, differing });
      return { state: { ...state, status: 'ended' as const, result }, event };
    });
    // Given up at this moment.
    if (update?.document.result === 'dropped') await remove(order);
    logger.info({ rebuild: order._id, handler: order.handler, ...progress.comparison }, 'a rebuild has come to an end');
  };

  const worker = createLeasedWork<RebuildDocument, RebuildProgress>({
    name: 'rebuild',
    db,
    leases: 'rebuilding',
    orders,
    zero: { phase: 'building', places: [], mark: [], seen: 0, carried: 0, comparison: nothing },
    can: ({ handler, waiting }) => !waiting && projectionOf(handler) !== undefined,
    async work(order, progress, signal, save) {
      const handler = projectionOf(order.handler);
      if (handler !== undefined) await run(order, handler, progress, signal, save);
    },
    end,
    logger,
  });

  const record = async (cause: Cause, { name, collection }: ProjectionHandler, ratePerSecond?: number) => {
    const id = newId('rbd');
    const open = { waiting: false, decision: 'none' as const, result: 'none' as const, status: 'running' as const };
    const about = { handler: name, collection, ...(ratePerSecond !== undefined && { ratePerSecond }) };
    const state = { ...about, ...open, ...nothing, seen: 0, carried: 0, places: [], cause };
    const event = draft(contracts.rebuildRequested, { rebuildId: id, handler: name, collection });
    return orders.create(cause, { _id: id, state, event });
  };

  return {
    async createIndexes() {
      // One copy is swapped at a time.
      const running = { status: 'running' };
      await orders.native.createIndex({ collection: 1 }, { unique: true, partialFilterExpression: running }, undefined);
    },
    async request(cause, name, { ratePerSecond } = {}) {
      if (!handlers.some((each) => each.name === name)) {
        throw rebuildFaults.unknownHandler({ detail: `It has ${handlers.map((each) => each.name).join(', ')}.` });
      }
      const handler = projectionOf(name);
      if (handler === undefined) throw rebuildFaults.noProjection();
      demandLogs([handler], logs);
      try {
        const { document, event } = await record(cause, handler, ratePerSecond);
        worker.begin(document);
        return { rebuild: shown(document), eventId: event.id };
      } catch (error) {
        if (error instanceof DuplicateKey) throw rebuildFaults.rebuildRunning({ cause: error });
        throw error;
      }
    },
    async decide(cause, id, decision) {
      const update = await orders.update(cause, id, (current) => {
        const may =
          current.status === 'running' && current.decision === 'none' && (current.waiting || decision === 'drop');
        if (!may) throw rebuildFaults.nothingToDecide();
        const event = draft(contracts.rebuildDecided, { rebuildId: id, handler: current.handler, decision });
        return { state: { ...stateOf(current), decision, waiting: false }, event };
      });
      if (update?.event === undefined) return undefined;
      worker.begin(update.document);
      return { rebuild: shown(update.document), eventId: update.event.id };
    },
    async find(id) {
      const document = await orders.native.findOne({ _id: id });
      if (document === null) return undefined;
      const isOpen = document.status === 'running' && !document.waiting;
      return shown(document, isOpen ? await worker.progressOf(id) : undefined);
    },
    start: () => worker.start(),
    stop: () => worker.stop(),
  };
};
