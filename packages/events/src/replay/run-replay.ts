import { isRedacted, type EventEnvelope } from '@causeway/contracts';
import { withProcessSpan } from '@causeway/telemetry';
import type { Db } from 'mongodb';
import { setTimeout as delay } from 'node:timers/promises';

import type { Handler } from '../consumer/handler.ts';
import type { Forgotten } from '../consumer/forgotten.ts';
import type { HandledStatus, Inbox } from '../consumer/inbox.ts';
import { throughOutages } from '../consumer/outages.ts';
import type { Parking } from '../consumer/parking.ts';
import { isProjected } from '../effects/is-projected.ts';
import type { PlacedEvent, ProducerLog } from '../log/producer-log.ts';
import type { RelayLogger } from '../relay/relay-metrics.ts';
import type { ReplayDocument, ReplayProgress, ReplayTally } from './replay.model.ts';
import { walkLog } from './walk-log.ts';

/** How {@link createReplayRunner} is wired. */
export interface ReplayRunnerOptions {
  readonly db: Db;
  readonly inbox: Inbox;
  readonly parking: Parking;
  /** Brings an event to a handler until it has had its effect or is parked. Rejects only where `signal` ends it. */
  readonly deliver: (handler: Handler, event: EventEnvelope, signal: AbortSignal) => Promise<void>;
  readonly logs: (topic: string) => ProducerLog;
  readonly forgotten: Forgotten;
  /** Whether an administrator has had it stopped. */
  readonly isStopped: (id: string) => Promise<boolean>;
  readonly logger: RelayLogger;
}

/** An administrator has had it stopped. */
class Stopped extends Error {
  override readonly name = 'Stopped';
}

/** Has handlers go through past events, from where `progress` says, to the end or until it is stopped. Rejects where `signal` ends it, or a log cannot be read. */
export type ReplayRunner = (
  replay: ReplayDocument,
  handlers: readonly Handler[],
  progress: ReplayProgress,
  signal: AbortSignal,
) => Promise<void>;

type Outcome = Exclude<keyof ReplayTally, 'seen'>;

/** What the inbox knew of the events of a page, by handler and event. */
type Known = ReadonlyMap<string, HandledStatus>;

/** One replay that is at work. */
interface Work {
  readonly replay: ReplayDocument;
  readonly handlers: readonly Handler[];
  readonly progress: ReplayProgress;
  readonly signal: AbortSignal;
}

const isOpen = (status: HandledStatus | undefined): boolean => status === undefined || status === 'retrying';

const keyOf = (handler: string, event: string): string => `${handler}\n${event}`;

/**
 * Makes the runner of a service's replays. It goes through the same inbox and the same parking lot as the service's consumer, in the order
 * of the log, and past an event only when that is settled: so the two cannot break the order of a subject, and what one has done the
 * other finds done.
 */
export const createReplayRunner = (options: ReplayRunnerOptions): ReplayRunner => {
  const { db, inbox, parking, deliver, forgotten, isStopped, logs, logger } = options;

  const statusesOf = async (handlers: readonly Handler[], rows: readonly PlacedEvent[]): Promise<Known> => {
    const wanted = rows.flatMap(({ event }) =>
      handlers
        .filter(({ on }) => on.some(({ type }) => type === event.type))
        .map(({ name: handler }) => ({ handler, event: event.id })),
    );
    const found = inbox.collection.find({ _id: { $in: wanted } }, { projection: { status: 1 } });
    return new Map((await found.toArray()).map(({ _id, status }) => [keyOf(_id.handler, _id.event), status]));
  };

  const settle = async (handler: Handler, event: EventEnvelope, { signal }: Work): Promise<Outcome> => {
    if (handler.kind === 'projection') {
      if (!isRedacted(event) && (await throughOutages(() => isProjected(db, handler, event), { logger, signal })))
        return 'skipped';
    } else if (await throughOutages(() => forgotten(handler, event), { logger, signal })) return 'tooOld';
    await deliver(handler, event, signal);
    const status = await throughOutages(() => inbox.statusOf(handler.name, event.id), { logger, signal });
    if (status === 'parked') return 'failed';
    // Of somebody who has been erased: there is nothing left that it could be given.
    return status === 'discarded' ? 'skipped' : 'done';
  };

  const demandWanted = async ({ replay, signal }: Work): Promise<void> => {
    if (await throughOutages(() => isStopped(replay._id), { logger, signal })) throw new Stopped();
  };

  const one = async (handler: Handler, event: EventEnvelope, known: Known, work: Work): Promise<Outcome> => {
    const status = known.get(keyOf(handler.name, event.id));
    if (isOpen(status)) return settle(handler, event, work);
    // What is behind it joins it, as it does where the event is delivered.
    if (status === 'parked' && handler.order === 'ordered') parking.learn(handler.name, event.subject);
    return 'skipped';
  };

  const page = async (topic: string, rows: readonly PlacedEvent[], work: Work): Promise<void> => {
    const { replay, handlers, progress, signal } = work;
    await demandWanted(work);
    const known = await throughOutages(() => statusesOf(handlers, rows), { logger, signal });
    for (const { pos, event } of rows) {
      signal.throwIfAborted();
      const taking = handlers.filter(({ on }) => on.some(({ type }) => type === event.type));
      if (taking.some(({ name }) => isOpen(known.get(keyOf(name, event.id))))) await demandWanted(work);
      const counts: Partial<Record<Outcome, number>> = {};
      for (const handler of taking) {
        const place = { destination: topic, handler: handler.name, apart: true };
        const outcome = await withProcessSpan(event, place, () => one(handler, event, known, work));
        counts[outcome] = (counts[outcome] ?? 0) + 1;
      }
      // Told all at once: whoever goes on from here counts nothing twice.
      const told = Object.entries(counts).map(([outcome, count]) => [outcome, progress[outcome as Outcome] + count]);
      Object.assign(progress, { pos: pos + 1, seen: progress.seen + 1 }, Object.fromEntries(told));
      const delivered = (counts.done ?? 0) + (counts.failed ?? 0);
      if (delivered > 0) await delay((delivered * 1_000) / replay.ratePerSecond, undefined, { signal });
    }
  };

  return async (replay, handlers, progress, signal) => {
    // Where the group had been, everything is settled: whoever parked, did so before.
    await throughOutages(() => parking.load(), { logger, signal });
    const work: Work = { replay, handlers, progress, signal };
    try {
      // Also where none of its handlers is there any more, or a log is away.
      await demandWanted(work);
      for (const { topic, slot, from, to } of replay.places.slice(progress.place)) {
        const walk = { log: logs(topic), slot, from: Math.max(from, progress.pos), to, signal };
        for await (const rows of walkLog(walk)) await page(topic, rows, work);
        Object.assign(progress, { place: progress.place + 1, pos: 0 });
      }
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
    }
  };
};
