import { defineFault } from '@causeway/contracts';

/** The key has been used before, with another body. */
export const idempotencyKeyReused = defineFault({
  code: 'idempotency-key-reused',
  category: 'unprocessable',
  title: 'This Idempotency-Key was used with another body',
  description:
    'An Idempotency-Key stands for one call with one body for 24 hours. Repeat that call unchanged, or send a new key for a new one.',
});

/** The first call with this key has not ended yet. */
export const idempotencyKeyInUse = defineFault({
  code: 'idempotency-key-in-use',
  category: 'conflict',
  title: 'The first call with this Idempotency-Key is still running',
  description:
    'Wait for the number of seconds in Retry-After and repeat the call: it then gets the answer of the first.',
});

/** What calls that take an `Idempotency-Key` may answer, for their documentation. */
export const idempotencyFaults = [idempotencyKeyReused, idempotencyKeyInUse] as const;
