import type { LocatedFault, Parsed } from '../conditions/located-fault.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import type { IndexDefinition } from './collection.model.ts';
import { describeIndex } from './describe-index.ts';
import { isTextIndex, parseIndex } from './parse-index.ts';

const maxIndexes = 20;

/**
 * Parses the `indexes` of a definition.
 *
 * @param json - An array of `{keys, unique?, where?, weights?, language?}`.
 * @param pointer - Where it stands, for the faults.
 */
export function parseIndexes(json: unknown, pointer: string): Parsed<readonly IndexDefinition[]> {
  if (!Array.isArray(json) || json.length > maxIndexes) {
    return refused(pointer, 'invalid-indexes', `Give an array of at most ${maxIndexes} indexes.`);
  }
  const parsed = json.map((each: unknown, index) => parseIndex(each, pointerTo(pointer, index)));
  const faulty = parsed.flatMap((each) => (each.ok ? [] : each.faults));
  if (faulty.length > 0) return { ok: false, faults: faulty };
  const indexes = parsed.flatMap((each) => (each.ok ? [each.value] : []));
  const texts = indexes.flatMap(({ keys }, at) => (isTextIndex(keys) ? [at] : []));
  if (texts[1] !== undefined) {
    const message = 'MongoDB has one text index a collection: give all fields to one.';
    return refused(pointerTo(pointer, texts[1]), 'duplicate-index', message);
  }
  const signatures = indexes.map(signatureOf);
  const twice = signatures.findIndex((each, at) => signatures.indexOf(each) !== at);
  if (twice === -1) return { ok: true, value: indexes };
  return refused(pointerTo(pointer, twice), 'duplicate-index', 'Give each index once.');
}

/** What may be there once: the keys as they are written, and what leaves records out. */
const signatureOf = (index: IndexDefinition): string =>
  JSON.stringify([index.keys, describeIndex(index).partialFilterExpression]);

function refused(pointer: string, code: string, message: string): { ok: false; faults: LocatedFault[] } {
  return { ok: false, faults: [{ pointer, code, message }] };
}
