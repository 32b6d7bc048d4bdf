import type { Cause } from '@causeway/contracts';
import { stateOf } from '@causeway/events';
import type { Events, RecordedCollection } from '@causeway/events';

import { awaitRelay } from '../pacing/await-relay.ts';
import type { DefinitionStep } from './definition-steps.ts';
import type { createMigrateChunk } from './migrate-chunk.ts';
import type { Failure, MigrationDocument, Tally } from './migration.model.ts';
import { stepsOf } from './migration.model.ts';
import type { MigrationPlace, MigrationPlaces } from './migration-places.ts';
import { progressed } from './migrations.events.ts';
import { failureOf } from './record-failure.ts';
import { readRecordsStep } from './records-step.ts';
import { collectionOf, kindOf } from './step.ts';

/** Records after which an event tells how far a migration is. */
const tellEach = 10_000;

/** What {@link createRunMigration} is given. */
export interface RunMigrationDependencies {
  readonly events: Pick<Events, 'backlog'>;
  readonly migrations: RecordedCollection<MigrationDocument>;
  readonly places: MigrationPlaces;
  readonly migrateChunk: ReturnType<typeof createMigrateChunk>;
  readonly defineStep: DefinitionStep<'define'>;
  readonly dropStep: DefinitionStep<'drop'>;
}

/** How far it is, as its events tell it. */
export const tallyOf = (place: MigrationPlace, steps: number): Tally => ({
  step: Math.min(place.step, steps),
  steps,
  looked: place.looked,
  changed: place.changed,
});

/** Where a step ends before the last record: what a migration had not reached is not reverted. */
const throughOf = ({ direction, undoThrough }: MigrationDocument, { step }: MigrationPlace): string | undefined =>
  direction === 'down' && step === 0 ? undoThrough : undefined;

/** Whose writes they are: they follow from what began the migration. */
export const causeOf = ({ cause, event }: MigrationDocument): Cause => ({ ...cause, causationId: event });

/**
 * Makes what makes a migration, or reverts it, from the place that it has got to.
 *
 * @returns it gives what the migration has stopped at, and nothing where all of it is done; it rejects where `signal` ends it, where somebody
 *   else goes on with it, and where something fails that passes
 */
export function createRunMigration(given: RunMigrationDependencies) {
  const { events, migrations, places, migrateChunk, defineStep, dropStep } = given;

  const makeStep = async (
    order: MigrationDocument,
    place: MigrationPlace,
    signal: AbortSignal,
  ): Promise<MigrationPlace> => {
    const step = stepsOf(order)[place.step] ?? {};
    const cause = causeOf(order);
    const own = kindOf(step);
    switch (own?.kind) {
      case 'define':
        return await defineStep(cause, own.define, place, signal);
      case 'drop':
        return await dropStep(cause, own.drop, place, signal);
      case 'change':
      case 'remove':
        // The events of others do not stand behind those of a million records.
        await awaitRelay(events, { isTimeUp: () => false, signal });
        return await migrateChunk(cause, readRecordsStep(own, place.begunAt), place, throughOf(order, place));
      case undefined:
        throw new TypeError('a step was accepted that is none');
    }
  };

  const tell = async (order: MigrationDocument, place: MigrationPlace): Promise<void> => {
    const tally = tallyOf(place, stepsOf(order).length);
    await migrations.update(causeOf(order), order._id, (current) => {
      // Whoever has taken it over may have told more.
      if (current.status !== 'running' || current.tally.looked >= tally.looked) return undefined;
      return { state: { ...stateOf(current), tally }, event: progressed(current, tally) };
    });
  };

  return async (order: MigrationDocument, signal: AbortSignal): Promise<Failure | undefined> => {
    const steps = stepsOf(order);
    let told = order.tally.looked;
    let place = await places.find(order._id);
    while (place !== null && place.step < steps.length) {
      signal.throwIfAborted();
      try {
        place = await makeStep(order, place, signal);
      } catch (error) {
        const { step } = place;
        const failure = failureOf(error, { step, collection: collectionOf(steps[step] ?? {}) });
        if (failure === undefined) throw error;
        return failure;
      }
      if (place.looked - told < tellEach) continue;
      told = place.looked;
      await tell(order, place);
    }
    return undefined;
  };
}
