import type { EventEnvelope } from '@causeway/contracts';
import type { Db } from 'mongodb';

import type { EventLog } from '../log/event-log.ts';
import type { OutboxEvent } from '../recording/recorded-document.ts';
import { withoutBeside } from '../recording/recorded-document.ts';

/** Finds an event of this service: published, or still in the outbox of its row. */
export type FindEvent = (id: string) => Promise<EventEnvelope | undefined>;

/**
 * Makes the finder of a service's events.
 *
 * @param collections - every collection with outboxes, tombstones included
 */
export const createFindEvent = (db: Db, log: EventLog, collections: () => readonly string[]): FindEvent => {
  const waiting = async (id: string): Promise<EventEnvelope | undefined> => {
    for (const collection of collections()) {
      const row = await db.collection(collection).findOne({ 'outbox.id': id }, { projection: { outbox: 1 } });
      const found = (row?.outbox as OutboxEvent[] | undefined)?.find((each) => each.id === id);
      if (found !== undefined) return withoutBeside(found);
    }
    return undefined;
  };
  // The log again at the end: between the two looks a relay may have taken it from its row.
  return async (id) => (await log.find(id)) ?? (await waiting(id)) ?? (await log.find(id));
};
