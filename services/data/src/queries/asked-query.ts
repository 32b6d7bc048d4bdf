import { faults } from '@causeway/contracts';
import type { FaultLocation } from '@causeway/contracts';

import { bindCondition } from '../conditions/bind-condition.ts';
import type { Condition, Operand, Value } from '../conditions/condition.ts';
import { everything } from '../conditions/condition.ts';
import type { FieldPath } from '../conditions/field-path.ts';
import { parseFieldPath } from '../conditions/field-path.ts';
import type { LocatedFault } from '../conditions/located-fault.ts';
import { parseCondition } from '../conditions/parse-condition.ts';
import type { ScalarTypesAt, Sort } from '../sorting/sort.ts';
import { parseSort } from '../sorting/sort.ts';

/** Where something was sent: in an address, or in a body. */
export type FaultPlace = Pick<FaultLocation, 'parameter' | 'pointer'>;

/** A part of a query. */
export type QueryPart = 'filter' | 'sort' | 'fields' | 'limit' | 'cursor' | 'count' | 'explain' | 'as';

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
  /** Names of fields, `-` before one for falling order. */
  readonly sort: readonly string[];
  /** Names of fields; undefined for all of them. */
  readonly fields: readonly string[] | undefined;
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
  /** Undefined for all of them. */
  readonly fields: readonly FieldPath[] | undefined;
}

/** Fields that one query may name. */
export const maxFields = 50;
const mostFaults = 50;

/**
 * Parses a filter.
 *
 * @param json - undefined for every record
 * @param locate - says where a part of it was sent
 * @returns the filter with its places for the time
 * @throws Fault `invalid-request` naming every fault by its place
 */
export function parseFilter(json: unknown, locate: Locate): Condition<Operand> {
  if (json === undefined) return everything;
  const parsed = parseCondition(json, { now: true });
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
  { filter, sort, fields, locate }: Pick<AskedQuery, 'filter' | 'sort' | 'fields' | 'locate'>,
  scalarTypesAt: ScalarTypesAt,
  at: Date,
): RecordQuery {
  const parsed = parseFilter(filter, locate);
  const order = parseSort(sort, scalarTypesAt);
  if (!order.ok) throw refused(order.faults, () => locate('sort'));
  return {
    filter: parsed,
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

const refused = (found: readonly LocatedFault[], place: (pointer: string) => FaultPlace): Error =>
  faults.invalidRequest({
    errors: found.slice(0, mostFaults).map(({ pointer, code, message }) => ({ ...place(pointer), code, message })),
  });

/**
 * All of a query that decides which rows come in which order, and what is shown of them, as JSON: a cursor is good for it
 * however it was sent. The members of an object in a filter stay in their order, which MongoDB tells apart where an object
 * is compared.
 */
export const bindingOf = ({ filter, fields, as }: AskedQuery, { sort }: RecordQuery): unknown => [
  'list',
  filter ?? {},
  sort.map(({ path, direction }) => [path.text, direction]),
  fields ?? null,
  ...(as === undefined ? [] : [as]),
];
