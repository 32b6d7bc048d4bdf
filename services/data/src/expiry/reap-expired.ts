import { serverTime } from '@causeway/events';
import type { Events } from '@causeway/events';
import { createCounter } from '@causeway/telemetry';

import { awaitRelay } from '../by-filter/await-relay.ts';
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

/** A look at all that is over. */
interface Pass {
  /** When it began, by MongoDB's clock. */
  readonly time: Date;
  readonly signal: AbortSignal;
}

/** Records that one query finds. */
const chunk = 200;
/** MongoDB may work on that for so long: an index leads to them. */
const findMs = 10_000;
/** Deletes side by side. */
const together = 16;
/** For so long it is waited while others have many events to publish; then the next pass goes on. The lease lasts longer. */
const patienceMs = 15_000;
/** After so long what cannot go is looked at again, and what might have gone. */
const putOffMs = { kept: 10 * 60_000, failed: 60_000 } as const;

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

  const one = async ({ records, name }: Collection, { _id: id, revision }: Due, time: Date): Promise<void> => {
    const outcome: ExpiredOutcome | 'failed' = await deleteExpired(name, id, time).catch((error: unknown) => {
      logger.error(
        { error, collection: name, id },
        'a record whose time is over could not be deleted; it is tried again',
      );
      return 'failed' as const;
    });
    if (outcome === 'passed-over') return;
    counter.add(1, { outcome });
    if (outcome === 'deleted') return;
    // Where MongoDB is away, this ends the pass.
    const expiresAt = new Date(time.getTime() + putOffMs[outcome] * (0.75 + Math.random() / 2));
    await records.annotate([{ id, revision, set: { expiresAt } }]);
  };

  /** @returns the last that was looked at, where there may be more */
  const some = async (id: string, after: Due | undefined, { time, signal }: Pass): Promise<Due | undefined> => {
    const collection = await registry.reload(id);
    // Removed meanwhile, or its records stay by now.
    if (collection?.expiry === undefined) return undefined;
    const due = await find(collection, time, after);
    for (let index = 0; index < due.length && !signal.aborted; index += together) {
      await Promise.all(due.slice(index, index + together).map((each) => one(collection, each, time)));
    }
    return due.length < chunk ? undefined : due.at(-1);
  };

  /** Some of each collection, turn by turn: none waits until all of another has gone. */
  const all = async (ids: readonly string[], pass: Pass): Promise<void> => {
    const turns: { readonly id: string; readonly after?: Due }[] = ids.map((id) => ({ id }));
    for (let turn = turns.shift(); turn !== undefined && !pass.signal.aborted; turn = turns.shift()) {
      if (!(await untilRoom(pass.signal)) || !(await lease.hold())) return;
      const { id } = turn;
      const after = await some(id, turn.after, pass).catch((error: unknown) => {
        logger.error({ error, collection: id }, 'records of a collection could not be looked for; it is tried again');
        return undefined;
      });
      if (after !== undefined) turns.push({ id, after });
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
      await all(ids, { time, signal });
    } finally {
      await lease.release();
    }
  };
}
