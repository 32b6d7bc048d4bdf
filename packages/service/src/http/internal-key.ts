import { timingSafeEqual } from 'node:crypto';

/** The header by which the services of one installation know each other. */
export const internalKeyHeader = 'causeway-internal';

/**
 * Compares what a caller sent with the installation's key, in a time that does not depend on where they differ.
 *
 * @param key - of the installation
 * @returns whether the header is that key
 */
export const internalKeyCheck = (key: string): ((header: string | string[] | undefined) => boolean) => {
  const expected = Buffer.from(key);
  return (header) => {
    if (typeof header !== 'string') return false;
    const given = Buffer.from(header);
    return given.length === expected.length && timingSafeEqual(given, expected);
  };
};
