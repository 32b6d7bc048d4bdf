import { serverTime } from '@causeway/events';
import type { Events } from '@causeway/events';
import { createCounter } from '@causeway/telemetry';

import { awaitRelay } from '../pacing/await-relay.ts';
import type { DefinitionDocument } from '../collections/collection.model.ts';
import { definitionsCollection } from '../collections/collection.model.ts';
import type { Collection, CollectionRegistry } from '../collections/collection-registry.ts';
import type { RecordDocument } from '../records/record.model.ts';
import type { createDeleteExpired, ExpiredOutcome } from './delete-expired.ts';
import type { ReaperLease } from './reaper-lease.ts';

/** What {@link createReapExpired} is given. */
export interface ReapExpiredDependencies {
  readonly events: Pick<Events, 'db' | 'backlog'>;
  readonly registry: Pick<CollectionRegistry, 'reload'>;
  readonly deleteExpired: ReturnType<typeof createDeleteExpired>;
  readonly lease: ReaperLease;
  readonly logger: { error(fields: Record<string, unknown>, message: string): void };
}

/** A record that is to be looked at. */
type Due = Pick<RecordDocument, '_id' | 'revision'> & { readonly expiresAt: Date };

/** What has become of it; `failed` stands for an error. */
type Outcome = ExpiredOutcome | { readonly kind: 'failed'; readonly written: number };

/** A look at all that is over. */
interface Pass {
  /** When it began, by MongoDB's clock. */
  readonly time: Date;
  readonly signal: AbortSignal;
  /** Waits until there is room for more events, and keeps the lease. @returns whether the pass goes on */
  readonly mayGoOn: () => Promise<boolean>;
}

/** How a look at some records of a collection has ended: at one behind which there may be more, at the last one, or with the pass. */
type Ended = Due | 'through' | 'over';

/** Records that one query finds. */
const chunk = 200;
/** MongoDB may work on that for so long: an index leads to them. */
const findMs = 10_000;
/** Deletes side by side, where nothing goes along with them. */
const together = 16;
/** Records written, or time gone by, after which the relay is asked again, and the lease held: far below its end. */
const mostAtOnce = { written: 500, ms: 5_000 } as const;
/** For so long it is waited while others have many events to publish; then the next pass goes on. The lease lasts longer. */
const patienceMs = 15_000;
/** After so long what cannot go is looked at again, and what might have gone. */
const putOffMs = { kept: 10 * 60_000, failed: 60_000, undecided: 60_000 } as const;

/**
 * Makes passes over all collections whose records expire: one replica at a time, each collection in the order of their times, on MongoDB's clock. A
 * record that has to stay, for others refer to it, or whose delete fails, is put off.
 *
 * @returns a job
 */
export function createReapExpired({ events, registry, deleteExpired, lease, logger }: ReapExpiredDependencies) {
  const { db } = events;
  const counter = createCounter('causeway.expiry.records', {
    description: 'Records whose time was over, by what has become of them',
    unit: '{record}',
  });

  /** @returns whether there is room for more events */
  const untilRoom = async (signal: AbortSignal): Promise<boolean> => {
    const deadline = performance.now() + patienceMs;
    try {
      return await awaitRelay(events, { isTimeUp: () => performance.now() > deadline, signal });
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    }
  };

  const find = ({ records }: Collection, time: Date, after: Due | undefined): Promise<Due[]> => {
    // What has been looked at may still be there, and is passed by.
    const later =
      after === undefined
        ? []
        : [{ $or: [{ expiresAt: { $gt: after.expiresAt } }, { expiresAt: after.expiresAt, _id: { $gt: after._id } }] }];
    return records.native
      .find<Due>(
        { $and: [{ expiresAt: { $lte: time } }, ...later] },
        { projection: { revision: 1, expiresAt: 1 }, maxTimeMS: findMs },
      )
      .sort({ expiresAt: 1, _id: 1 })
      .limit(chunk)
      .toArray();
  };

  /** @returns how many records were written */
  const one = async ({ records, name }: Collection, { _id: id, revision }: Due, time: Date): Promise<number> => {
    const { kind, written }: Outcome = await deleteExpired(name, id, time).catch((error: unknown) => {
      logger.error(
        { error, collection: name, id },
        'a record whose time is over could not be deleted; it is tried again',
      );
      return { kind: 'failed', written: 0 } as const;
    });
    if (kind === 'passed-over') return written;
    counter.add(1, { outcome: kind });
    if (kind === 'deleted') return written;
    // Where MongoDB is away, this ends the pass.
    const expiresAt = new Date(time.getTime() + putOffMs[kind] * (0.75 + Math.random() / 2));
    await records.annotate([{ id, revision, set: { expiresAt } }]);
    return written;
  };

  /** @returns whether the pass goes on */
  const each = async (
    collection: Collection,
    due: readonly Due[],
    { time, signal, mayGoOn }: Pass,
  ): Promise<boolean> => {
    let [since, written, width] = [performance.now(), 0, 1];
    for (let index = 0; index < due.length;) {
      if (signal.aborted) return false;
      if (written >= mostAtOnce.written || performance.now() - since >= mostAtOnce.ms) {
        if (!(await mayGoOn())) return false;
        [since, written] = [performance.now(), 0];
      }
      const beside = due.slice(index, index + width);
      const counts = await Promise.all(beside.map((record) => one(collection, record, time)));
      for (const count of counts) written += count;
      index += beside.length;
      // Where others go along, it shows only afterwards how many: one by one, until none does.
      width = counts.some((count) => count > 1) ? 1 : Math.min(together, width * 2);
    }
    return true;
  };

  const some = async (id: string, after: Due | undefined, pass: Pass): Promise<Ended> => {
    const collection = await registry.reload(id);
    // Removed meanwhile, or its records stay by now.
    if (collection?.expiry === undefined) return 'through';
    const due = await find(collection, pass.time, after);
    if (!(await each(collection, due, pass))) return 'over';
    return (due.length < chunk ? undefined : due.at(-1)) ?? 'through';
  };

  /** Some of each collection, turn by turn: none waits until all of another has gone. */
  const all = async (ids: readonly string[], pass: Pass): Promise<void> => {
    const turns: { readonly id: string; readonly after?: Due }[] = ids.map((id) => ({ id }));
    for (let turn = turns.shift(); turn !== undefined && !pass.signal.aborted; turn = turns.shift()) {
      if (!(await pass.mayGoOn())) return;
      const { id } = turn;
      const ended = await some(id, turn.after, pass).catch((error: unknown) => {
        logger.error({ error, collection: id }, 'records of a collection could not be looked for; it is tried again');
        return 'through' as const;
      });
      if (ended === 'over') return;
      if (ended !== 'through') turns.push({ id, after: ended });
    }
  };

  return async (signal: AbortSignal): Promise<void> => {
    if (!(await lease.hold())) return;
    try {
      const time = await serverTime(db);
      const definitions = db
        .collection<DefinitionDocument>(definitionsCollection)
        .find({ 'definition.expiry': { $exists: true } }, { projection: { _id: 1 }, maxTimeMS: findMs });
      const ids = await definitions.map(({ _id }) => _id).toArray();
      const mayGoOn = async (): Promise<boolean> => (await untilRoom(signal)) && (await lease.hold());
      await all(ids, { time, signal, mayGoOn });
    } finally {
      await lease.release();
    }
  };
}
