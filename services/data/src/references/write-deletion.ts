import { newEventId } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { RefusedWrite } from '@causeway/events';
import type { EventDraft, PlannedWrite } from '@causeway/events';

import type { Collection } from '../collections/collection-registry.ts';
import type { RecordDocument } from '../records/record.model.ts';
import { isOutdated, OutdatedDefinition } from '../records/under-definition.ts';
import { calledTowards } from './called-towards.ts';
import type { Referrer } from './called-towards.ts';
import type { Asking, Lookup } from './lookup.ts';
import type { Dependent } from './plan-deletion.ts';
import { keyOf } from './referring.ts';
import { stillReferenced } from './references.errors.ts';

/** A record that is to be deleted, and the event that says so. */
export interface Deletion {
  readonly collection: Collection;
  readonly document: RecordDocument;
  readonly event: EventDraft;
}

/**
 * A dependent's write, its event naming that of the record that it follows from.
 *
 * @param eventOf - the event of a record that has been written, by its key
 */
export function dependentWrite(
  { write, parent }: Pick<Dependent, 'write' | 'parent'>,
  eventOf: ReadonlyMap<string, string>,
): PlannedWrite<RecordDocument> {
  const parentEvent = eventOf.get(parent);
  if (write.kind !== 'delete' || parentEvent === undefined) return write;
  return { ...write, event: { ...write.event, data: { ...write.event.data, parentEvent } } };
}

/** Neighbours in one collection, none of which follows from another: they go together. */
function runsOf(dependents: readonly Dependent[]): readonly (readonly Dependent[])[] {
  const runs: Dependent[][] = [];
  for (const each of dependents) {
    const last = runs.at(-1);
    const goesAlong = last?.[0]?.collection === each.collection && last.every(({ key }) => key !== each.parent);
    if (goesAlong) last.push(each);
    else runs.push([each]);
  }
  return runs;
}

/**
 * Deletes a record with all that follows from it, in one transaction; where there is something, the events are grouped.
 *
 * @param dependents - of `planDeletion`, decided in this session
 * @returns the id of the event of the record itself
 * @throws Fault `still-referenced` where a record cannot be without the reference; OutdatedDefinition
 */
export async function writeDeletion(
  lookup: Lookup,
  cause: Cause,
  { collection, document, event }: Deletion,
  dependents: readonly Dependent[],
  asking: Asking,
): Promise<string> {
  const { session, at } = asking;
  const id = newEventId();
  const size = dependents.length + 1;
  const group = (index: number) => (size === 1 ? {} : { group: { id, index, size } });
  const write = { kind: 'delete', current: document, event } as const;
  const [own] = await collection.records.writeMany(cause, [write], { session, at, ...group(0) });
  const events = new Map([[keyOf(collection, document._id), own?.event.id ?? '']]);
  let index = 1;
  for (const run of runsOf(dependents)) {
    const [first] = run;
    if (first === undefined) continue;
    const writes = run.map((each) => dependentWrite(each, events));
    const made = await first.collection.records
      .writeMany(cause, writes, { session, at, ...group(index) })
      .catch((error: unknown) => {
        const { collection: from, write: refused } = run[indexOf(error)] ?? first;
        return refuse(lookup, { collection: from, document: refused.current }, error, asking);
      });
    for (const [place, each] of made.entries()) events.set(run[place]?.key ?? '', each.event.id);
    index += run.length;
  }
  return own?.event.id ?? '';
}

const indexOf = (error: unknown): number => (error instanceof RefusedWrite ? error.index : 0);

/** What it means that MongoDB refuses a dependent. */
export async function refuse(
  lookup: Lookup,
  referrer: Referrer,
  error: unknown,
  asking: Pick<Asking, 'caller' | 'at'>,
): Promise<never> {
  if (!(error instanceof RefusedWrite)) throw error;
  if (!isOutdated(error.cause)) {
    const name = await calledTowards(lookup, asking, referrer);
    throw stillReferenced({ detail: `An index of ${name} does not let a record be without it.`, cause: error });
  }
  await lookup.registry.reload(referrer.collection.id);
  throw new OutdatedDefinition();
}
