import { faults } from '@causeway/contracts';
import type { FaultLocation } from '@causeway/contracts';
import { z } from 'zod';

import { bindCondition } from '../conditions/bind-condition.ts';
import type { Condition, Value } from '../conditions/condition.ts';
import type { FieldPath } from '../conditions/field-path.ts';
import { parseFieldPath } from '../conditions/field-path.ts';
import { parseCondition } from '../conditions/parse-condition.ts';
import type { ScalarTypesAt, Sort } from '../sorting/sort.ts';
import { parseSort } from '../sorting/sort.ts';

const maxFilterLength = 16_384;
const maxFields = 50;

/** The parameter `filter`: JSON text. */
export const filterParameter = z.string().max(maxFilterLength).optional();

/** The parameters that say what is asked for. */
export const queryParameters = z.strictObject({
  filter: filterParameter.describe('A condition in MongoDB’s query form, as JSON.'),
  sort: z.string().max(1_024).optional().describe('Fields, separated by commas; - before one for falling order.'),
  limit: z.coerce.number().int().min(1).max(200).optional().describe('Records on a page; 20 by default.'),
  cursor: z.string().max(4_096).optional().describe('`nextCursor` of the page before.'),
  fields: z.string().max(4_096).optional().describe('Fields to answer with, separated by commas.'),
  count: z.enum(['true', 'false']).optional().describe('Whether to count what the whole query finds.'),
});

/** What the parameters say, as sent. */
export type QueryParameters = z.output<typeof queryParameters>;

/** What is asked for. */
export interface RecordQuery {
  readonly condition: Condition<Value>;
  readonly sort: Sort;
  /** Undefined for all of them. */
  readonly fields: readonly FieldPath[] | undefined;
}

/**
 * Parses the parameter `filter`.
 *
 * @param text - JSON; undefined for every record
 * @throws Fault `invalid-request` naming every fault by its pointer into the filter
 */
export function parseFilter(text: string | undefined): Condition<Value> {
  if (text === undefined) return { kind: 'and', branches: [] };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw faults.invalidRequest({
      errors: [{ parameter: 'filter', code: 'malformed-json', message: 'Give the filter as JSON.' }],
    });
  }
  const parsed = parseCondition(json, { auth: false });
  if (parsed.ok) return bindCondition(parsed.value, {});
  const errors = parsed.faults.slice(0, 50).map((fault) => ({ parameter: 'filter', ...fault }));
  throw faults.invalidRequest({ errors });
}

/**
 * Parses the parameters of a list or an export.
 *
 * @throws Fault `invalid-request` naming every parameter that is wrong
 */
export function parseRecordQuery(
  { filter, sort, fields }: Pick<QueryParameters, 'filter' | 'sort' | 'fields'>,
  scalarTypesAt: ScalarTypesAt,
): RecordQuery {
  const condition = parseFilter(filter);
  const order = parseSort(sort ?? '', scalarTypesAt);
  if (!order.ok) {
    throw faults.invalidRequest({
      errors: order.faults.map(({ code, message }): FaultLocation => ({ parameter: 'sort', code, message })),
    });
  }
  return { condition, sort: order.value, fields: fields === undefined ? undefined : parseFields(fields) };
}

function parseFields(text: string): readonly FieldPath[] {
  const refused = (code: string, message: string): Error =>
    faults.invalidRequest({ errors: [{ parameter: 'fields', code, message }] });
  const names = [...new Set(text.split(','))];
  if (names.length > maxFields) throw refused('too-many-fields', `Name at most ${maxFields} fields.`);
  const paths = names.map((name) => {
    const path = parseFieldPath(name, 'record', '');
    if (!path.ok) throw refused('invalid-path', path.faults[0]?.message ?? 'Name fields.');
    return path.value;
  });
  const within = names.find((name) => names.some((other) => name.startsWith(`${other}.`)));
  if (within !== undefined) throw refused('overlapping-fields', `Leave out \`${within}\`: it is part of another one.`);
  return paths;
}
