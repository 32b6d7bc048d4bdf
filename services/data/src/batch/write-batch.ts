import { newEventId } from '@causeway/contracts';
import type { Cause, EventEnvelope } from '@causeway/contracts';
import { RefusedWrite } from '@causeway/events';
import type { PlannedWrite } from '@causeway/events';

import type { Collection } from '../collections/collection-registry.ts';
import type { RecordDocument } from '../records/record.model.ts';
import { faultOfWrite, isOutdated, OutdatedDefinition } from '../records/under-definition.ts';
import type { Asking, Lookup } from '../references/lookup.ts';
import { keyOf } from '../references/referring.ts';
import { dependentWrite, refuse } from '../references/write-deletion.ts';
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

const keyOfWrite = ({ collection, write }: BatchWrite): string =>
  keyOf(collection, write.kind === 'create' ? write.creation._id : write.current._id);

/** Neighbours in one collection: they go together. */
function runsOf(writes: readonly BatchWrite[]): readonly (readonly BatchWrite[])[] {
  const runs: BatchWrite[][] = [];
  for (const each of writes) {
    const last = runs.at(-1);
    // What follows from another names its event.
    const goesAlong =
      last?.[0]?.collection === each.collection &&
      (each.parent === undefined || last.every((before) => keyOfWrite(before) !== each.parent));
    if (goesAlong) last.push(each);
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
  { lookup, ...asking }: Asking & { readonly lookup: Lookup },
): Promise<WrittenBatch> {
  const { session, at } = asking;
  const id = newEventId();
  const events: EventEnvelope[] = [];
  /** The outbox of a record that was written before in this batch is known only now. */
  const left = new Map<string, RecordDocument>();
  const eventOf = new Map<string, string>();
  const refresh = ({ collection, write, parent }: BatchWrite): PlannedWrite<RecordDocument> => {
    if (write.kind === 'create') return write;
    const own = { ...write, current: left.get(`${collection.id}/${write.current._id}`) ?? write.current };
    return parent === undefined ? own : dependentWrite({ write: own, parent }, eventOf);
  };
  for (const run of runsOf(writes)) {
    const [first] = run;
    if (first === undefined) continue;
    const group = { id, index: events.length, size: writes.length };
    try {
      const made = await first.collection.records.writeMany(cause, run.map(refresh), { session, group, at });
      for (const { document, event } of made) {
        const key = keyOf(first.collection, document._id);
        left.set(key, document);
        eventOf.set(key, event.id);
        events.push(event);
      }
    } catch (error) {
      throw await faultOfRefused(error, run, operations, { lookup, ...asking });
    }
  }
  for (const [collection, ids] of byCollection(held)) await collection.records.touch(ids, { session });
  return { batchId: events.length === 0 ? undefined : id, events };
}

function byCollection(held: BatchPlan['held']): ReadonlyMap<Collection, readonly string[]> {
  const ids = new Map<Collection, string[]>();
  for (const { collection, id } of held) {
    const own = ids.get(collection);
    if (own === undefined) ids.set(collection, [id]);
    else own.push(id);
  }
  return ids;
}

async function faultOfRefused(
  error: unknown,
  run: readonly BatchWrite[],
  operations: readonly Operation[],
  { lookup, ...asking }: Asking & { readonly lookup: Lookup },
): Promise<unknown> {
  if (!(error instanceof RefusedWrite)) return error;
  const refused = run[error.index] ?? run[0];
  if (refused === undefined) return error;
  const { index, parent, collection, write } = refused;
  const operation = operations[index];
  const member = operation === undefined ? '' : memberOf(operation);
  if (parent !== undefined && write.kind !== 'create') {
    const referrer = { collection, document: write.current };
    const fault = await refuse(lookup, referrer, error, asking).catch((thrown: unknown) => thrown);
    return faultOfOperation(fault, index, member);
  }
  if (isOutdated(error.cause)) return new OutdatedDefinition();
  return faultOfOperation(faultOfWrite(error.cause, collection), index, member);
}
