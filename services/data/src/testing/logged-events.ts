import { setTimeout as delay } from 'node:timers/promises';

import type { LoggedEvent } from '@causeway/events';

import type { TestData } from './test-data.ts';

const mostMs = 60_000;

/**
 * Waits until so many events of a collection's records are in the log.
 *
 * @param collection - its name
 * @throws Error where that takes more than a minute
 */
export async function awaitLogged({ db }: Pick<TestData, 'db'>, collection: string, count: number): Promise<void> {
  const log = db.collection<LoggedEvent>('events', { readConcern: { level: 'majority' } });
  const filter = { 'event.data.collection': collection, 'event.subject': /^record\// };
  const deadline = performance.now() + mostMs;
  for (;;) {
    const there = await log.countDocuments(filter);
    if (there === count) return;
    if (there > count || performance.now() > deadline) throw new Error(`${there} events are logged, not ${count}`);
    await delay(20);
  }
}
