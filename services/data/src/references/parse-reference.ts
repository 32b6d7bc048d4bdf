import { isObject } from '../conditions/plain-value.ts';
import type { LocatedFault, Parsed } from '../conditions/located-fault.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import type { DeclaredField, OnDelete } from '../fields/declared-field.ts';
import { ownCollection } from '../fields/declared-field.ts';

const ways: readonly OnDelete[] = ['restrict', 'cascade', 'null'];

/**
 * Parses the `reference` of a field: `{collection, onDelete?}`, with the collection's name replaced by its id (`nameTargets`).
 */
export function parseReference(json: unknown, pointer: string): Parsed<Pick<DeclaredField, 'reference'>> {
  if (!isObject(json)) return refused(pointer, 'Give {"collection": name}.');
  const { collection, onDelete = 'restrict', ...others } = json;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return refused(pointerTo(pointer, unknown), 'A reference has collection and onDelete.');
  if (typeof collection !== 'string' || !(collection === ownCollection || collection.startsWith('col_'))) {
    return refused(pointerTo(pointer, 'collection'), 'Give the name of a collection that is there.');
  }
  const way = ways.find((each) => each === onDelete);
  if (way === undefined) return refused(pointerTo(pointer, 'onDelete'), `Use one of ${ways.join(', ')}.`);
  return { ok: true, value: { reference: { collection, onDelete: way } } };
}

function refused(pointer: string, message: string): { ok: false; faults: LocatedFault[] } {
  return { ok: false, faults: [{ pointer, code: 'invalid-option', message }] };
}
