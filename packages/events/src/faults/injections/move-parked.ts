import type { HandledRow } from '../../consumer/inbox.ts';
import { eventLog, type LoggedEvent } from '../../log/event-log.ts';
import type { FaultContext } from '../fault.ts';

const settledMs = 180_000;
const readyMs = 90_000;

/** A subject that is parked, and where. */
export interface ParkedSubject {
  readonly consumer: string;
  readonly handler: string;
  readonly producer: string;
  readonly subject: string;
  /** Of the events that the handler takes. */
  readonly types: readonly string[];
}

/** The sequence of the last event of the subject that the handler is to have. */
const lastOf = async ({ db }: FaultContext, { producer, subject, types }: ParkedSubject): Promise<string> => {
  const log = db(producer).collection<LoggedEvent>(eventLog);
  const own = { 'event.subject': subject, 'event.type': { $in: [...types] } };
  const last = await log.find(own).sort({ 'event.sequence': -1 }).limit(1).next();
  return last?.event.sequence ?? '';
};

/** Waits until the handler has settled an event of the subject that came after `last`: parked it, if all is well. */
const untilSettledAfter = async (context: FaultContext, parked: ParkedSubject, last: string): Promise<void> => {
  const { db, progress } = context;
  const { consumer, producer, subject, handler, types } = parked;
  const log = db(producer).collection<LoggedEvent>(eventLog);
  const later = { 'event.subject': subject, 'event.type': { $in: [...types] }, 'event.sequence': { $gt: last } };
  const inbox = db(consumer).collection<HandledRow>('handled');
  const deadline = performance.now() + settledMs;
  for (;;) {
    const ids = (await log.find(later, { projection: { _id: 1 } }).toArray()).map(({ _id }) => _id);
    if ((await inbox.countDocuments({ '_id.handler': handler, '_id.event': { $in: ids } })) > 0) return;
    if (performance.now() > deadline)
      throw new Error(
        `${consumer}/${handler} has settled none of the ${ids.length} further events of ${subject} in ${settledMs} ms`,
      );
    await progress(5);
  }
};

/**
 * Has each replica of the consumer go, in order or by SIGKILL, and come back, one after the other, while the subject is parked and
 * further events of it come: whoever has its partition then was not the one that parked it, or does not remember. Had one let
 * them pass, the order of effects would tell.
 */
export const moveParked = async (context: FaultContext, parked: ParkedSubject): Promise<void> => {
  const { fleet, random } = context;
  const replicas = random.shuffled(fleet.of(parked.consumer));
  for (const replica of replicas) {
    await replica.stop(random.chance(50) ? 'leave' : 'kill');
    const last = await lastOf(context, parked);
    if (replicas.length === 1) replica.start();
    await untilSettledAfter(context, parked, last);
    replica.start();
    await fleet.untilReady(readyMs);
  }
};
