import type { EventEnvelope } from '@causeway/contracts';
import type { ClientSession, Db } from 'mongodb';

import { AlreadyHandled, type HandledRow, type HandlingError, type Inbox } from './inbox.ts';

/** A row of `lanes`: a subject that is parked at a handler; later events of it join. */
interface LaneRow {
  readonly _id: { readonly handler: string; readonly subject: string };
  /** How many events have joined; whoever closes the lane names the number that it has seen. */
  readonly tail: number;
  /** When an event has last joined, by the database server; absent in rows of earlier versions. */
  readonly at?: Date;
}

/** What was parked at a time may be seen only so much later: the transaction that did it was still open. */
const overlapMs = 15_000;

/** What an event does to the lane that it joins. */
const joins = { $inc: { tail: 1 }, $currentDate: { at: true } } as const;

/** Where events wait that could not be handled. */
export interface Parking {
  createIndexes(): Promise<void>;
  /** Reads the open lanes; after the first time those alone that something has joined since. Call it only after the committed offsets were fetched: whoever parked, did so before it committed. */
  load(): Promise<void>;
  /** Learns that a subject is parked, from a row that says so. */
  learn(handler: string, subject: string): void;
  /** Parks an event that failed; for an ordered handler its subject with it. */
  park(handler: string, event: EventEnvelope, attempts: number, error: HandlingError, subject: boolean): Promise<void>;
  /** Parks an event behind earlier ones of its subject. False where the lane has closed meanwhile: handle it normally. */
  join(handler: string, event: EventEnvelope): Promise<boolean>;
  /**
   * Opens a subject of which nothing is parked any more, so that its later events are handled again.
   *
   * @returns whether it is open: false where something is parked, or has come while this was found out
   */
  close(handler: string, subject: string): Promise<boolean>;
  /**
   * Opens every subject of which nothing is parked any more: whoever took its last event out may have died before it closed the lane.
   *
   * @param handler - left out, of all of them
   * @returns how many were opened, told after each part of the lanes that was looked at
   */
  closeEmpty(handler?: string): AsyncGenerator<number>;
  /** Whether a subject is parked, as far as this process knows. */
  isParked(handler: string, subject: string): boolean;
  /** Parks bytes that are no event, by their place. */
  parkBytes(place: string, value: Uint8Array | null, error: HandlingError): Promise<void>;
}

/** So much is kept of bytes that are no event: to look at. Kafka has the rest, until its retention ends. */
const keptBytes = 1024 * 1024;

/** Lanes that are looked at between two words about them. */
const partLanes = 200;

/** The handler's name of bytes that no handler could be found for. */
export const unreadable = '*';

const keyOf = (handler: string, subject: string): string => `${handler}\n${subject}`;

/** How the parking lot is wired. */
export interface ParkingOptions {
  readonly db: Db;
  readonly inbox: Inbox;
  readonly now: () => Date;
  readonly transaction: <T>(work: (session: ClientSession) => Promise<T>) => Promise<T>;
}

/** Makes the parking lot of one service. */
export const createParking = ({ db, inbox, now, transaction }: ParkingOptions): Parking => {
  const lanes = db.collection<LaneRow>('lanes');
  /** The lanes that are open as far as we know, and a mark of when each was last found so. */
  const known = new Map<string, symbol>();
  /** How far the lanes have been read, by the database server's time. */
  let read = 0;
  const open = (key: string): void => void known.set(key, Symbol());
  /** Forgets a lane that was found closed, unless somebody has parked behind it since and told first. */
  const forget = (key: string, mark: symbol | undefined): void => {
    if (known.get(key) === mark) known.delete(key);
  };

  /** @throws {@link AlreadyHandled}, which undoes the transaction */
  const parkRow = async (
    handler: string,
    event: EventEnvelope,
    why: Pick<HandledRow, 'attempts' | 'error'>,
    session: ClientSession,
  ): Promise<void> => {
    const { subject, sequence } = event;
    const row = { ...why, status: 'parked' as const, at: now(), subject, sequence, payload: event };
    await inbox.settle(handler, event.id, row, session);
  };

  /** Runs a transaction; false where the event had been settled before, by whoever had the partition before us. */
  const unlessHandled = async (work: (session: ClientSession) => Promise<boolean>): Promise<boolean> => {
    try {
      return await transaction(work);
    } catch (error) {
      if (error instanceof AlreadyHandled) return true;
      throw error;
    }
  };

  const close: Parking['close'] = async (handler, subject) => {
    const _id = { handler, subject };
    const key = keyOf(handler, subject);
    const mark = known.get(key);
    const lane = await lanes.findOne({ _id });
    const parked = { status: 'parked' as const, '_id.handler': handler, subject };
    if ((await inbox.collection.findOne(parked, { projection: { _id: 1 } })) !== null) return false;
    // Whoever has joined since has moved the tail, and is parked.
    if (lane !== null && (await lanes.deleteOne({ _id, tail: lane.tail })).deletedCount === 0) return false;
    forget(key, mark);
    return true;
  };

  return {
    async createIndexes() {
      await lanes.createIndex({ '_id.subject': 1 }, undefined, undefined);
      await lanes.createIndex({ at: 1 }, undefined, undefined);
    },
    async load() {
      // What is known stays: a lane that has closed meanwhile is found closed by the next event that would join it.
      const since = { $or: [{ at: { $gte: new Date(read - overlapMs) } }, { at: { $exists: false } }] };
      for await (const { _id, at } of lanes.find(read === 0 ? {} : since)) {
        open(keyOf(_id.handler, _id.subject));
        read = Math.max(read, at?.getTime() ?? 0);
      }
    },
    learn: (handler, subject) => open(keyOf(handler, subject)),
    isParked: (handler, subject) => known.has(keyOf(handler, subject)),
    async park(handler, event, attempts, error, withSubject) {
      await unlessHandled(async (session) => {
        await parkRow(handler, event, { attempts, error }, session);
        const _id = { handler, subject: event.subject };
        if (withSubject) await lanes.updateOne({ _id }, joins, { upsert: true, session });
        return true;
      });
      if (withSubject) open(keyOf(handler, event.subject));
    },
    async join(handler, event) {
      const key = keyOf(handler, event.subject);
      const mark = known.get(key);
      const joined = await unlessHandled(async (session) => {
        const _id = { handler, subject: event.subject };
        const { matchedCount } = await lanes.updateOne({ _id }, joins, { session });
        if (matchedCount === 0) return false;
        await parkRow(handler, event, {}, session);
        return true;
      });
      if (!joined) forget(key, mark);
      return joined;
    },
    close,
    async *closeEmpty(handler) {
      const own = handler === undefined ? {} : { '_id.handler': handler };
      let [looked, closed] = [0, 0];
      for await (const { _id } of lanes.find(own, { projection: { _id: 1 } })) {
        if (await close(_id.handler, _id.subject)) closed += 1;
        looked += 1;
        if (looked % partLanes > 0) continue;
        yield closed;
        closed = 0;
      }
      yield closed;
    },
    async parkBytes(place, value, error) {
      const bytes = Buffer.from((value ?? []).slice(0, keptBytes));
      const row = { status: 'parked' as const, at: now(), error, subject: place, sequence: '', bytes };
      try {
        await inbox.settle(unreadable, place, row);
      } catch (duplicate) {
        // Parked before, or given up: it stays what it is.
        if (!(duplicate instanceof AlreadyHandled)) throw duplicate;
      }
    },
  };
};
