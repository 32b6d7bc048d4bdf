import { createAggregate } from './aggregate/aggregate.wiring.ts';
import { createBatch } from './batch/batch.wiring.ts';
import { createByFilter } from './by-filter/by-filter.wiring.ts';
import { createChanges } from './changes/changes.wiring.ts';
import { createCollections } from './collections/collections.wiring.ts';
import { createExpiry } from './expiry/expiry.wiring.ts';
import type { Feature, Ground } from './feature.ts';
import { createKeyRotation } from './key-rotation/key-rotation.wiring.ts';
import { createMigrationsFeature } from './migrations/migrations.wiring.ts';
import { createQueries } from './queries/queries.wiring.ts';
import { createRecords } from './records/records.wiring.ts';
import { createRules } from './rules/rules.wiring.ts';
import { createUpsert } from './upsert/upsert.wiring.ts';

/**
 * All that this service does, by name, each feature given what it needs of others. Nothing runs yet.
 *
 * Their order is that of their routes, and the first that matches a path takes it: `…/changes` comes before `…/{id}`.
 */
export async function createFeatures(ground: Ground): Promise<Readonly<Record<string, Feature>>> {
  const queries = createQueries(ground);
  const collections = createCollections(ground);
  return {
    collections,
    changes: await createChanges(ground, { admit: queries.admit }),
    queries,
    aggregate: createAggregate(ground, { admit: queries.admit }),
    records: createRecords(ground),
    batch: createBatch(ground),
    byFilter: createByFilter(ground, { admit: queries.admit }),
    rules: createRules(ground, collections),
    upsert: createUpsert(ground),
    expiry: createExpiry(ground),
    keyRotation: createKeyRotation(ground, collections),
    migrations: createMigrationsFeature(ground, collections),
  };
}
