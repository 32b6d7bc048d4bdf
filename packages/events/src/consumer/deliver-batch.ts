import { isRedacted, type EventEnvelope } from '@causeway/contracts';

import type { RelayLogger } from '../relay/relay-metrics.ts';
import type { ConsumerMetrics } from './consumer-metrics.ts';
import type { FirstDeliveries } from './first-deliveries.ts';
import type { Forgotten } from './forgotten.ts';
import { checked } from './handled-event.ts';
import type { BatchHandler } from './handler.ts';
import { AlreadyHandled, type Inbox } from './inbox.ts';
import { throughOutages, type WaitedFor } from './outages.ts';
import type { Parking } from './parking.ts';
import type { BatchRunner } from './run-batch.ts';
import type { Turn } from './run-places.ts';

/** How {@link createBatchDelivery} is wired. */
export interface BatchDeliveryOptions {
  readonly runBatch: BatchRunner;
  readonly inbox: Inbox;
  readonly parking: Parking;
  readonly forgotten: Forgotten;
  readonly firsts: Pick<FirstDeliveries, 'note'>;
  readonly logger: RelayLogger;
  readonly metrics: Pick<ConsumerMetrics, 'handled' | 'duplicate' | 'waited'>;
  /** Aborted when handlers are told to give up: the service stops. */
  readonly signal: AbortSignal;
}

/** What has become of a batch. */
export interface BatchOutcome {
  /** In order: each is to be delivered by itself, and is tried again or parked there. */
  readonly left: readonly EventEnvelope[];
  /** Whether that is so since the handler failed: with fewer events it may not. */
  readonly failed: boolean;
}

/** Brings events to a handler, all at once. Rejects where its turn is ended before. */
export type BatchDelivery = (
  handler: BatchHandler,
  events: readonly EventEnvelope[],
  turn: Turn,
) => Promise<BatchOutcome>;

/** Duplicates that come meanwhile, from whoever had the partition before, make the attempt anew. */
const tries = 3;

/** What a batch is made of. */
interface Choice {
  readonly chosen: EventEnvelope[];
  /** There is nothing to do. */
  readonly settled: EventEnvelope[];
}

interface Handled {
  readonly done: readonly EventEnvelope[];
  readonly settled: readonly EventEnvelope[];
}

/** Makes the delivery of batches. */
export const createBatchDelivery = (options: BatchDeliveryOptions): BatchDelivery => {
  const { runBatch, inbox, parking, forgotten, firsts, logger, metrics, signal } = options;

  /** Whether an event is no matter for a batch: it is poison, or it is not to be run. */
  const isForItself = async (handler: BatchHandler, event: EventEnvelope): Promise<boolean> => {
    if (isRedacted(event)) return true;
    if (handler.order === 'ordered' && parking.isParked(handler.name, event.subject)) return true;
    try {
      checked(handler, event);
    } catch {
      return true;
    }
    return forgotten(handler, event);
  };

  /** What may be run together, and what there is nothing to do with. In an ordered handler nothing passes what goes by itself. */
  const choose = async (handler: BatchHandler, events: readonly EventEnvelope[]): Promise<Choice> => {
    const ids = events.map(({ id }) => id);
    const statuses = await inbox.statusesOf(handler.name, ids);
    const seen = new Set<string>();
    const waiting = new Set<string>();
    const choice: Choice = { chosen: [], settled: [] };
    for (const event of events) {
      const status = statuses.get(event.id);
      if (status !== undefined && status !== 'retrying') {
        if (status === 'parked' && handler.order === 'ordered') parking.learn(handler.name, event.subject);
        choice.settled.push(event);
        continue;
      }
      const alone = seen.has(event.id) || waiting.has(event.subject) || (await isForItself(handler, event));
      seen.add(event.id);
      if (!alone) choice.chosen.push(event);
      else if (handler.order === 'ordered') waiting.add(event.subject);
    }
    return choice;
  };

  const attempt = async (
    handler: BatchHandler,
    chosen: readonly EventEnvelope[],
  ): Promise<readonly EventEnvelope[] | 'anew'> => {
    try {
      return await runBatch.all(handler, chosen);
    } catch (error) {
      if (error instanceof AlreadyHandled) return 'anew';
      throw error;
    }
  };

  /** @returns the events that have had their effect, by us or before */
  const handleTogether = async (handler: BatchHandler, events: readonly EventEnvelope[]): Promise<Handled> => {
    for (let tried = 1; ; tried += 1) {
      const { chosen, settled } = await choose(handler, events);
      // Alone it would be tried twice for each attempt that counts.
      if (chosen.length < 2 || tried > tries) return { done: [], settled };
      const left = await attempt(handler, chosen);
      if (left !== 'anew') return { done: chosen.filter((event) => !left.includes(event)), settled };
    }
  };

  return async (handler, events, turn) => {
    const began = performance.now();
    let outcome: Handled = { done: [], settled: [] };
    let failed = false;
    try {
      const waiting = {
        about: { handler: handler.name },
        onWait: (why: WaitedFor) => metrics.waited(handler.name, why),
      };
      outcome = await throughOutages(() => handleTogether(handler, events), { logger, ...turn, ...waiting });
    } catch (error) {
      if (signal.aborted || turn.signal.aborted) throw error;
      failed = true;
      logger.warn(
        { handler: handler.name, events: events.length, error },
        'a batch failed; its events go in smaller ones',
      );
    }
    const { done, settled } = outcome;
    const tookMs = performance.now() - began;
    for (const { id, time } of done) {
      firsts.note(handler.name, id, false);
      metrics.handled(handler.name, tookMs / done.length, Date.now() - Date.parse(time));
    }
    for (const { id } of settled) {
      firsts.note(handler.name, id, true);
      metrics.duplicate(handler.name);
    }
    const over = new Set([...done, ...settled]);
    return { left: events.filter((event) => !over.has(event)), failed };
  };
};
