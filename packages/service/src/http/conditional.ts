import { faults } from '@causeway/contracts';

/** The revisions that `If-Match` accepts; `*` accepts any that exists. */
export type IfMatch = '*' | readonly number[];

/**
 * The strong entity tag of a revision: only for the full JSON representation (RFC 9110 §8.8.3).
 *
 * @param revision - a positive integer
 */
export const etag = (revision: number): string => `"${revision}"`;

/** One entity tag, `W/` before it if weak (RFC 9110 §8.8.3). */
const entityTag = /\s*(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?:,|$)/y;

interface EntityTag {
  readonly weak: boolean;
  readonly value: string;
}

const parseList = (name: string, header: string): EntityTag[] => {
  const tags: EntityTag[] = [];
  entityTag.lastIndex = 0;
  while (entityTag.lastIndex < header.length) {
    const match = entityTag.exec(header);
    if (match === null) return malformed(name);
    tags.push({ weak: match[1] !== undefined, value: match[2] ?? '' });
  }
  return tags.length === 0 || header.trimEnd().endsWith(',') ? malformed(name) : tags;
};

const malformed = (name: string): never => {
  throw faults.invalidRequest({
    errors: [
      { parameter: name, code: 'malformed', message: `${name} must be * or entity tags in quotes, such as "7", "8".` },
    ],
  });
};

/**
 * Reads `If-Match` (RFC 9110 §13.1.1). A weak tag never matches, nor does a tag that is not a revision of ours: both are
 * left out, so that an empty list means that nothing matches.
 *
 * @param header - as it was sent; undefined where it was not
 * @throws Fault `invalid-request` when it is malformed
 */
export const parseIfMatch = (header: string | undefined): IfMatch | undefined => {
  if (header === undefined) return undefined;
  if (header.trim() === '*') return '*';
  return parseList('If-Match', header)
    .filter((tag) => !tag.weak && /^[1-9]\d{0,15}$/.test(tag.value))
    .map((tag) => Number(tag.value));
};

/**
 * Whether `If-Match` holds.
 *
 * @param ifMatch - what {@link parseIfMatch} gave; without a condition everything matches
 * @param revision - the current one; undefined where there is nothing
 */
export const matches = (ifMatch: IfMatch | undefined, revision: number | undefined): boolean => {
  if (ifMatch === undefined) return true;
  if (revision === undefined) return false;
  return ifMatch === '*' || ifMatch.includes(revision);
};

/**
 * Whether a GET may be answered with 304: `If-None-Match` names the current representation, compared weakly
 * (RFC 9110 §13.1.2).
 *
 * @param header - as it was sent
 * @param current - the entity tag that would be answered, weak or strong
 * @throws Fault `invalid-request` when it is malformed
 */
export const isNotModified = (header: string | undefined, current: string): boolean => {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  const value = current.replace(/^W\//, '').slice(1, -1);
  return parseList('If-None-Match', header).some((tag) => tag.value === value);
};
