import { recordCreated, recordDeleted, recordUpdated } from '@causeway/contracts';
import { fromSequence } from '@causeway/contracts';
import type { EventEnvelope } from '@causeway/contracts';
import type { LoggedEvent } from '@causeway/events';
import type { Collection, Filter } from 'mongodb';

import type { ToldChange } from '../../changes/record-change.ts';
import { toldBy } from '../../changes/record-change.ts';
import type { LookTime } from '../../pacing/look-time.ts';

/** Unless it is told otherwise. */
const looked = { each: 2_000, most: 100_000 } as const;

/** Events that are held at once, and their bytes, about. */
const chunk = { events: 100, bytes: 4 * 1_048_576 } as const;

const types = [recordCreated.type, recordUpdated.type, recordDeleted.type];

/** An event of a record, and what it tells. */
export interface PastEvent {
  readonly event: EventEnvelope;
  readonly change: ToldChange;
}

/** Why no earlier events were looked at: there were enough, there are none, or they stand behind too many of other collections. */
export type LogEnd = 'enough' | 'beginning' | 'too-far';

/** How to read events. */
export interface ReadLogOptions {
  readonly log: Pick<Collection<LoggedEvent>, 'find'>;
  readonly collectionId: string;
  /** At most. */
  readonly most: number;
  readonly time: LookTime;
  /** Events of all collections that are looked through at a time, and in all. */
  readonly stretches?: { readonly each: number; readonly most: number };
}

/**
 * Gives the last events of a collection's records, the latest first. Ids of events have their times in them; the log is walked by these, a
 * stretch at a time, since no index leads to a collection's events.
 *
 * @returns the last value is why it has ended
 */
export async function* readLog({
  log,
  collectionId,
  most,
  time,
  stretches = looked,
}: ReadLogOptions): AsyncGenerator<readonly PastEvent[], LogEnd> {
  let [found, through] = [0, 0];
  let before: string | undefined;
  while (found < most) {
    time.demand();
    const end = await stretchFrom(log, before, { each: stretches.each, time });
    const ids = { ...(before === undefined ? {} : { $lt: before }), ...(end === undefined ? {} : { $gte: end }) };
    const filter: Filter<LoggedEvent> = {
      ...(Object.keys(ids).length === 0 ? {} : { _id: ids }),
      'event.type': { $in: types },
      'event.data.collectionId': collectionId,
    };
    const rows = log
      .find(filter, { maxTimeMS: time.leftMs(), batchSize: chunk.events })
      .hint({ _id: 1 })
      .sort({ _id: -1 })
      .limit(most - found);
    for await (const some of inChunks(rows)) {
      found += some.length;
      yield some;
      time.demand();
    }
    if (found >= most) return 'enough';
    if (end === undefined) return 'beginning';
    through += stretches.each;
    if (through >= stretches.most) return 'too-far';
    before = end;
  }
  return 'enough';
}

/** The id with which a stretch begins that ends before another one; undefined where the log begins in it. */
async function stretchFrom(
  log: ReadLogOptions['log'],
  before: string | undefined,
  { each, time }: { readonly each: number; readonly time: LookTime },
): Promise<string | undefined> {
  const [first] = await log
    .find(before === undefined ? {} : { _id: { $lt: before } }, { projection: { _id: 1 }, maxTimeMS: time.leftMs() })
    .hint({ _id: 1 })
    .sort({ _id: -1 })
    .skip(each - 1)
    .limit(1)
    .toArray();
  return first?._id;
}

async function* inChunks(rows: AsyncIterable<LoggedEvent>): AsyncGenerator<readonly PastEvent[]> {
  let some: PastEvent[] = [];
  let bytes = 0;
  for await (const { event } of rows) {
    const id = event.subject.slice(event.subject.indexOf('/') + 1);
    const change = toldBy(event, id, fromSequence(event.sequence));
    if (change === undefined) continue;
    some.push({ event, change });
    bytes += JSON.stringify(event.data).length;
    if (some.length < chunk.events && bytes < chunk.bytes) continue;
    yield some;
    [some, bytes] = [[], 0];
  }
  if (some.length > 0) yield some;
}
