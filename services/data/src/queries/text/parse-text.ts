import type { LocatedFault, Parsed } from '../../conditions/located-fault.ts';
import { pointerTo } from '../../conditions/located-fault.ts';
import { isObject } from '../../conditions/plain-value.ts';

const maxLength = 500;
/** Each is looked for in the index by itself. */
const maxWords = 32;

const word = /[\p{L}\p{N}][\p{L}\p{N}\p{M}_]*/gu;
/** A word or phrase after a `-` that stands at its beginning: records with it are left out. */
const leftOut = /(?<=^|\s)-(?:"[^"]*"|\S+)/gu;

/**
 * Parses what `$text` is given: `{"$search": "words"}`.
 *
 * @param json - as `JSON.parse` gave it
 * @param pointer - where it stands, for the faults
 * @returns the words
 */
export function parseText(json: unknown, pointer: string): Parsed<string> {
  if (!isObject(json) || !Object.hasOwn(json, '$search')) {
    return refused(pointer, 'Give $text {"$search": "words"}.');
  }
  const { $search, ...rest } = json;
  const [other] = Object.keys(rest);
  if (other !== undefined) {
    return refused(
      pointerTo(pointer, other),
      'Leave it out: $text takes $search alone, and the index has its language.',
    );
  }
  return parseSearch($search, pointerTo(pointer, '$search'));
}

/**
 * Parses words to look for, in MongoDB's form: any of them, all of a phrase in quotation marks, none after a `-`.
 *
 * @param text - as it was sent
 * @param pointer - where it stands, for the faults
 */
export function parseSearch(text: unknown, pointer: string): Parsed<string> {
  if (typeof text !== 'string') return refused(pointer, 'Give the words as one text.');
  if (text.length > maxLength) return refused(pointer, `Use at most ${maxLength} characters.`);
  if (!text.isWellFormed() || text.includes('\0')) return refused(pointer, 'Use words that are valid text.');
  const marks = text.split('"').length - 1;
  if (marks % 2 === 1) return refused(pointer, 'Close the phrase with a second quotation mark.');
  if (marks > 2) return refused(pointer, 'Give at most one phrase in quotation marks.');
  if ((text.match(word) ?? []).length > maxWords) return refused(pointer, `Use at most ${maxWords} words.`);
  const wanted = text.replaceAll(leftOut, ' ');
  if (wanted.match(word) === null) {
    return refused(pointer, 'Give a word to look for, of letters or digits: what is left out is not looked for.');
  }
  return { ok: true, value: text };
}

function refused(pointer: string, message: string): { ok: false; faults: LocatedFault[] } {
  return { ok: false, faults: [{ pointer, code: 'invalid-operand', message }] };
}
