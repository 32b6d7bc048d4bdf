import { z } from 'zod';

import { filterOf, filterText } from '../queries/query-parameters.ts';

/** Records that one call writes where nothing is said, and at most. */
const defaultLimit = 1_000;
const mostLimit = 10_000;

/** The parameters that say which records are to be written, and how. */
export const manyParameters = z.strictObject({
  filter: filterText.describe('A condition in MongoDB’s query form, as JSON; `{}` for every record.'),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(mostLimit)
    .optional()
    .describe('Records that may match, 1,000 by default; where more do, nothing is done.'),
  dryRun: z.enum(['true', 'false']).optional().describe('Whether only to say what would be done.'),
  partial: z.enum(['true', 'false']).optional().describe('Whether to write some where more match than the limit says.'),
  cursor: z
    .string()
    .max(4_096)
    .optional()
    .describe('`nextCursor` of the call before: goes on behind what it has done.'),
  scan: z.enum(['allow']).optional().describe('Lets the filter look at all records; for administrators.'),
});

/** Which records somebody wants to have written. */
export interface AskedMany {
  /** A condition as JSON. */
  readonly filter: unknown;
  readonly limit: number;
  readonly dryRun: boolean;
  /** Whether some of more are written. */
  readonly partial: boolean;
  readonly cursor: string | undefined;
  /** Whether all records may be looked at; an administrator's. */
  readonly scan: boolean;
}

/**
 * What the parameters ask for.
 *
 * @throws Fault `invalid-request` where the filter is no JSON
 */
export const askedMany = ({
  filter,
  limit = defaultLimit,
  dryRun,
  partial,
  cursor,
  scan,
}: z.output<typeof manyParameters>): AskedMany => ({
  filter: filterOf(filter),
  limit,
  dryRun: dryRun === 'true',
  partial: partial === 'true',
  cursor,
  scan: scan !== undefined,
});
