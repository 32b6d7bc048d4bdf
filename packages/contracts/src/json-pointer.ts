/** RFC 6901 §3. */
const escapeToken = (token: string): string => token.replaceAll('~', '~0').replaceAll('/', '~1');

/**
 * A JSON pointer (RFC 6901); `''` is the whole.
 *
 * @param path - keys and indexes from the root
 */
export const jsonPointer = (path: readonly PropertyKey[]): string =>
  path.map((token) => `/${escapeToken(String(token))}`).join('');
