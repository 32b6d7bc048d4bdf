import type { ReadAfterOptions } from '@causeway/events';
import type { Db } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import type { FieldPath } from '../conditions/field-path.ts';
import type { LookTime } from '../pacing/look-time.ts';
import { projectionFor } from '../queries/project-record.ts';
import type { Shown, VisibleRecord } from '../records/record.model.ts';
import type { Caller } from '../rules/rule.ts';
import { createSight } from '../rules/see.ts';
import { readableAmong } from './lookup.ts';

/** Who asks, when, and how it is read. */
export interface ReadReferred {
  readonly db: Db;
  readonly caller: Caller;
  readonly at: Date;
  readonly read: ReadAfterOptions;
  /** What is left of the time of the whole answer. */
  readonly time: LookTime;
  /** What is wanted of a record; undefined for all that is seen of it. */
  readonly fields?: readonly FieldPath[] | undefined;
}

/**
 * Reads records that others refer to, in one question, by the rules of their own collection: what the caller may not see is not among
 * them, and what is hidden in one is missing.
 *
 * @throws OutOfTime
 */
export async function* readReferred(
  collection: Collection,
  ids: readonly string[],
  { db, caller, at, read, time, fields }: ReadReferred,
): AsyncGenerator<Shown<VisibleRecord>> {
  time.demand();
  const sight = createSight(collection, caller, { at });
  const filter = await readableAmong({ db }, collection, ids, { caller, at, time, ...read });
  const projection = projectionFor(sight.looksAtRecord ? undefined : fields, []);
  const options = { projection, maxTimeMS: time.leftMs(), ...read };
  for await (const record of collection.records.native.find<VisibleRecord>(filter, options)) {
    yield sight.show(record, fields);
  }
}
