import { newEventId } from '@causeway/contracts';
import type { Cause, EventEnvelope } from '@causeway/contracts';
import { RefusedWrite } from '@causeway/events';
import type { PlannedWrite } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import type { RecordDocument } from '../records/record.model.ts';
import { faultOfWrite, isOutdated, OutdatedDefinition } from '../records/under-definition.ts';
import { faultOfOperation } from './batch.errors.ts';
import type { BatchPlan, BatchWrite } from './decide-batch.ts';
import type { Operation } from './operation.ts';
import { memberOf } from './operation.ts';

/** What a batch has recorded. */
export interface WrittenBatch {
  /** Absent where nothing has changed. */
  readonly batchId: string | undefined;
  readonly events: readonly EventEnvelope[];
}

/** Neighbours in one collection: they go together. */
function runsOf(writes: readonly BatchWrite[]): readonly (readonly BatchWrite[])[] {
  const runs: BatchWrite[][] = [];
  for (const each of writes) {
    const last = runs.at(-1);
    if (last?.[0]?.collection === each.collection) last.push(each);
    else runs.push([each]);
  }
  return runs;
}

/**
 * Writes what was decided, in the order of the operations: a value that one gives up another may take.
 *
 * @throws the fault of the operation whose write MongoDB refuses, naming it; OutdatedDefinition
 */
export async function writeBatch(
  cause: Cause,
  operations: readonly Operation[],
  { writes, held }: BatchPlan,
  { session, at }: { readonly session: ClientSession; readonly at: Date },
): Promise<WrittenBatch> {
  const id = newEventId();
  const events: EventEnvelope[] = [];
  /** The outbox of a record that was written before in this batch is known only now. */
  const left = new Map<string, RecordDocument>();
  const refresh = ({ collection, write }: BatchWrite): PlannedWrite<RecordDocument> =>
    write.kind === 'create'
      ? write
      : { ...write, current: left.get(`${collection.id}/${write.current._id}`) ?? write.current };
  for (const run of runsOf(writes)) {
    const [first] = run;
    if (first === undefined) continue;
    const group = { id, index: events.length, size: writes.length };
    try {
      const made = await first.collection.records.writeMany(cause, run.map(refresh), { session, group, at });
      for (const { document, event } of made) {
        left.set(`${first.collection.id}/${document._id}`, document);
        events.push(event);
      }
    } catch (error) {
      throw faultOfRefused(error, run, operations);
    }
  }
  for (const [collection, ids] of byCollection(held)) await collection.records.touch(ids, { session });
  return { batchId: events.length === 0 ? undefined : id, events };
}

function byCollection(held: BatchPlan['held']): ReadonlyMap<Collection, readonly string[]> {
  const ids = new Map<Collection, string[]>();
  for (const { collection, id } of held) ids.set(collection, [...(ids.get(collection) ?? []), id]);
  return ids;
}

function faultOfRefused(error: unknown, run: readonly BatchWrite[], operations: readonly Operation[]): unknown {
  if (!(error instanceof RefusedWrite)) return error;
  if (isOutdated(error.cause)) return new OutdatedDefinition();
  const index = run[error.index]?.index ?? 0;
  const operation = operations[index];
  return faultOfOperation(faultOfWrite(error.cause), index, operation === undefined ? '' : memberOf(operation));
}
