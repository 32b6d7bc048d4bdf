import type { createCollections } from '../collections/collections.wiring.ts';
import { definitionBodyOf } from '../collections/show-definition.ts';
import type { Feature, Ground } from '../feature.ts';
import { createDefineStep, createDropStep } from './definition-steps.ts';
import { createMigrateChunk } from './migrate-chunk.ts';
import type { MigrationDocument } from './migration.model.ts';
import { ensureMigrationIndexes, migrationsCollection, stepsOf } from './migration.model.ts';
import { createMigrationPlaces } from './migration-places.ts';
import { createMigrationWorker } from './migration-worker.ts';
import { migrationRoutes } from './migrations.routes.ts';
import { createMigrations } from './migrations.ts';
import { createRunMigration } from './run-migration.ts';
import { collectionOf } from './step.ts';

/** Changes of collections and their records that administrators have made step by step. */
export function createMigrationsFeature(
  { events, registry, logger, now }: Pick<Ground, 'events' | 'registry' | 'logger' | 'now'>,
  { definitions, defineCollection, removeCollection }: ReturnType<typeof createCollections>,
) {
  const { db } = events;
  const documents = events.collection<MigrationDocument>(migrationsCollection, { thing: 'migration' });
  const places = createMigrationPlaces(db);
  const given = { definitions, defineCollection, removeCollection, places };
  const run = createRunMigration({
    ...{ events, places, migrations: documents },
    migrateChunk: createMigrateChunk({ events, registry, places, now }),
    defineStep: createDefineStep(given),
    dropStep: createDropStep(given),
  });
  const worker = createMigrationWorker({ ...{ events, places, run, logger }, migrations: documents });
  const migrations = createMigrations({
    ...{ events, definitions, places, migrations: documents },
    show: (name, { definition }) => definitionBodyOf(definitions.native, name, definition),
  });
  return {
    ...{ migrations, worker },
    ensureIndexes: () => ensureMigrationIndexes(db),
    start: () => worker.start(),
    stop: () => worker.stop(),
    routes: migrationRoutes({
      migrations,
      begin: (migration) => worker.begin(migration),
      async placeOf(migration) {
        const shown = await migrations.placeOf(migration);
        const step = stepsOf(migration)[shown.place?.step ?? 0];
        const collection =
          step === undefined || migration.status === 'ended' ? undefined : await registry.find(collectionOf(step));
        return { ...shown, of: await collection?.records.native.estimatedDocumentCount() };
      },
    }),
  } satisfies Feature;
}
