import { MaxKey, MinKey, type Filter } from 'mongodb';

import type { HandledRow, HandlingError, Inbox } from '../consumer/inbox.ts';

/** An event that waits in the parking lot of one handler. */
export interface ParkedEvent {
  readonly handler: string;
  readonly eventId: string;
  /** Absent where the bytes could not be read. */
  readonly type?: string;
  readonly subject: string;
  readonly sequence: string;
  /** ISO 8601. */
  readonly parkedAt: string;
  /** 0: it was never tried, since an earlier one of its subject is parked. */
  readonly attempts: number;
  readonly error?: HandlingError;
}

/** The place of a parked event in the order of a list. */
export interface ParkedPlace {
  readonly handler: string;
  readonly subject: string;
  readonly sequence: string;
  readonly eventId: string;
}

/** Which parked events are meant, and from where on. */
export interface ParkedQuestion {
  readonly handler?: string | undefined;
  /** The id of an event, at whichever handlers it is parked. */
  readonly eventId?: string | undefined;
  readonly after?: ParkedPlace | undefined;
  readonly limit: number;
}

const shown = ({ _id, at, subject = '', sequence = '', attempts = 0, error, payload }: HandledRow): ParkedEvent => ({
  handler: _id.handler,
  eventId: _id.event,
  ...(payload === undefined ? {} : { type: payload.type }),
  subject,
  sequence,
  parkedAt: at.toISOString(),
  attempts,
  ...(error === undefined ? {} : { error }),
});

/** What comes after a place, in the order of handler, subject, sequence, event. */
export const behind = ({ handler, subject, sequence, eventId }: ParkedPlace): Filter<HandledRow> => ({
  $or: [
    { '_id.handler': { $gt: handler } },
    { '_id.handler': handler, subject: { $gt: subject } },
    { '_id.handler': handler, subject, sequence: { $gt: sequence } },
    { '_id.handler': handler, subject, sequence, '_id.event': { $gt: eventId } },
  ],
});

/** Lists what is parked: by handler, subject and sequence, the order in which a redrive takes it. */
export const listParked = async (
  inbox: Pick<Inbox, 'collection'>,
  question: ParkedQuestion,
): Promise<readonly ParkedEvent[]> => {
  const { handler, eventId, limit } = question;
  const rows = inbox.collection
    .find(
      {
        status: 'parked',
        ...(handler === undefined ? {} : { '_id.handler': handler }),
        ...(eventId === undefined ? {} : { '_id.event': eventId }),
        ...(question.after === undefined ? {} : behind(question.after)),
      },
      { projection: { 'payload.data': 0, bytes: 0 } },
    )
    .sort({ status: 1, '_id.handler': 1, subject: 1, sequence: 1, '_id.event': 1 })
    .limit(limit);
  return (await rows.toArray()).map(shown);
};

/** Whether a handler has ever handled or parked anything that is remembered, though it may be declared no more. */
export const isRemembered = async ({ collection }: Pick<Inbox, 'collection'>, handler: string): Promise<boolean> => {
  const [first, last] = [new MinKey(), new MaxKey()].map((event) => ({ handler, event }));
  const own = { _id: { $gt: first, $lt: last } } as unknown as Filter<HandledRow>;
  return (await collection.findOne(own, { projection: { _id: 1 } })) !== null;
};
