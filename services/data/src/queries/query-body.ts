import { z } from 'zod';

import { expandDescription } from '../expand/expand-parameter.ts';
import type { AskedQuery, Locate } from './asked-query.ts';

/** The body of a query: what the parameters of a list say, as JSON. */
export const queryBody = z.strictObject({
  filter: z.record(z.string(), z.unknown()).optional().describe('A condition in MongoDB’s query form.'),
  search: z
    .string()
    .optional()
    .describe('Words to look for: any of them, a "phrase", none after a -; the best first, unless `sort` is given.'),
  sort: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .describe('Fields, in a list or separated by commas; - before one for falling order.'),
  limit: z.int().min(1).max(200).optional().describe('Records on a page; 20 by default.'),
  cursor: z.string().max(4_096).optional().describe('`nextCursor` of the page before.'),
  fields: z.array(z.string()).min(1).optional().describe('Fields to answer with.'),
  expand: z.array(z.string()).min(1).optional().describe(expandDescription),
  count: z.boolean().optional().describe('Whether to count what the whole query finds.'),
  explain: z.boolean().optional().describe('Whether to say by which index, and at what cost; for administrators.'),
  scan: z.enum(['allow']).optional().describe('Lets a query look at all records; for administrators.'),
  as: z
    .strictObject({
      sub: z.string().max(256).optional(),
      roles: z.array(z.string().max(64)).max(50).optional(),
      org: z.string().max(256).optional(),
    })
    .optional()
    .describe('Beside `explain`: by whose rights the query is run; without `sub`, nobody’s who is signed in.'),
});

/** A query as it was sent. */
export type QueryBody = z.output<typeof queryBody>;

const inBody: Locate = (part, pointer = '') => ({ pointer: `/${part}${pointer}` });

/** What a body asks for. */
export const askedByBody = ({
  filter,
  search,
  sort = [],
  fields,
  expand,
  limit,
  cursor,
  count,
  explain = false,
  scan,
  as,
}: QueryBody): AskedQuery => ({
  filter,
  search,
  sort: typeof sort === 'string' ? (sort === '' ? [] : sort.split(',')) : sort,
  fields,
  expand,
  limit,
  cursor,
  count,
  explain,
  scan: scan !== undefined,
  as,
  locate: inBody,
});
