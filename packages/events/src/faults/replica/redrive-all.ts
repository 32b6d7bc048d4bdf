import type { Cause } from '@causeway/contracts';
import { setTimeout as delay } from 'node:timers/promises';

import { unreadable } from '../../consumer/parking.ts';
import type { Events } from '../../events.ts';
import type { Redrives } from '../../redrive/redrives.ts';

const listed = 1_000;
const ratePerSecond = 1_000;
const redriveMs = 60_000;

const redriveHandler = async (redrives: Redrives, cause: Cause, handler: string, eventId: string): Promise<void> => {
  const { redrive } = await redrives.request(cause, { handler, eventId, scope: 'handler', ratePerSecond });
  const deadline = performance.now() + redriveMs;
  while ((await redrives.find(redrive.id))?.status !== 'ended') {
    if (performance.now() > deadline) throw new Error(`the redrive of ${handler} has not ended in ${redriveMs} ms`);
    await delay(50);
  }
};

/**
 * Does what an administrator would: has everything that is parked handled again, and gives up what is no event.
 *
 * @returns how much is still parked
 */
export const redriveAll = async ({ redrives }: Pick<Events, 'redrives'>, cause: Cause): Promise<number> => {
  if (redrives === undefined) return 0;
  const parked = await redrives.list({ limit: listed });
  const first = new Map(parked.map(({ handler, eventId }) => [handler, eventId]));
  for (const { handler, eventId } of parked) {
    if (handler === unreadable) await redrives.discard(cause, { handler, eventId }, 'the fault suite has made it up');
  }
  for (const [handler, eventId] of first) {
    if (handler !== unreadable) await redriveHandler(redrives, cause, handler, eventId);
  }
  return (await redrives.list({ limit: listed })).length;
};
