import type { LocatedFault, Parsed } from '../conditions/located-fault.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import { parseFieldPath } from '../conditions/field-path.ts';
import type { IndexDefinition } from './collection.model.ts';

const maxIndexes = 20;
const maxKeys = 8;

/**
 * Parses the `indexes` of a definition.
 *
 * @param json - An array of `{keys, unique?}`.
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
  const twice = indexes.findIndex((each, at) => indexes.findIndex((other) => sameKeys(each, other)) !== at);
  if (twice === -1) return { ok: true, value: indexes };
  return refused(pointerTo(pointer, twice), 'duplicate-index', 'Give each index once.');
}

const sameKeys = (a: IndexDefinition, b: IndexDefinition): boolean => JSON.stringify(a.keys) === JSON.stringify(b.keys);

function parseIndex(json: unknown, pointer: string): Parsed<IndexDefinition> {
  const isObject = typeof json === 'object' && json !== null && !Array.isArray(json);
  const { keys, unique, ...rest } = (isObject ? json : {}) as Readonly<Record<string, unknown>>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined)
    return refused(pointerTo(pointer, unknown), 'unknown-field', 'An index has keys and unique.');
  if (unique !== undefined && typeof unique !== 'boolean') {
    return refused(pointerTo(pointer, 'unique'), 'invalid-index', 'Give true or false.');
  }
  const at = pointerTo(pointer, 'keys');
  const entries = typeof keys === 'object' && keys !== null && !Array.isArray(keys) ? Object.entries(keys) : [];
  if (entries.length === 0 || entries.length > maxKeys) {
    return refused(at, 'invalid-index', `Give an object of 1 to ${maxKeys} fields, each 1 or -1.`);
  }
  const faulty = entries.flatMap(([name, direction]) => checkKey(name, direction, pointerTo(at, name)));
  if (faulty.length > 0) return { ok: false, faults: faulty };
  const checked = Object.fromEntries(entries) as Readonly<Record<string, 1 | -1>>;
  return { ok: true, value: { keys: checked, ...(unique === true ? { unique } : {}) } };
}

function checkKey(name: string, direction: unknown, pointer: string): LocatedFault[] {
  const path = parseFieldPath(name, 'record', pointer);
  if (!path.ok) return path.faults;
  // MongoDB would refuse every record in which such a part could mean a field and a place in an array.
  if (path.value.segments.some((segment) => /^\d+$/.test(segment))) {
    return [{ pointer, code: 'invalid-path', message: 'Index fields by name, not by their place in an array.' }];
  }
  return direction === 1 || direction === -1
    ? []
    : [{ pointer, code: 'invalid-index', message: 'Give 1 for rising order, -1 for falling.' }];
}

function refused(pointer: string, code: string, message: string): { ok: false; faults: LocatedFault[] } {
  return { ok: false, faults: [{ pointer, code, message }] };
}
