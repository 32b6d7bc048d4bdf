import type { EventEnvelope } from '@causeway/contracts';
import type { ClientSession, Collection, Db } from 'mongodb';

import { isDuplicateKey } from '../recording/errors.ts';
import { NoAnswer } from '../recording/outage.ts';

/** What has become of an event at a handler. */
export type HandledStatus = 'done' | 'retrying' | 'parked' | 'discarded';

/** Why an attempt failed, for administrators: never a value of the event. */
export interface HandlingError {
  readonly name: string;
  readonly message: string;
  /** The category of a fault, where it has one. */
  readonly category?: string;
}

/** A row of `handled`: one event at one handler, and at most one effect. */
export interface HandledRow {
  readonly _id: { readonly handler: string; readonly event: string };
  readonly status: HandledStatus;
  readonly at: Date;
  readonly attempts?: number;
  readonly error?: HandlingError;
  /** Events recorded in the same transaction. */
  readonly caused?: readonly string[];
  /** Of a parked event: where it belongs, and the event itself. */
  readonly subject?: string;
  readonly sequence?: string;
  readonly payload?: EventEnvelope;
  /** The redrive that has brought it to its end. */
  readonly redrive?: string;
  /** Why it was given up. */
  readonly reason?: string;
}

/** The event has had its effect, or is parked: there is nothing to do. */
export class AlreadyHandled extends Error {
  override readonly name = 'AlreadyHandled';
}

/** An earlier event of the same subject is parked, and goes first. */
export class NotItsTurn extends Error {
  override readonly name = 'NotItsTurn';
}

/** How a parked event is claimed. */
export interface ParkedClaim {
  /** Attempts so far, this one included. */
  readonly attempts: number;
  readonly ordered: boolean;
  /** The redrive, or whatever else it is taken out for. */
  readonly redrive: string;
}

/** Statuses in which an event must not be handled by a delivery. */
const settled: readonly HandledStatus[] = ['done', 'parked', 'discarded'];

/** The inbox of a service. */
export interface Inbox {
  readonly collection: Collection<HandledRow>;
  createIndexes(): Promise<void>;
  /**
   * Gives an event a status at a handler, unless it has a final one.
   *
   * @throws {@link AlreadyHandled} where a majority of MongoDB's members knows that one; {@link NoAnswer} while it does not
   */
  settle(handler: string, eventId: string, row: Omit<HandledRow, '_id'>, session?: ClientSession): Promise<void>;
  /**
   * The first statement of a transaction handler: from here on the effect belongs to this transaction alone.
   *
   * @throws {@link AlreadyHandled}
   */
  claim(handler: string, event: EventEnvelope, attempts: number, session: ClientSession): Promise<void>;
  /**
   * {@link Inbox.claim} for a batch, in one statement.
   *
   * @throws {@link AlreadyHandled} where any of them was settled: then the transaction is over
   */
  claimAll(handler: string, events: readonly EventEnvelope[], session: ClientSession): Promise<void>;
  /** Undoes claims of this transaction. */
  unclaim(handler: string, events: readonly EventEnvelope[], session: ClientSession): Promise<void>;
  /** Lists the events that the transaction has recorded. */
  noteCaused(handler: string, eventId: string, caused: readonly string[], session: ClientSession): Promise<void>;
  /** The same for the events of a batch. */
  noteAllCaused(handler: string, caused: ReadonlyMap<string, readonly string[]>, session: ClientSession): Promise<void>;
  /** Marks an effect outside of a transaction as done. */
  markDone(handler: string, event: EventEnvelope, attempts: number): Promise<void>;
  /** Says that an attempt failed and another will follow. */
  markRetrying(handler: string, event: EventEnvelope, attempts: number, error: HandlingError): Promise<void>;
  /**
   * Takes a parked event out of the parking lot, as done: what {@link Inbox.claim} is for a delivery.
   *
   * @param turn - of an ordered handler: fails while an earlier event of the subject is parked
   * @throws {@link AlreadyHandled}, {@link NotItsTurn}
   */
  claimParked(handler: string, event: EventEnvelope, claim: ParkedClaim, session: ClientSession): Promise<void>;
  /** The status of an event at a handler; undefined where nothing has been tried. */
  statusOf(handler: string, eventId: string): Promise<HandledStatus | undefined>;
  /** The statuses of events at a handler, by event; what has not been tried is not in it. */
  statusesOf(handler: string, eventIds: readonly string[]): Promise<Map<string, HandledStatus>>;
  /** All that handlers of this service have done with an event. */
  rowsOf(eventId: string): Promise<HandledRow[]>;
}

