import { faults, type EventEnvelope } from '@causeway/contracts';
import { setTimeout as delay } from 'node:timers/promises';
import type { Db, Filter } from 'mongodb';

import { HeldUp } from '../recording/held-up.ts';

const boundMs = 3_000;

/** Rows that are waited for by name; while there are more, a relay has to catch up first. */
const mostRows = 5_000;

interface Carrying {
  readonly _id: string;
  readonly outbox: readonly Pick<EventEnvelope, 'id'>[];
}

/**
 * Waits until every event that rows carry now is published and pulled. What is recorded meanwhile is not waited for, nor is anybody's clock
 * asked: a process that is behind or ahead writes its own time into its events.
 *
 * @param collections - with outboxes, tombstones included
 * @throws Fault `unavailable` where it takes longer than 3 s
 */
export const untilPublished = async (db: Db, collections: readonly string[]): Promise<void> => {
  const deadline = performance.now() + boundMs;

  const carried = async (collection: string, among: Filter<Carrying>): Promise<string[]> => {
    const rows = db.collection<Carrying>(collection);
    const found = await rows.find(among, { projection: { 'outbox.id': 1 }, limit: mostRows }).toArray();
    return found.flatMap(({ outbox }) => outbox.map(({ id }) => id));
  };
  const pause = async (collection: string): Promise<void> => {
    if (performance.now() > deadline) {
      const message = `events of ${collection} still wait to be published`;
      throw faults.unavailable({ message, retryAfterS: 5, cause: new HeldUp(message) });
    }
    await delay(50 + Math.random() * 50);
  };

  for (const collection of collections) {
    // For the sparse index: of all rows, only those that carry events are looked at.
    const all = { 'outbox.id': { $gt: '' } };
    let waiting = await carried(collection, all);
    while (waiting.length >= mostRows) {
      await pause(collection);
      waiting = await carried(collection, all);
    }
    while (waiting.length > 0) {
      await pause(collection);
      const still = new Set(await carried(collection, { 'outbox.id': { $in: waiting } }));
      waiting = waiting.filter((id) => still.has(id));
    }
  }
};
