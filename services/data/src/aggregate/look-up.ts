import type { ReadAfterOptions } from '@causeway/events';
import type { Timestamp } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import { valueAt } from '../fields/value-at.ts';
import { answerAsked, projectionFor } from '../queries/project-record.ts';
import { queryTooCostly } from '../queries/queries.errors.ts';
import type { FindCurrent } from '../records/find-current.ts';
import type { VisibleRecord } from '../records/record.model.ts';
import type { Lookup } from '../references/lookup.ts';
import { readableFilter } from '../references/lookup.ts';
import type { Caller } from '../rules/rule.ts';
import { createSight } from '../rules/see.ts';
import type { AskedLookup } from './aggregate.ts';
import { aggregateLimits } from './aggregate.ts';

/** Where what rows refer to is looked for. */
export interface LookUpDependencies extends Lookup {
  readonly findCurrent: FindCurrent;
  readonly queryTimeoutMs: number;
}

/** Who asks, when, and how it is read. */
export interface LookUpContext {
  readonly caller: Caller;
  readonly at: Date;
  readonly after: Timestamp | undefined;
  readonly read: ReadAfterOptions;
}

/** Shows what a row refers to: the record as the caller sees it, null where there is none that they see; a list for a list. */
export type LookedUp = (row: object) => unknown;

/**
 * Reads what rows refer to, in one question for all of them: by the read rule and the field rules of the other collection.
 *
 * @param rows - as they are seen
 * @throws Fault `query-too-costly`
 */
export async function lookUp(
  { db, registry, findCurrent, queryTimeoutMs }: LookUpDependencies,
  { path, target, fields }: AskedLookup,
  rows: readonly object[],
  { caller, at, after, read }: LookUpContext,
): Promise<LookedUp> {
  const valueIn = (row: object): unknown => valueAt(row, path.segments);
  const ids = new Set(rows.flatMap((row) => [valueIn(row)].flat()).filter((id) => typeof id === 'string'));
  if (ids.size > aggregateLimits.lookedUp) throw tooMany(`refers to more than ${aggregateLimits.lookedUp} records`);
  const collection = await currentOf({ registry, findCurrent }, target, after);
  const found = new Map<unknown, object>();
  if (collection !== undefined && ids.size > 0) {
    const sight = createSight(collection, caller, { at });
    const readable = await readableFilter({ db }, collection, { caller, at, ...read });
    const filter = { $and: [{ _id: { $in: [...ids] } }, readable] };
    const projection = projectionFor(sight.looksAtRecord ? undefined : fields, []);
    const options = { projection, maxTimeMS: queryTimeoutMs, ...read };
    let length = 0;
    for await (const record of collection.records.native.find<VisibleRecord>(filter, options)) {
      const answer = answerAsked(sight.show(record), { fields, rank: undefined });
      length += JSON.stringify(answer).length;
      if (length > aggregateLimits.length) throw tooMany('refers to records that are too large together');
      found.set(record._id, answer);
    }
  }
  const show = (id: unknown): object | null => found.get(id) ?? null;
  return (row) => {
    const value = valueIn(row);
    return Array.isArray(value) ? value.map(show) : show(value);
  };
}

/** By the definition that reads are judged by; undefined where the collection is gone. */
async function currentOf(
  lookup: Pick<LookUpDependencies, 'registry' | 'findCurrent'>,
  id: string,
  after: Timestamp | undefined,
): Promise<Collection | undefined> {
  const known = lookup.registry.get(id) ?? (await lookup.registry.reload(id));
  const current = known && (await lookup.findCurrent(known.name, after));
  return current?.id === id ? current : undefined;
}

const tooMany = (what: string): Error =>
  queryTooCostly({ detail: `The result ${what}: narrow it, add a limit, or leave the lookup out.` });
