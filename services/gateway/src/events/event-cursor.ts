import { faults } from '@causeway/contracts';
import { z } from 'zod';

const shape = z.tuple([z.string(), z.string()]);

/**
 * Where the next page begins.
 *
 * @param correlationId - of the query
 * @param lastId - the last event of this page
 */
export const toCursor = (correlationId: string, lastId: string): string =>
  Buffer.from(JSON.stringify([correlationId, lastId])).toString('base64url');

const parse = (cursor: string): unknown => {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
};

/**
 * The event after which a page begins.
 *
 * @throws Fault `invalid-request` where the cursor is none, or of another query
 */
export const fromCursor = (cursor: string | undefined, correlationId: string): string | undefined => {
  if (cursor === undefined) return undefined;
  const { data } = shape.safeParse(parse(cursor));
  if (data?.[0] === correlationId) return data[1];
  const message = 'This is not a cursor of this query.';
  throw faults.invalidRequest({ errors: [{ parameter: 'cursor', code: 'invalid-cursor', message }] });
};
