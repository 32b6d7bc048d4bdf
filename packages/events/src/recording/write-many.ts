import { faults, type Cause, type EventEnvelope } from '@causeway/contracts';
import { MongoBulkWriteError, MongoServerError, type AnyBulkWriteOperation, type ClientSession } from 'mongodb';
import type { Collection } from 'mongodb';

import { buildEvent } from './build-event.ts';
import { compareAndSet, type CompareAndSet } from './compare-and-set.ts';
import { DuplicateKey, duplicateKeyCode, RefusedWrite, refusals } from './errors.ts';
import { keysOfIndexes } from './keys-of-indexes.ts';
import { checkOutboxSize } from './limits.ts';
import { newDocument, tombstoneOf, tombstones } from './recorded-document.ts';
import type { RecordedDocument, Tombstone } from './recorded-document.ts';
import type { PlannedWrite, RecordedWrite, WriteManyOptions } from './recorded-writes.ts';
import type { SessionJournal } from './session-journal.ts';

/** How {@link createWriteMany} is wired. */
interface WriteManyParts<Doc extends RecordedDocument> {
  readonly name: string;
  readonly native: Collection<Doc>;
  readonly graves: Collection<Tombstone>;
  readonly journal: SessionJournal;
  readonly now: () => Date;
  readonly service: string;
  readonly thing: string;
  readonly reusableIds: boolean;
}

/** A write with its event, ready to be made. */
type Built<Doc extends RecordedDocument> =
  | { readonly kind: 'create'; readonly document: Doc; readonly event: EventEnvelope }
  | { readonly kind: 'update'; readonly set: CompareAndSet<Doc>; readonly event: EventEnvelope }
  | { readonly kind: 'delete'; readonly document: Doc; readonly grave: Tombstone; readonly event: EventEnvelope };

const idOf = <Doc extends RecordedDocument>(write: PlannedWrite<Doc>): string =>
  write.kind === 'create' ? write.creation._id : write.current._id;

const staleDecision = (): Error =>
  faults.conflict({ message: 'a write of many was decided by what is not there any more' });

/** Neighbours of one kind, as they stand. */
const runsOf = <Each extends { readonly kind: string }>(all: readonly Each[]): readonly (readonly Each[])[] => {
  const runs: Each[][] = [];
  for (const each of all) {
    const last = runs.at(-1);
    if (last?.[0]?.kind === each.kind) last.push(each);
    else runs.push([each]);
  }
  return runs;
};

/** Makes `writeMany` of one collection; see there. */
export const createWriteMany = <Doc extends RecordedDocument>(parts: WriteManyParts<Doc>) => {
  const { name, native, graves, journal, now, service, thing, reusableIds } = parts;

  const build = (cause: Cause, writes: readonly PlannedWrite<Doc>[], { group, at = now() }: WriteManyOptions) => {
    // What an earlier one of them leaves, a later one goes on from.
    const left = new Map<string, Doc>();
    return writes.map((write, offset): Built<Doc> => {
      const id = idOf(write);
      const own = group === undefined ? undefined : { ...group, index: group.index + offset };
      const place = { service, thing, id, at, group: own };
      if (write.kind === 'create') {
        if (reusableIds) throw new TypeError('ids that come back are created one by one: each has its tombstone');
        const event = buildEvent(cause, write.creation.event, { ...place, revision: 1 });
        const document = newDocument<Doc>(write.creation, event, { revision: 1, at, outbox: [] });
        left.set(id, document);
        return { kind: 'create', document, event };
      }
      const current = left.get(id) ?? write.current;
      checkOutboxSize(current.outbox);
      const revision = current.revision + 1;
      if (write.kind === 'delete') {
        const event = buildEvent(cause, write.event, { ...place, revision });
        return { kind: 'delete', document: current, grave: tombstoneOf(name, current, event, at), event };
      }
      const event = buildEvent(cause, write.decision.event, { ...place, revision });
      const set = compareAndSet(current, write.decision.state, event, at);
      left.set(id, set.document);
      return { kind: 'update', set, event };
    });
  };

  /** @throws RefusedWrite; anything that leaves the outcome open, or has the transaction made anew, as it is */
  const refuse = async (error: unknown, first: number): Promise<never> => {
    if (!(error instanceof MongoBulkWriteError)) throw error;
    const refused = refusals(error);
    const [only] = refused;
    if (only === undefined) throw error;
    const { code, uniqueIndex = '', message } = only;
    const keys = (await keysOfIndexes(native, refused)).get(uniqueIndex) ?? {};
    const cause = code === duplicateKeyCode ? new DuplicateKey(keys, {}) : new MongoServerError({ message, code });
    throw new RefusedWrite(first + only.index, cause);
  };

  const run = async (built: readonly Built<Doc>[], session: ClientSession): Promise<void> => {
    const operations = built.map((write): AnyBulkWriteOperation<Doc> => {
      if (write.kind === 'create') return { insertOne: { document: write.document as never } };
      if (write.kind === 'update') return { updateOne: { filter: write.set.filter, update: write.set.update } };
      const { _id, revision } = write.document;
      return { deleteOne: { filter: { _id, revision } as never } };
    });
    const { insertedCount, matchedCount, deletedCount } = await native.bulkWrite(operations, {
      ordered: true,
      session,
    });
    if (insertedCount + matchedCount + deletedCount < built.length) throw staleDecision();
    const buried = built.flatMap((write) => (write.kind === 'delete' ? [write.grave] : []));
    if (buried.length > 0) await graves.insertMany(buried, { ordered: true, session });
  };

  const note = (write: Built<Doc>, session: ClientSession): RecordedWrite<Doc> => {
    const { event } = write;
    const document = write.kind === 'update' ? write.set.document : write.document;
    const row =
      write.kind === 'delete'
        ? { collection: tombstones, id: write.grave._id, outbox: write.grave.outbox }
        : { collection: name, id: document._id, outbox: document.outbox };
    journal.note(session, row, event.id);
    return { document, event };
  };

  return async (
    cause: Cause,
    writes: readonly PlannedWrite<Doc>[],
    options: WriteManyOptions,
  ): Promise<readonly RecordedWrite<Doc>[]> => {
    const { session } = options;
    const built = build(cause, writes, options);
    let first = 0;
    for (const each of runsOf(built)) {
      try {
        await run(each, session);
      } catch (error) {
        await refuse(error, first);
      }
      first += each.length;
    }
    return built.map((write) => note(write, session));
  };
};
