import { serviceOf, topicOf, type EventEnvelope } from '@causeway/contracts';
import { withProcessSpan } from '@causeway/telemetry';
import type { Filter } from 'mongodb';
import { setTimeout as delay } from 'node:timers/promises';

import { pauseMs, quickTries } from '../consumer/deliver.ts';
import { isPoison, toHandlingError } from '../consumer/error-categories.ts';
import type { Handler } from '../consumer/handler.ts';
import { AlreadyHandled, NotItsTurn, type HandledRow, type Inbox } from '../consumer/inbox.ts';
import { throughOutages } from '../consumer/outages.ts';
import type { Parking } from '../consumer/parking.ts';
import type { HandlerRunner } from '../consumer/run-handler.ts';
import type { RelayLogger } from '../relay/relay-metrics.ts';
import { behind, type ParkedPlace } from './parked-events.ts';
import type { RedriveDocument } from './redrive.model.ts';

/** How {@link createRedriveRunner} is wired. */
export interface RedriveRunnerOptions {
  readonly inbox: Inbox;
  readonly parking: Parking;
  readonly run: HandlerRunner;
  readonly logger: RelayLogger;
}

/** What has come of a redrive so far. */
export interface RedriveProgress {
  redriven: number;
  failed: number;
}

/** Takes parked events of one redrive out of the parking lot, in order. Rejects where `signal` ends it. */
export type RedriveRunner = (
  redrive: RedriveDocument,
  handler: Handler,
  progress: RedriveProgress,
  signal: AbortSignal,
) => Promise<void>;

/** A row with its event: what can be handled again. */
type Redrivable = HandledRow & { readonly payload: EventEnvelope };

/** One redrive that is at work. */
interface Work {
  readonly redrive: RedriveDocument;
  readonly handler: Handler;
  readonly progress: RedriveProgress;
  readonly signal: AbortSignal;
}

/** Makes the runner of a service's redrives. */
export const createRedriveRunner = (options: RedriveRunnerOptions): RedriveRunner => {
  const { inbox, parking, run, logger } = options;
  const rows = inbox.collection;

  const next = async (filter: Filter<HandledRow>): Promise<Redrivable | undefined> => {
    const row = await rows
      .find({ ...filter, status: 'parked', payload: { $exists: true } })
      .sort({ status: 1, '_id.handler': 1, subject: 1, sequence: 1, '_id.event': 1 })
      .limit(1)
      .next();
    return (row ?? undefined) as Redrivable | undefined;
  };

  /** @returns whether the event has had its effect, by us or by somebody else */
  const handle = async (
    { handler, redrive, signal }: Work,
    { payload, attempts: before = 0 }: Redrivable,
  ): Promise<boolean> => {
    const patience = { logger, signal };
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      const claim = { attempts: before + attempt, ordered: handler.order === 'ordered', redrive: redrive._id };
      try {
        await throughOutages(() => run(handler, payload, claim), patience);
        return true;
      } catch (error) {
        if (error instanceof AlreadyHandled) return true;
        signal.throwIfAborted();
        const failed = { attempts: claim.attempts, error: toHandlingError(error) };
        const _id = { handler: handler.name, event: payload.id };
        await throughOutages(() => rows.updateOne({ _id, status: 'parked' }, { $set: failed }), patience);
        if (isPoison(error) || error instanceof NotItsTurn || attempt >= quickTries) {
          logger.warn({ handler: handler.name, event: payload.id, error }, 'a parked event failed again; it stays');
          return false;
        }
        await delay(pauseMs(attempt), undefined, { signal });
      }
    }
  };

  const one = async (work: Work, row: Redrivable): Promise<boolean> => {
    const { handler, redrive, progress, signal } = work;
    const place = { destination: topicOf(serviceOf(row.payload.type)), handler: handler.name, apart: true };
    const done = await withProcessSpan(row.payload, place, () => handle(work, row));
    if (done) progress.redriven += 1;
    else progress.failed += 1;
    await delay(1_000 / redrive.ratePerSecond, undefined, { signal });
    return done;
  };

  /** All of a subject up to a sequence, until one fails; a subject of which nothing is parked is open again. */
  const subject = async (work: Work, of: string, upTo?: string): Promise<void> => {
    const own = { '_id.handler': work.handler.name, subject: of };
    const limit = upTo === undefined ? {} : { sequence: { $lte: upTo } };
    for (;;) {
      const row = await next({ ...own, ...limit });
      if (row === undefined) {
        if (await parking.close(work.handler.name, of)) return;
        // Either more is parked behind what was asked for, or it came just now.
        if ((await next({ ...own, ...limit })) === undefined) return;
      } else if (!(await one(work, row))) return;
    }
  };

  /** Every subject that has something parked; what fails is passed over. */
  const everySubject = async (work: Work): Promise<void> => {
    const own = { '_id.handler': work.handler.name };
    for (let after = ''; ;) {
      const row = await next({ ...own, subject: { $gt: after } });
      if (row === undefined) break;
      after = row.payload.subject;
      await subject(work, after);
    }
    // A subject whose last event was taken out by whoever died then has nothing parked, and was not met.
    for await (const _closed of parking.closeEmpty(work.handler.name)) work.signal.throwIfAborted();
  };

  /** Events whose order does not matter, one after the other. */
  const everyEvent = async (work: Work, of: Filter<HandledRow>): Promise<void> => {
    const own = { '_id.handler': work.handler.name, ...of };
    for (let place: ParkedPlace | undefined; ;) {
      const row = await next(place === undefined ? own : { $and: [own, behind(place)] });
      if (row === undefined) return;
      const { subject, sequence, id: eventId } = row.payload;
      place = { handler: work.handler.name, subject, sequence, eventId };
      await one(work, row);
    }
  };

  return async (redrive, handler, progress, signal) => {
    const work: Work = { redrive, handler, progress, signal };
    const { scope } = redrive;
    if (handler.order === 'ordered') {
      if (scope === 'handler') await everySubject(work);
      else await subject(work, redrive.subject, scope === 'event' ? redrive.sequence : undefined);
    } else if (scope === 'event') await everyEvent(work, { '_id.event': redrive.eventId });
    else await everyEvent(work, scope === 'subject' ? { subject: redrive.subject } : {});
  };
};
