import type { ReadAfterOptions } from '@causeway/events';
import type { Db, Timestamp } from 'mongodb';

import { valueAt } from '../fields/value-at.ts';
import { answerAsked } from '../queries/project-record.ts';
import { queryTooCostly } from '../queries/queries.errors.ts';
import type { FindCurrentById } from '../records/find-current.ts';
import { findCurrentById } from '../records/find-current.ts';
import type { LookTime } from '../pacing/look-time.ts';
import { readReferred } from '../references/read-referred.ts';
import type { Caller } from '../rules/rule.ts';
import type { AskedLookup } from './aggregate.ts';
import { aggregateLimits } from './aggregate.ts';

/** Where what rows refer to is looked for. */
export interface LookUpDependencies extends FindCurrentById {
  readonly db: Db;
}

/** Who asks, when, and how it is read. */
export interface LookUpContext {
  readonly caller: Caller;
  readonly at: Date;
  readonly after: Timestamp | undefined;
  readonly read: ReadAfterOptions;
  /** What is left of the time of the whole answer. */
  readonly time: LookTime;
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
  dependencies: LookUpDependencies,
  { path, target, fields }: AskedLookup,
  rows: readonly object[],
  { caller, at, after, read, time }: LookUpContext,
): Promise<LookedUp> {
  const valueIn = (row: object): unknown => valueAt(row, path.segments);
  const ids = new Set(rows.flatMap((row) => [valueIn(row)].flat()).filter((id) => typeof id === 'string'));
  if (ids.size > aggregateLimits.lookedUp) throw tooMany(`refers to more than ${aggregateLimits.lookedUp} records`);
  const collection = await findCurrentById(dependencies, target, after);
  const found = new Map<unknown, object>();
  if (collection !== undefined && ids.size > 0) {
    const { db } = dependencies;
    let length = 0;
    for await (const record of readReferred(collection, [...ids], { db, caller, at, read, time, fields })) {
      const answer = answerAsked(record, { fields, rank: undefined });
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

const tooMany = (what: string): Error =>
  queryTooCostly({ detail: `The result ${what}: narrow it, add a limit, or leave the lookup out.` });
