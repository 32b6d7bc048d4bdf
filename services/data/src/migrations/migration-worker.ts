import { createLeasedWork, stateOf } from '@causeway/events';
import type { Events, LeasedWork, RecordedCollection } from '@causeway/events';

import type { Ground } from '../feature.ts';
import type { Failure, MigrationDocument } from './migration.model.ts';
import { stepsOf } from './migration.model.ts';
import type { MigrationPlaces } from './migration-places.ts';
import { ended } from './migrations.events.ts';
import type { createRunMigration } from './run-migration.ts';
import { causeOf, tallyOf } from './run-migration.ts';
import { kindOf } from './step.ts';

/** What a replica has found out of a migration that it has not ended yet. */
export interface Found {
  failure: Failure | null;
}

/** How {@link createMigrationWorker} is wired. */
export interface MigrationWorkerOptions {
  readonly events: Pick<Events, 'db'>;
  readonly migrations: RecordedCollection<MigrationDocument>;
  readonly places: MigrationPlaces;
  readonly run: ReturnType<typeof createRunMigration>;
  readonly logger: Ground['logger'];
}

/** Makes the worker of one replica: it makes migrations that were asked for, here or at a replica that is gone. */
export function createMigrationWorker(options: MigrationWorkerOptions): LeasedWork<MigrationDocument, Found> {
  const { events, migrations, places, run, logger } = options;
  return createLeasedWork<MigrationDocument, Found>({
    name: 'migration',
    db: events.db,
    leases: 'migrating',
    orders: migrations,
    zero: { failure: null },
    can: (order) => stepsOf(order).every((step) => kindOf(step) !== undefined),
    async work(order, found, signal) {
      // Whoever had it before may have stopped, and died before it said so: it is found anew.
      found.failure = null;
      found.failure = (await run(order, signal)) ?? null;
    },
    async end(order, { failure }) {
      const place = await places.find(order._id);
      const tally = place === null ? order.tally : tallyOf(place, stepsOf(order).length);
      await migrations.update(causeOf(order), order._id, (current) => {
        if (current.status === 'ended') return undefined;
        const done = current.direction === 'up' ? 'applied' : 'reverted';
        const outcome = failure === null ? done : 'stopped';
        const end = { status: 'ended', outcome, tally, ...(failure === null ? {} : { failure }) } as const;
        return { state: { ...stateOf(current), ...end }, event: ended(current, outcome, tally, failure ?? undefined) };
      });
      const { step, collection, recordId, code } = failure ?? {};
      const told = { migration: order._id, direction: order.direction, ...tally };
      if (failure === null) logger.info(told, 'a migration has ended');
      else logger.warn({ ...told, step, collection, recordId, code }, 'a migration has stopped');
    },
    logger,
  });
}
