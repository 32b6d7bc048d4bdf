import { isRedacted, type EventEnvelope } from '@causeway/contracts';
import type { Db } from 'mongodb';

import type { RelayLogger } from '../relay/relay-metrics.ts';
import type { ConsumerMetrics } from './consumer-metrics.ts';
import { toHandlingError } from './error-categories.ts';
import type { Handler } from './handler.ts';
import type { Inbox } from './inbox.ts';
import type { Parking } from './parking.ts';

/** The event is older than the inbox remembers: nobody knows whether it has had its effect. */
export class TooOld extends Error {
  override readonly name = 'TooOld';
}

/** How {@link createForgotten} is wired. */
export interface ForgottenOptions {
  readonly db: Db;
  readonly inbox: Pick<Inbox, 'statusOf'>;
  /** The inbox is sure to know of whatever is younger. */
  readonly tooOldMs: number;
  readonly now: () => Date;
}

/**
 * Whether a handler may have handled an event of which the inbox knows nothing any more. Not a projection: `sequence` guards it. Not a
 * handler that the service has not had for so long: of it nothing has been forgotten yet, so that it may begin with events of any age.
 */
export type Forgotten = (handler: Handler, event: EventEnvelope) => Promise<boolean>;

/** Makes the judge of what the inbox of a service may have forgotten. */
export const createForgotten = ({ db, inbox, tooOldMs, now }: ForgottenOptions): Forgotten => {
  const handlers = db.collection<{ _id: string; since: Date }>('handlers');
  return async (handler, event) => {
    const before = now().getTime() - tooOldMs;
    if (handler.kind === 'projection' || Date.parse(event.time) >= before) return false;
    const known = await handlers.findOne({ _id: handler.name });
    if (known === null || known.since.getTime() >= before) return false;
    return (await inbox.statusOf(handler.name, event.id)) === undefined;
  };
};

/** How {@link parkForgotten} is wired. */
export interface ParkForgottenOptions {
  readonly forgotten: Forgotten;
  readonly parking: Parking;
  readonly metrics: Pick<ConsumerMetrics, 'parked'>;
  readonly logger: Pick<RelayLogger, 'error'>;
}

/**
 * Parks what may have been handled and be forgotten, instead of delivering it: an administrator redrives or discards it. Of an ordered
 * handler later events of the subject wait behind it. Whoever knows better delivers without this.
 */
export const parkForgotten =
  <Rest extends unknown[]>(
    deliver: (handler: Handler, event: EventEnvelope, ...rest: Rest) => Promise<void>,
    { forgotten, parking, metrics, logger }: ParkForgottenOptions,
  ) =>
  async (handler: Handler, event: EventEnvelope, ...rest: Rest): Promise<void> => {
    // One without data has no effect that it could have twice: it is settled, not parked.
    if (isRedacted(event) || !(await forgotten(handler, event))) return deliver(handler, event, ...rest);
    const error = new TooOld('older than the inbox remembers: it may have had its effect. Redrive it, or discard it');
    await parking.park(handler.name, event, 0, toHandlingError(error), handler.order === 'ordered');
    metrics.parked(handler.name, 'too-old');
    logger.error({ handler: handler.name, event: event.id, type: event.type, error }, 'an event is parked');
  };
