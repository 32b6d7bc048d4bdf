import { MaxKey, type Collection, type Db, type Filter } from 'mongodb';

import type { HandledRow, HandledStatus } from '../consumer/inbox.ts';
import { unreadable } from '../consumer/parking.ts';
import { chunk, type Reaped } from './reap-log.ts';

/** What is parked never goes, and what is under way only where nobody is there any more who would try it again. */
const over: readonly HandledStatus[] = ['done', 'discarded'];
const overOfGone: readonly HandledStatus[] = [...over, 'retrying'];

type RowId = Pick<HandledRow, '_id' | 'status' | 'at'>;

/** Ids are UUIDv7 (RFC 9562 §5.7): those of events that were recorded before a time sort before this. */
const idBefore = (time: Date): string => {
  const hex = time.getTime().toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
};

const idOf = (handler: string, event: string | MaxKey): Filter<HandledRow> => ({ handler, event });

/** Every handler of which there are rows, those that are no longer declared included; by jumps over the index. */
async function* handlersOf(inbox: Collection<HandledRow>): AsyncGenerator<string> {
  const next = (filter: Filter<HandledRow>): Promise<RowId | null> =>
    inbox
      .find(filter, { projection: { _id: 1 } })
      .sort({ _id: 1 })
      .limit(1)
      .next();
  for (let row = await next({}); row !== null;) {
    const { handler } = row._id;
    yield handler;
    row = await next({ _id: { $gt: idOf(handler, new MaxKey()) } } as Filter<HandledRow>);
  }
}

/**
 * Removes rows of what was done or discarded before a time, in chunks. An event is handled after it was recorded, so that only rows of
 * events that are older still need to be looked at, which the primary key finds.
 *
 * @param declared - names of the handlers that the service has
 */
export async function* reapInbox(db: Db, before: Date, declared: readonly string[]): AsyncGenerator<Reaped> {
  const inbox = db.collection<HandledRow>('handled');
  for await (const handler of handlersOf(inbox)) {
    const mayGo = declared.includes(handler) ? over : overOfGone;
    // What could not be read is named by its place.
    const end = idOf(handler, handler === unreadable ? new MaxKey() : idBefore(before));
    for (let after = idOf(handler, ''), full = true; full;) {
      const rows = await inbox
        .find({ _id: { $gt: after, $lt: end } } as Filter<HandledRow>, {
          projection: { status: 1, at: 1 },
          maxTimeMS: chunk.maxTimeMs,
        })
        .sort({ _id: 1 })
        .limit(chunk.documents)
        .toArray();
      const last = rows.at(-1);
      if (last === undefined) break;
      after = last._id;
      full = rows.length === chunk.documents;
      const gone = rows.filter(({ status, at }) => mayGo.includes(status) && at < before).map(({ _id }) => _id);
      if (gone.length === 0) continue;
      const { deletedCount } = await inbox.deleteMany({ _id: { $in: gone }, status: { $in: [...mayGo] } });
      yield { collection: 'handled', count: deletedCount };
    }
  }
}
