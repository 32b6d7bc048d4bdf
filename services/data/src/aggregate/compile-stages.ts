import type { Document } from 'mongodb';

import { bindCondition } from '../conditions/bind-condition.ts';
import type { FieldPath } from '../conditions/field-path.ts';
import { groupFilter } from '../queries/find-records.ts';
import { compileSort } from '../sorting/sort.ts';
import type { Accumulator, Aggregate, Group, GroupPhase, Key } from './aggregate.ts';
import { aggregateLimits } from './aggregate.ts';

/** A group as MongoDB gives it: its keys under `_id`, and what has names as a record's fields. */
export interface GroupRow {
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * The stages of MongoDB for an aggregate; one row more than may be answered.
 *
 * Names and values of clients come in as the names of members, after they were parsed, and as numbers; nothing of theirs is an expression.
 *
 * @param visible - what whoever asks may see of what is asked for
 * @param projection - what is read of records, where these are the rows
 */
export function compileStages(
  { query, isSorted, limit, phases }: Pick<Aggregate, 'query' | 'isSorted' | 'limit' | 'phases'>,
  visible: Document,
  projection: Document,
): Document[] {
  const areRecordsShown = phases.length === 0;
  const isOrdered = isSorted || limit !== undefined || areRecordsShown;
  return [
    { $match: visible },
    ...(isOrdered ? [{ $sort: compileSort(query.sort) }] : []),
    ...(limit === undefined ? [] : [{ $limit: limit }]),
    ...phases.flatMap((phase) => compilePhase(phase, query.at)),
    { $limit: aggregateLimits.rows + 1 },
    ...boundSets(setsIn({ phases })),
    ...(areRecordsShown ? [{ $project: projection }] : []),
  ];
}

function compilePhase({ group, match, sort = [], limit }: GroupPhase, at: Date): Document[] {
  const order = Object.fromEntries(sort.map(({ path, direction }) => [path.storage, direction]));
  return [
    ...compileGroup(group),
    ...(match === undefined ? [] : [{ $match: groupFilter(bindCondition(match, { at })) }]),
    { $sort: { ...order, _id: 1 } },
    ...(limit === undefined ? [] : [{ $limit: limit }]),
  ];
}

/** MongoDB takes no nested names in a group: they are given by place, and named afterwards. */
function compileGroup({ keys, fields }: Group): Document[] {
  const key = (at: number): string => `k${at}`;
  const field = (at: number): string => `f${at}`;
  const ofKeys = keys.map(([name], at) => [name, `$_id.${key(at)}`] as const);
  const ofFields = fields.map(([name, accumulator], at) => [name, finish(accumulator, `$${field(at)}`)] as const);
  return [
    {
      $group: {
        _id: keys.length === 0 ? null : Object.fromEntries(keys.map(([, each], at) => [key(at), compileKey(each)])),
        ...Object.fromEntries(fields.map(([, each], at) => [field(at), compileAccumulator(each)])),
      },
    },
    { $replaceWith: { _id: '$_id', fields: Object.fromEntries([...ofKeys, ...ofFields]) } },
  ];
}

const isoFormat = '%Y-%m-%dT%H:%M:%S.%LZ';
const asText = (date: unknown): Document => ({ $dateToString: { date, format: isoFormat, onNull: null } });

/** What stands at a path: a time as the text that it is answered as. */
const valueAt = ({ storage, holds }: FieldPath): unknown => (holds === 'time' ? asText(`$${storage}`) : `$${storage}`);

/** What is missing is as good as null. */
const orNull = (value: unknown): Document => ({ $ifNull: [value, null] });

function compileKey(key: Key): unknown {
  const { path } = key;
  switch (key.kind) {
    case 'value':
      return orNull(valueAt(path));
    case 'boundaries':
      return compileBoundaries(valueAt(path), key.boundaries);
    case 'unit': {
      const { unit, timeZone: timezone } = key;
      return asText({ $dateTrunc: { date: timeAt(path), unit, timezone, startOfWeek: 'monday' } });
    }
  }
}

function compileBoundaries(value: unknown, boundaries: readonly number[]): Document {
  const branches = boundaries.slice(0, -1).map((least, at) => ({
    case: { $and: [{ $isNumber: value }, { $gte: [value, least] }, { $lt: [value, boundaries[at + 1]] }] },
    then: least,
  }));
  return { $switch: { branches, default: null } };
}

/**
 * The texts that are times: ISO 8601, with an offset, or dates alone in UTC. MongoDB would take others as well, and cannot answer with years
 * beyond 9999.
 */
const timeText =
  '^(?!9999)[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2}))?$';

/** The time that stands at a path; null where there is none. */
function timeAt({ storage, holds }: FieldPath): unknown {
  const value = `$${storage}`;
  if (holds === 'time') return value;
  const input = { $cond: [{ $eq: [{ $type: value }, 'string'] }, value, ''] };
  return {
    $cond: [
      { $regexMatch: { input, regex: timeText } },
      { $dateFromString: { dateString: value, onError: null, onNull: null } },
      null,
    ],
  };
}

function compileAccumulator(accumulator: Accumulator): Document {
  if (accumulator.kind === 'count') return { $sum: 1 };
  const value = valueAt(accumulator.path);
  switch (accumulator.kind) {
    // As the doubles that they are in JSON: whole numbers would be added up as such.
    case 'sum':
      return { $sum: { $cond: [{ $isNumber: value }, { $toDouble: value }, 0] } };
    case 'avg':
    case 'min':
    case 'max':
      return { [`$${accumulator.kind}`]: value };
    case 'first':
    case 'last':
      return { [`$${accumulator.kind}`]: orNull(value) };
    case 'addToSet':
    case 'countDistinct':
      return { $addToSet: { $ifNull: [value, '$$REMOVE'] } };
  }
}

const finish = ({ kind }: Accumulator, value: string): unknown => (kind === 'countDistinct' ? { $size: value } : value);

/** The names of what the last group has gathered; nothing is made of what one before it has. */
export const setsIn = ({ phases }: Pick<Aggregate, 'phases'>): ReadonlySet<string> =>
  new Set(phases.at(-1)?.group.fields.flatMap(([name, { kind }]) => (kind === 'addToSet' ? [name] : [])));

/** One value more than may be answered. */
function boundSets(names: ReadonlySet<string>): Document[] {
  if (names.size === 0) return [];
  const bounded = [...names].map(
    (name) => [name, { $slice: [`$fields.${name}`, aggregateLimits.values + 1] }] as const,
  );
  return [{ $set: { fields: Object.fromEntries(bounded) } }];
}
