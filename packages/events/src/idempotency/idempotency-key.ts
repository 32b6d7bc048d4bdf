import { faults } from '@causeway/contracts';

/** Visible ASCII; quotes are part of the key where a client sends them. */
const form = /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/;

/**
 * Reads the header `Idempotency-Key`.
 *
 * @param header - as Node gives it
 * @returns undefined where it was not sent
 * @throws fault `invalid-request` where it is not 1 to 255 characters of visible ASCII
 */
export function parseIdempotencyKey(header: string | readonly string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header === 'string' && form.test(header)) return header;
  throw faults.invalidRequest({
    errors: [
      {
        parameter: 'Idempotency-Key',
        code: 'malformed',
        message: 'Idempotency-Key must be 1 to 255 visible ASCII characters, such as a UUID.',
      },
    ],
  });
}
