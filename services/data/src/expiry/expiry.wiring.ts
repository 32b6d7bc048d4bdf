import type { Feature, Ground } from '../feature.ts';
import { createDeleteExpired } from './delete-expired.ts';
import { createReapExpired } from './reap-expired.ts';
import { createReaperLease } from './reaper-lease.ts';

/** Removes records whose time is over. */
export function createExpiry({ config, events, registry, logger, now }: Ground) {
  const deleteExpired = createDeleteExpired({ events, registry, now });
  const lease = createReaperLease(events.db);
  const run = createReapExpired({ events, registry, deleteExpired, lease, logger });
  return {
    jobs: [{ name: 'reap-expired', everyMs: config.expiryIntervalMs, run }],
  } satisfies Feature;
}