/** Makes the inbox of one service. */
export const createInbox = (db: Db, now: () => Date): Inbox => {
  const collection = db.collection<HandledRow>('handled');

  const statusOf: Inbox['statusOf'] = async (handler, eventId) => {
    const row = await collection.findOne({ _id: { handler, event: eventId } }, { projection: { status: 1 } });
    return row?.status;
  };

  /**
   * What a claim or a park meets may be known to one member of MongoDB alone, and be rolled back: a commit of ours whose answer was lost.
   * Whoever took it for settled would pass the event over for good.
   */
  const demandKnown = async (handler: string, eventId: string, cause: unknown): Promise<void> => {
    const status = await statusOf(handler, eventId);
    if (status === undefined || !settled.includes(status))
      throw new NoAnswer('no majority knows yet that the event was settled', { cause });
  };

  const settle: Inbox['settle'] = async (handler, eventId, row, session) => {
    try {
      await collection.updateOne(
        { _id: { handler, event: eventId }, status: { $nin: [...settled] } },
        { $set: row, ...(row.error === undefined ? { $unset: { error: '' } } : {}) },
        { upsert: true, ...(session === undefined ? {} : { session }) },
      );
    } catch (error) {
      // The row is there with another status. Only this statement may be taken for a duplicate.
      if (!isDuplicateKey(error)) throw error;
      await demandKnown(handler, eventId, error);
      throw new AlreadyHandled(eventId, { cause: error });
    }
  };

  return {
    collection,
    async createIndexes() {
      await collection.createIndex({ '_id.event': 1 }, undefined, undefined);
      await collection.createIndex(
        { status: 1, '_id.handler': 1, subject: 1, sequence: 1 },
        { partialFilterExpression: { status: 'parked' } },
        undefined,
      );
      await collection.createIndex({ redrive: 1 }, { sparse: true }, undefined);
    },
    settle,
    claim: (handler, event, attempts, session) =>
      settle(handler, event.id, { status: 'done', attempts, at: now() }, session),
    async claimAll(handler, events, session) {
      const row = { status: 'done' as const, attempts: 1, at: now() };
      const claims = events.map(({ id }) => ({
        updateOne: {
          filter: { _id: { handler, event: id }, status: { $nin: [...settled] } },
          update: { $set: row, $unset: { error: '' as const } },
          upsert: true,
        },
      }));
      try {
        await collection.bulkWrite(claims, { session });
      } catch (error) {
        if (isDuplicateKey(error)) throw new AlreadyHandled(`one of ${events.length} events`, { cause: error });
        throw error;
      }
    },
    async unclaim(handler, events, session) {
      await collection.deleteMany({ _id: { $in: events.map(({ id }) => ({ handler, event: id })) } }, { session });
    },
    async claimParked(handler, event, { attempts, ordered, redrive }, session) {
      const _id = { handler, event: event.id };
      const { subject, sequence } = event;
      const earlier = { status: 'parked' as const, '_id.handler': handler, subject, sequence: { $lt: sequence } };
      if (ordered && (await collection.findOne(earlier, { session, projection: { _id: 1 } })) !== null)
        throw new NotItsTurn();
      // What is done needs no payload; its subject and sequence stay, to be found by.
      const { matchedCount } = await collection.updateOne(
        { _id, status: 'parked' },
        { $set: { status: 'done', attempts, at: now(), redrive }, $unset: { error: '', payload: '' } },
        { session },
      );
      if (matchedCount === 0) throw new AlreadyHandled(event.id);
    },
    async noteCaused(handler, eventId, caused, session) {
      if (caused.length === 0) return;
      await collection.updateOne({ _id: { handler, event: eventId } }, { $set: { caused: [...caused] } }, { session });
    },
    async noteAllCaused(handler, caused, session) {
      const updates = [...caused]
        .filter(([, events]) => events.length > 0)
        .map(([event, events]) => ({
          updateOne: { filter: { _id: { handler, event } }, update: { $set: { caused: [...events] } } },
        }));
      if (updates.length > 0) await collection.bulkWrite(updates, { session });
    },
    markDone: (handler, event, attempts) => settle(handler, event.id, { status: 'done', attempts, at: now() }),
    markRetrying: (handler, event, attempts, error) =>
      settle(handler, event.id, { status: 'retrying', attempts, error, at: now() }),
    statusOf,
    async statusesOf(handler, eventIds) {
      const wanted = eventIds.map((event) => ({ handler, event }));
      const rows = await collection.find({ _id: { $in: wanted } }, { projection: { status: 1 } }).toArray();
      return new Map(rows.map(({ _id, status }) => [_id.event, status]));
    },
    rowsOf: (eventId) => collection.find({ '_id.event': eventId }, { projection: { payload: 0 } }).toArray(),
  };
};
