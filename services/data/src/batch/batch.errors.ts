import { defineFault, Fault } from '@causeway/contracts';

/** A batch asks for more than goes into one transaction. */
export const batchTooLarge = defineFault({
  code: 'batch-too-large',
  category: 'payload-too-large',
  title: 'The batch is too large',
  description:
    'A batch is one transaction: at most 1,000 operations over 20 collections, 50 of them on one record, 8 MiB of records, and references to 5,000 others. Send several batches, or import records as NDJSON where each may stand or fall by itself.',
});

/** A batch took longer than a transaction may stay open. */
export const batchTooSlow = defineFault({
  code: 'batch-too-slow',
  category: 'timeout',
  title: 'The batch took too long',
  description:
    'A batch has 5 seconds, for as long it keeps others from the records that it writes. Nothing of it was done, unless its time was up while it was being committed: repeat it with the same Idempotency-Key. Send fewer operations at once.',
});

/**
 * What is wrong with one operation, as the batch is answered: which one it was, and where in it.
 *
 * @param error - anything that was thrown; what is no fault of the caller's stays as it is
 * @param index - of the operation
 * @param member - the member of the operation that the fault's own pointers lead into; '' for the operation itself
 */
export function faultOfOperation(error: unknown, index: number, member: string): unknown {
  if (!(error instanceof Fault) || error.extensions.operation !== undefined) return error;
  const at = `/operations/${index}`;
  const errors = error.errors.map((each) => ({
    ...each,
    ...(each.pointer !== undefined && { pointer: `${at}${member === '' ? '' : `/${member}`}${each.pointer}` }),
  }));
  return new Fault(error.declaration, {
    ...(error.detail !== undefined && { detail: error.detail }),
    errors,
    ...(error.retryAfterS !== undefined && { retryAfterS: error.retryAfterS }),
    headers: error.headers,
    extensions: { ...error.extensions, operation: index },
    message: error.message,
    cause: error,
  });
}
