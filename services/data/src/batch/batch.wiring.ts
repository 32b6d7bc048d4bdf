import { createIdempotency } from '@causeway/events';

import type { Feature, Ground } from '../feature.ts';
import { batchRoute } from './batch.route.ts';
import type { BatchTransaction } from './run-batch.ts';
import { batchMs, createRunBatch } from './run-batch.ts';

/** Writes of several records, all or nothing. */
export function createBatch({ events, registry, derive, now }: Ground) {
  const transaction: BatchTransaction = (work) => events.transaction((session) => work(session), { boundMs: batchMs });
  // The same rows as for other calls, in a transaction that has less time.
  const idempotency = createIdempotency({ db: events.db, transaction, secret: derive('idempotency') });
  const runBatch = createRunBatch({ events, registry, transaction, idempotency, now });
  return { routes: [batchRoute({ runBatch })] } satisfies Feature;
}
