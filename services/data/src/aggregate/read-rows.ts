import type { ReadAfterOptions } from '@causeway/events';
import type { Timestamp } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import { compareValues } from '../conditions/bson-order.ts';
import { visibleMatch } from '../queries/find-records.ts';
import { answerAsked, partOf, projectionFor } from '../queries/project-record.ts';
import { queryTooCostly } from '../queries/queries.errors.ts';
import type { LookTime } from '../pacing/look-time.ts';
import type { Shown, VisibleRecord } from '../records/record.model.ts';
import type { Caller } from '../rules/rule.ts';
import { createSight } from '../rules/see.ts';
import { resultOutOfRange } from './aggregate.errors.ts';
import type { Aggregate } from './aggregate.ts';
import { aggregateLimits } from './aggregate.ts';
import type { GroupRow } from './compile-stages.ts';
import { compileStages, setsIn } from './compile-stages.ts';
import type { LookUpDependencies } from './look-up.ts';
import { lookUp } from './look-up.ts';

/** Of what, and for whom rows are read. */
interface RowsContext {
  readonly collection: Collection;
  readonly caller: Caller;
  readonly at: Date;
  readonly after: Timestamp | undefined;
  readonly read: ReadAfterOptions;
  /** What is left of the time of the whole answer. */
  readonly time: LookTime;
}

/** A row: what its references are read from, and what is answered. */
interface Row {
  readonly source: object;
  readonly answer: Readonly<Record<string, unknown>>;
}

/**
 * Runs an aggregate.
 *
 * @returns its rows as JSON
 * @throws Fault `query-too-costly`, `result-out-of-range`
 */
export async function readRows(
  dependencies: LookUpDependencies,
  aggregate: Aggregate,
  context: RowsContext,
): Promise<readonly string[]> {
  const { collection, caller, at, after, read, time } = context;
  const { query, names, lookups } = aggregate;
  const sight = createSight(collection, caller, { at });
  const paths = query.fields && [...query.fields, ...lookups.map(({ path }) => path)];
  const projection = projectionFor(sight.looksAtRecord ? undefined : paths, []);
  const stages = compileStages(aggregate, visibleMatch(collection, caller, query), projection);
  const options = { maxTimeMS: time.leftMs(), allowDiskUse: false, ...read };
  const sets = setsIn(aggregate);
  const rowOf =
    names === undefined
      ? (record: object) => recordRow(sight.show(record as VisibleRecord, paths), aggregate)
      : (row: object) => groupRow(row as GroupRow, names, sets);
  const rows: Row[] = [];
  const spend = createBound();
  for await (const found of collection.records.native.aggregate<object>(stages, options)) {
    if (rows.length === aggregateLimits.rows) throw tooMany();
    const row = rowOf(found);
    spend(row.answer);
    rows.push(row);
  }
  const sources = rows.map(({ source }) => source);
  const shown = await Promise.all(
    lookups.map((lookup) => lookUp(dependencies, lookup, sources, { caller, at, after, read, time })),
  );
  const spendAll = createBound();
  return rows.map(({ source, answer }) =>
    spendAll({ ...answer, ...Object.fromEntries(lookups.map(({ as }, index) => [as, shown[index]?.(source)])) }),
  );
}

const recordRow = (record: Shown<VisibleRecord>, { query, lookups }: Aggregate): Row => ({
  source: partOf(
    record,
    lookups.map(({ path }) => path.segments),
  ),
  answer: answerAsked(record, { fields: query.fields, rank: undefined }) as Row['answer'],
});

function groupRow(row: GroupRow, names: readonly string[], sets: ReadonlySet<string>): Row {
  const answer = Object.fromEntries(names.map((name) => [name, finished(row.fields[name], sets.has(name))]));
  return { source: row, answer };
}

/** Sets come in no order from MongoDB, and with one value more than they may have. */
function finished(value: unknown, isSet: boolean): unknown {
  if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) throw resultOutOfRange();
  if (!isSet || !Array.isArray(value)) return value ?? null;
  if (value.length <= aggregateLimits.values) return value.toSorted(compareValues);
  const detail = `A set would have more than ${aggregateLimits.values} values: count them with countDistinct, or narrow the match.`;
  throw queryTooCostly({ detail, extensions: { limit: aggregateLimits.values } });
}

/** @returns gives a value as JSON, as long as all of them have room in the result */
function createBound(): (value: object) => string {
  let length = 0;
  return (value) => {
    const text = JSON.stringify(value);
    length += text.length;
    if (length <= aggregateLimits.length) return text;
    const detail = `The result would have more than ${aggregateLimits.length} characters: add a limit, or a project.`;
    throw queryTooCostly({ detail, extensions: { limit: aggregateLimits.length } });
  };
}

const tooMany = (): Error =>
  queryTooCostly({
    detail: `The result would have more than ${aggregateLimits.rows} rows: add a limit, or put more of them together.`,
    extensions: { limit: aggregateLimits.rows },
  });
