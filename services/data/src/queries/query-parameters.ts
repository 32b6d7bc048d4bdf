import { faults } from '@causeway/contracts';
import { z } from 'zod';

import { expandParameter } from '../expand/expand-parameter.ts';
import type { AskedQuery, Locate } from './asked-query.ts';

const maxFilterLength = 16_384;

/** A filter as an address has it: JSON text. */
export const filterText = z.string().max(maxFilterLength);

/** The parameter `filter`, where it may be left out. */
export const filterParameter = filterText.optional();

/** The parameters that say what is asked for. */
export const queryParameters = z.strictObject({
  filter: filterParameter.describe('A condition in MongoDB’s query form, as JSON.'),
  search: z
    .string()
    .max(4_096)
    .optional()
    .describe('Words to look for: any of them, a "phrase", none after a -; the best first, unless `sort` is given.'),
  sort: z.string().max(1_024).optional().describe('Fields, separated by commas; - before one for falling order.'),
  limit: z.coerce.number().int().min(1).max(200).optional().describe('Records on a page; 20 by default.'),
  cursor: z.string().max(4_096).optional().describe('`nextCursor` of the page before.'),
  fields: z.string().max(4_096).optional().describe('Fields to answer with, separated by commas.'),
  expand: expandParameter,
  count: z.enum(['true', 'false']).optional().describe('Whether to count what the whole query finds.'),
  explain: z
    .enum(['true', 'false'])
    .optional()
    .describe('Whether to say by which index, and at what cost; for administrators.'),
  scan: z.enum(['allow']).optional().describe('Lets a query look at all records; for administrators.'),
});

/** What the parameters say, as sent. */
export type QueryParameters = z.output<typeof queryParameters>;

/** A filter is told by its parameter and the place within it. */
export const inParameters: Locate = (parameter, pointer) => ({
  parameter,
  ...(pointer === undefined ? {} : { pointer }),
});

/**
 * Reads the parameter `filter`.
 *
 * @param text - JSON; undefined for every record
 * @throws Fault `invalid-request` where it is no JSON
 */
export function filterOf(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw faults.invalidRequest({
      errors: [{ ...inParameters('filter'), code: 'malformed-json', message: 'Give the filter as JSON.' }],
    });
  }
}

/**
 * What the parameters ask for.
 *
 * @throws Fault `invalid-request` where the filter is no JSON
 */
export const askedByParameters = ({
  filter,
  search,
  sort,
  fields,
  expand,
  limit,
  cursor,
  count,
  explain,
  scan,
}: QueryParameters): AskedQuery => ({
  filter: filterOf(filter),
  search,
  sort: sort === undefined || sort === '' ? [] : sort.split(','),
  fields: fields?.split(','),
  expand: expand?.split(','),
  limit,
  cursor,
  count: count === undefined ? undefined : count === 'true',
  explain: explain === 'true',
  scan: scan !== undefined,
  as: undefined,
  locate: inParameters,
});
