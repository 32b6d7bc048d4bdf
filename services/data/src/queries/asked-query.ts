import { bindCondition } from '../conditions/bind-condition.ts';
import type { Condition, Operand, Value } from '../conditions/condition.ts';
import { everything } from '../conditions/condition.ts';
import type { FieldPath } from '../conditions/field-path.ts';
import { parseFieldPath } from '../conditions/field-path.ts';
import { parseCondition } from '../conditions/parse-condition.ts';
import { isObject } from '../conditions/plain-value.ts';
import type { Expansion } from '../expand/expansion.ts';
import type { ScalarTypesAt, Sort } from '../sorting/sort.ts';
import { parseSort } from '../sorting/sort.ts';
import type { TextSearch } from './asked-ranking.ts';
import { parseRanking } from './asked-ranking.ts';
import type { Near } from './geo/parse-near.ts';
import type { FaultPlace } from './refuse-query.ts';
import { refused } from './refuse-query.ts';

/** A part of a query. */
export type QueryPart =
  'filter' | 'search' | 'sort' | 'fields' | 'expand' | 'limit' | 'cursor' | 'count' | 'explain' | 'as';

/** Says where a part of a query was sent. */
export type Locate = (part: QueryPart, pointer?: string) => FaultPlace;

/** Somebody whose query an administrator looks at; without `sub` nobody who is signed in. */
export interface AskedAs {
  readonly sub?: string | undefined;
  readonly roles?: readonly string[] | undefined;
  readonly org?: string | undefined;
}

/** What somebody asks for, the same whether it was sent in an address or in a body. */
export interface AskedQuery {
  /** A condition as JSON; undefined for every record. */
  readonly filter: unknown;
  /** Words to look for: short for `$text` in the filter. */
  readonly search?: string | undefined;
  /** Names of fields, `-` before one for falling order. */
  readonly sort: readonly string[];
  /** Names of fields; undefined for all of them. */
  readonly fields: readonly string[] | undefined;
  /** Paths of references whose records are to be shown beside; undefined for none. */
  readonly expand?: readonly string[] | undefined;
  readonly limit: number | undefined;
  readonly cursor: string | undefined;
  /** Undefined where nothing was said. */
  readonly count: boolean | undefined;
  /** Whether to say how it was found; an administrator's. */
  readonly explain: boolean;
  /** Whether all records may be looked at; an administrator's. */
  readonly scan: boolean;
  /** By whose rights it is run; an administrator's, of what is explained. */
  readonly as: AskedAs | undefined;
  readonly locate: Locate;
}

/** What is asked for, ready to be run. */
export interface RecordQuery {
  /** As it was sent, with its places for the time. */
  readonly filter: Condition<Operand>;
  /** The filter, at the time of its first page: what is asked for stays the same over all of them. */
  readonly condition: Condition<Value>;
  /** When it is run, for rules: what may be seen is what may be seen now. */
  readonly at: Date;
  readonly sort: Sort;
  readonly text?: TextSearch | undefined;
  readonly near?: Near | undefined;
  /**
   * Whether records come in the order of how well they have the words, or of how near they are, and then of their ids: `sort` is
   * the order by id then.
   */
  readonly rank?: 'score' | 'distance' | undefined;
  /** Undefined for all of them. */
  readonly fields: readonly FieldPath[] | undefined;
  /** What is shown beside the records: those that they refer to. */
  readonly expand?: readonly Expansion[] | undefined;
}

/** Fields that one query may name. */
export const maxFields = 50;

/**
 * Parses a filter without what ranks records: all of that of a feed, or of a change by filter, where each record is judged by itself.
 *
 * @param json - undefined for every record
 * @param locate - says where a part of it was sent
 * @returns the filter with its places for the time
 * @throws Fault `invalid-request` naming every fault by its place
 */
export function parseFilter(json: unknown, locate: Locate): Condition<Operand> {
  if (json === undefined) return everything;
  const parsed = parseCondition(json, { now: true, geo: true });
  if (parsed.ok) return parsed.value;
  throw refused(parsed.faults, (pointer) => locate('filter', pointer));
}

/**
 * Parses what was asked for.
 *
 * @param at - when
 * @throws Fault `invalid-request` naming every fault of the first part that is wrong
 */
export function parseRecordQuery(
  { filter, search, sort, fields, locate }: Pick<AskedQuery, 'filter' | 'search' | 'sort' | 'fields' | 'locate'>,
  scalarTypesAt: ScalarTypesAt,
  at: Date,
): RecordQuery {
  const { rest, text, near } = parseRanking({ filter, search }, locate);
  const parsed = parseFilter(rest, locate);
  if (near !== undefined && sort.length > 0) {
    const message = 'Leave it out: what is near comes in the order of its distance.';
    throw refused([{ pointer: '', code: 'invalid-combination', message }], () => locate('sort'));
  }
  const order = parseSort(sort, scalarTypesAt);
  if (!order.ok) throw refused(order.faults, () => locate('sort'));
  const byScore = text !== undefined && sort.length === 0 ? ('score' as const) : undefined;
  return {
    filter: parsed,
    ...(text === undefined ? {} : { text }),
    ...(near === undefined ? {} : { near }),
    rank: near === undefined ? byScore : 'distance',
    condition: bindCondition(parsed, { at }),
    at,
    sort: order.value,
    fields: fields === undefined ? undefined : parseFields(fields, locate),
  };
}

/** A query whose first page was read at another time. */
export const begunAt = (query: RecordQuery, at: Date): RecordQuery => ({
  ...query,
  condition: bindCondition(query.filter, { at }),
});

function parseFields(given: readonly string[], locate: Locate): readonly FieldPath[] {
  const refuse = (code: string, message: string): Error =>
    refused([{ pointer: '', code, message }], () => locate('fields'));
  const names = [...new Set(given)];
  if (names.length > maxFields) throw refuse('too-many-fields', `Name at most ${maxFields} fields.`);
  const paths = names.map((name) => {
    const path = parseFieldPath(name, 'record', '');
    if (!path.ok) throw refuse('invalid-path', path.faults[0]?.message ?? 'Name fields.');
    return path.value;
  });
  const within = names.find((name) => names.some((other) => name.startsWith(`${other}.`)));
  if (within !== undefined) throw refuse('overlapping-fields', `Leave out \`${within}\`: it is part of another one.`);
  return paths;
}

/**
 * All of a query that decides which rows come in which order, and what is shown of them, as JSON: a cursor is good for it
 * however it was sent. The members of an object in a filter stay in their order, which MongoDB tells apart where an object
 * is compared.
 */
export const bindingOf = ({ filter, search, fields, expand, as }: AskedQuery, { sort, rank }: RecordQuery): unknown => [
  'list',
  withSearch(filter ?? {}, search),
  sort.map(({ path, direction }) => [path.text, direction]),
  fields ?? null,
  ...(as === undefined ? [] : [as]),
  ...(expand === undefined ? [] : [{ expand }]),
  ...(rank === undefined ? [] : [rank]),
];

/** The same as the filter that says it. */
const withSearch = (filter: unknown, search: string | undefined): unknown =>
  search === undefined || !isObject(filter) ? filter : { $text: { $search: search }, ...filter };
