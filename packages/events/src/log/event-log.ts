import { fromSequence, type EventEnvelope } from '@causeway/contracts';
import { MongoBulkWriteError, type Collection, type Db } from 'mongodb';

import { duplicateKeyCode, refusals, type Refusal } from '../recording/errors.ts';
import { findEvents, questionIndexes, type EventQuestion, type LogPlaces } from './find-events.ts';
import { extentOf, type ExtentQuestion, type LogExtent } from './log-extent.ts';
import { Page, type LogPage, type LogRoom } from './log-page.ts';
import type { LoggedEvent } from './logged-event.ts';

export type { LoggedEvent } from './logged-event.ts';

/** The name of the collection that keeps every published event of a service. */
export const eventLog = 'events';

/** What became of an append. */
export interface Appended {
  /** For each slot, the events that are in the log now, in order; ready to be produced. */
  readonly bySlot: ReadonlyMap<number, readonly LoggedEvent[]>;
  /** Slots in which somebody else appends: the lease is lost. */
  readonly lostSlots: ReadonlySet<number>;
}

/** The `events` log: what a relay has taken from the outboxes, in the order in which it goes to Kafka. */
export interface EventLog {
  createIndexes(): Promise<void>;
  /** The highest position of a slot; 0 where it is empty. */
  lastPosition(slot: number): Promise<number>;
  /**
   * Appends events, each to its slot, in order. An event that is there already keeps its place and counts as appended: a
   * relay before us got so far.
   *
   * @param next - the next free position of each slot; moved on by what was appended
   */
  append(events: readonly { slot: number; event: EventEnvelope }[], next: Map<number, number>): Promise<Appended>;
  /** An event by its id. */
  find(id: string): Promise<EventEnvelope | undefined>;
  /** The events of a slot from a position on, in order; fewer than there are where they are large, and none only at the end. */
  read(slot: number, from: number, limit: number): Promise<readonly LoggedEvent[]>;
  /** The position after an event; 1 where the log does not know it. */
  positionAfter(eventId: string): Promise<number>;
  /** Where a part of a slot lies: since a time, up to an event. */
  extent(question: ExtentQuestion): Promise<LogExtent>;
  /** The events that a question is about, in pages; see {@link findEvents}. */
  findEvents(question: EventQuestion, after: LogPlaces, room: LogRoom): Promise<LogPage>;
  readonly collection: Collection<LoggedEvent>;
}

/** The log of one service, in its database. */
export const createEventLog = (db: Db, now: () => Date): EventLog => {
  const collection = db.collection<LoggedEvent>(eventLog);

  const append: EventLog['append'] = async (events, next) => {
    const bySlot = new Map<number, LoggedEvent[]>();
    const lostSlots = new Set<number>();
    const keep = (row: LoggedEvent): void => {
      const rows = bySlot.get(row.slot);
      if (rows === undefined) bySlot.set(row.slot, [row]);
      else rows.push(row);
    };
    let rest = [...events];
    while (rest.length > 0) {
      const at = now();
      const reserved = new Map(next);
      const rows = rest.map(({ slot, event }): LoggedEvent => {
        const pos = reserved.get(slot) ?? 1;
        reserved.set(slot, pos + 1);
        return { _id: event.id, slot, pos, at, event };
      });
      let written = rows.length;
      let refusal: Refusal | undefined;
      try {
        await collection.insertMany(rows, { ordered: true });
      } catch (error) {
        refusal = error instanceof MongoBulkWriteError ? refusals(error)[0] : undefined;
        if (refusal?.code !== duplicateKeyCode) throw error;
        written = refusal.index;
      }
      for (const row of rows.slice(0, written)) {
        keep(row);
        next.set(row.slot, row.pos + 1);
      }
      rest = rest.slice(written);
      const blocked = rest[0];
      if (refusal === undefined || blocked === undefined) continue;
      if (refusal.uniqueIndex === '_id_') {
        const there = await collection.findOne({ _id: blocked.event.id });
        // Refused as a duplicate, and not there: not to be passed over, or its subject would skip a revision.
        if (there === null) throw new Error('an event of the log cannot be read back');
        keep(there);
        rest = rest.slice(1);
      } else {
        lostSlots.add(blocked.slot);
        rest = rest.filter(({ slot }) => slot !== blocked.slot);
      }
    }
    return { bySlot, lostSlots };
  };

  return {
    collection,
    append,
    async createIndexes() {
      await collection.createIndex({ slot: 1, pos: 1 }, { unique: true }, undefined);
      for (const [keys, options] of questionIndexes) await collection.createIndex(keys, options, undefined);
    },
    async lastPosition(slot) {
      const last = await collection
        .find({ slot }, { projection: { pos: 1 } })
        .sort({ slot: -1, pos: -1 })
        .limit(1)
        .next();
      return last?.pos ?? 0;
    },
    async find(id) {
      return (await collection.findOne({ _id: id }))?.event;
    },
    async read(slot, from, limit) {
      const page = new Page({ events: limit });
      await page.fill(
        collection
          .find({ slot, pos: { $gte: from } })
          .sort({ slot: 1, pos: 1 })
          .limit(limit),
      );
      return page.rows;
    },
    async positionAfter(eventId) {
      const row = await collection.findOne({ _id: eventId }, { projection: { pos: 1 } });
      return (row?.pos ?? 0) + 1;
    },
    extent: (question) => extentOf(collection, question),
    findEvents: (question, after, room) => findEvents(collection, question, after, room),
  };
};

/** Orders events of one subject by revision. */
export const bySequence = (a: EventEnvelope, b: EventEnvelope): number =>
  fromSequence(a.sequence) - fromSequence(b.sequence);
