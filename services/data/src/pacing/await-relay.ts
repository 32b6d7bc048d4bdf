import { setTimeout as delay } from 'node:timers/promises';

import type { Events } from '@causeway/events';

/** With as many documents whose events wait, nobody's event waits for longer than about a second. */
const mostWaiting = 5_000;

/** How often it is looked. */
const lookMs = 100;

/**
 * Waits until what has been recorded before is published, so that the events of others do not stand behind thousands of a call by filter, or of what has expired.
 *
 * @param isTimeUp - ends the wait
 * @returns whether there is room
 * @throws the signal's reason
 */
export async function awaitRelay(
  events: Pick<Events, 'backlog'>,
  { isTimeUp, signal }: { readonly isTimeUp: () => boolean; readonly signal: AbortSignal },
): Promise<boolean> {
  for (;;) {
    if ((await events.backlog(mostWaiting + 1)) <= mostWaiting) return true;
    if (isTimeUp()) return false;
    await delay(lookMs * (0.5 + Math.random()), undefined, { signal });
  }
}
