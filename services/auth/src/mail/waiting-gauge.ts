import { createGauge } from '@causeway/telemetry';

import type { MailQueries } from './mail.model.ts';

/** More are not told apart. */
const countedAtMost = 10_000;

/**
 * Tells how many mails are to be sent still. Every replica tells the same.
 *
 * @returns counts; to be called again and again
 */
export function watchWaiting(mails: Pick<MailQueries, 'countWaiting'>): () => Promise<void> {
  let count: number | undefined;
  const options = { description: 'Mails that are queued, or tried again later.', unit: '{mail}' };
  createGauge('causeway.auth.mails.waiting', options, () => count);
  return async () => {
    count = await mails.countWaiting(countedAtMost);
  };
}
