import type { Db, Filter } from 'mongodb';

import type { Order } from '../operations/leased-work.ts';
import { tombstones, type Tombstone } from '../recording/recorded-document.ts';
import { discards, type DiscardDocument } from '../redrive/redrive.model.ts';
import type { SagaDocument } from '../saga/saga.ts';
import { chunk, type Reaped } from './reap-log.ts';
import { timers, type TimerDocument } from '../timers/timer.model.ts';

/** Removes, in chunks, what a filter finds and still finds when it is removed. */
async function* reap<Doc extends { _id: string }>(
  db: Db,
  collection: string,
  filter: Filter<Doc>,
): AsyncGenerator<Reaped> {
  const rows = db.collection<Doc>(collection);
  for (;;) {
    const found = await rows
      .find(filter, { projection: { _id: 1 }, maxTimeMS: chunk.maxTimeMs })
      .limit(chunk.documents)
      .toArray();
    if (found.length === 0) return;
    const ids = found.map(({ _id }) => _id);
    const { deletedCount } = await rows.deleteMany({ $and: [{ _id: { $in: ids } }, filter] } as Filter<Doc>);
    yield { collection, count: deletedCount };
    if (found.length < chunk.documents) return;
  }
}

/** Removes tombstones of what was deleted before a time. One that still has events to publish stays. */
export const reapTombstones = (db: Db, before: Date): AsyncGenerator<Reaped> =>
  reap<Tombstone>(db, tombstones, { deletedAt: { $lt: before }, outbox: { $size: 0 } });

/** Removes what a projection keeps of things that were deleted before a time. */
export const reapDeletions = (db: Db, collection: string, before: Date): AsyncGenerator<Reaped> =>
  reap<{ _id: string; deleted: Date }>(db, collection, { deleted: { $lt: before } });

/** Removes what administrators have asked for, and what has ended before a time. One that still has events to publish stays. */
export const reapOrders = (db: Db, collection: string, before: Date): AsyncGenerator<Reaped> =>
  reap<Order>(db, collection, { status: 'ended', updatedAt: { $lt: before }, outbox: { $size: 0 } });

/** Removes the reasons for which events were given up before a time. One that still has events to publish stays. */
export const reapDiscards = (db: Db, before: Date): AsyncGenerator<Reaped> =>
  reap<DiscardDocument>(db, discards, { updatedAt: { $lt: before }, outbox: { $size: 0 } });

/** Removes sagas that have ended before a time. One that still has events to publish stays. */
export const reapSagas = (db: Db, collection: string, before: Date): AsyncGenerator<Reaped> =>
  reap<SagaDocument>(db, collection, { endedAt: { $lt: before }, outbox: { $size: 0 } });

/** Removes replicas that have not been seen since a time: those that died without a word. */
export const reapReplicas = (db: Db, before: Date): AsyncGenerator<Reaped> =>
  reap<{ _id: string; seenAt: Date }>(db, 'relays', { seenAt: { $lt: before } });

/** Removes timers that were released or cancelled before a time. One that still has events to publish stays. */
export const reapTimers = (db: Db, before: Date): AsyncGenerator<Reaped> =>
  reap<TimerDocument>(db, timers, { settledAt: { $lt: before }, outbox: { $size: 0 } });
