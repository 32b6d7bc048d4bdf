import type { LocatedFault, Parsed } from '../conditions/located-fault.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import { fieldsKey, parseFieldPath } from '../conditions/field-path.ts';
import { isObject } from '../conditions/plain-value.ts';
import type { IndexDefinition, KeyKind } from './collection.model.ts';
import { parsePartialFilter } from './partial-filter.ts';

const maxKeys = 8;
/**
 * Of a field of a text index. The weights of a word's places in a record add up, to 10^9 at most (`MAX_WEIGHT` in MongoDB's
 * `fts_util.h`), and an array may hold it 100,000 times.
 */
const maxWeight = 1_000;

type Keys = IndexDefinition['keys'];

/** Languages whose words MongoDB knows: https://www.mongodb.com/docs/manual/reference/text-search-languages/ */
const languages: ReadonlySet<unknown> = new Set([
  ...['danish', 'dutch', 'english', 'finnish', 'french', 'german', 'hungarian', 'italian', 'norwegian', 'portuguese'],
  ...['romanian', 'russian', 'spanish', 'swedish', 'turkish'],
]);
/** Words as they are. */
const noLanguage = 'none';

const kinds: ReadonlySet<unknown> = new Set<KeyKind>([1, -1, 'text', '2dsphere']);

/** Whether an index is one of words. */
export const isTextIndex = (keys: Keys): boolean => Object.values(keys).includes('text');

/** The fields of an index that hold places on the globe. */
export const geoPathsOf = ({ keys }: Pick<IndexDefinition, 'keys'>): string[] =>
  Object.entries(keys).flatMap(([path, kind]) => (kind === '2dsphere' ? [path] : []));

/** Those of an index of all records: it has each of their values checked. */
export const wholeGeoPathsOf = (index: Pick<IndexDefinition, 'keys' | 'where'>): string[] =>
  index.where === undefined ? geoPathsOf(index) : [];

/**
 * Parses one index of a definition.
 *
 * @param json - `{keys, unique?, where?, weights?, language?}`
 * @param pointer - where it stands, for the faults
 * @returns the index; what is the default is left out
 */
export function parseIndex(json: unknown, pointer: string): Parsed<IndexDefinition> {
  const given: Readonly<Record<string, unknown>> = isObject(json) ? json : {};
  const { keys, unique, where, weights, language, ...rest } = given;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) {
    const message = 'An index has keys, unique, where, weights and language.';
    return { ok: false, faults: [{ pointer: pointerTo(pointer, unknown), code: 'unknown-field', message }] };
  }
  const parsed = parseKeys(keys, pointerTo(pointer, 'keys'));
  if (!parsed.ok) return parsed;
  const filter = where === undefined ? undefined : parsePartialFilter(where, pointerTo(pointer, 'where'));
  const faults = [
    ...checkUnique(unique, parsed.value, pointerTo(pointer, 'unique')),
    ...(filter === undefined || filter.ok ? [] : filter.faults),
    ...checkWhere(where, parsed.value, pointerTo(pointer, 'where')),
    ...checkWeights(weights, parsed.value, pointerTo(pointer, 'weights')),
    ...checkLanguage(language, parsed.value, pointerTo(pointer, 'language')),
  ];
  if (faults.length > 0) return { ok: false, faults };
  const value: IndexDefinition = {
    keys: parsed.value,
    ...(unique === true ? { unique } : {}),
    ...(isObject(where) ? { where } : {}),
    ...(isObject(weights) ? { weights: weights as Readonly<Record<string, number>> } : {}),
    ...(typeof language === 'string' && language !== noLanguage ? { language } : {}),
  };
  return { ok: true, value };
}

function parseKeys(json: unknown, pointer: string): Parsed<Keys> {
  const entries = isObject(json) ? Object.entries(json) : [];
  if (entries.length === 0 || entries.length > maxKeys) {
    const message = `Give an object of 1 to ${maxKeys} fields, each 1 or -1, "text" or "2dsphere".`;
    return { ok: false, faults: [fault(pointer, message)] };
  }
  const faults = entries.flatMap(([name, kind]) => checkKey(name, kind, pointerTo(pointer, name)));
  if (faults.length > 0) return { ok: false, faults };
  const keys = Object.fromEntries(entries) as Keys;
  const mixed = checkKinds(keys, pointer);
  return mixed.length > 0 ? { ok: false, faults: mixed } : { ok: true, value: keys };
}

function checkKey(name: string, kind: unknown, pointer: string): LocatedFault[] {
  const path = parseFieldPath(name, 'record', pointer);
  if (!path.ok) return path.faults;
  // MongoDB would refuse every record in which such a part could mean a field and a place in an array.
  if (path.value.segments.some((segment) => /^\d+$/.test(segment))) {
    return [{ pointer, code: 'invalid-path', message: 'Index fields by name, not by their place in an array.' }];
  }
  if (!kinds.has(kind)) {
    return [fault(pointer, 'Give 1 for rising order, -1 for falling, "text" for words, "2dsphere" for places.')];
  }
  const isOwn = path.value.segments[0] !== fieldsKey;
  return isOwn && typeof kind === 'string'
    ? [fault(pointer, `Give 1 or -1: \`${name}\` is kept by the service, and holds neither words nor places.`)]
    : [];
}

/** What MongoDB takes beside each other in one index. */
function checkKinds(keys: Keys, pointer: string): LocatedFault[] {
  const values = Object.values(keys);
  if (values.includes('text') && !values.every((kind) => kind === 'text')) {
    return [fault(pointer, 'Give fields with "text" an index of their own.')];
  }
  return values.filter((kind) => kind === '2dsphere').length > 1
    ? [fault(pointer, 'Give each field with "2dsphere" an index of its own.')]
    : [];
}

function checkUnique(unique: unknown, keys: Keys, pointer: string): LocatedFault[] {
  if (unique === undefined || unique === false) return [];
  if (unique !== true) return [fault(pointer, 'Give true or false.')];
  return Object.values(keys).every((kind) => typeof kind === 'number')
    ? []
    : [fault(pointer, 'Leave it out: neither words nor places can be unique.')];
}

/** An id is indexed of every record, whoever asks. */
function checkWhere(where: unknown, keys: Keys, pointer: string): LocatedFault[] {
  return where !== undefined && Object.keys(keys).join() === 'id'
    ? [fault(pointer, 'Leave it out: the index by `id` holds every record.')]
    : [];
}

function checkWeights(weights: unknown, keys: Keys, pointer: string): LocatedFault[] {
  if (weights === undefined) return [];
  if (!isTextIndex(keys)) return [fault(pointer, 'Give weights to the fields of a text index only.')];
  if (!isObject(weights) || Object.keys(weights).length === 0) {
    return [fault(pointer, 'Give an object of fields and how much a word in each counts.')];
  }
  return Object.entries(weights).flatMap(([name, weight]) => {
    const at = pointerTo(pointer, name);
    if (!Object.hasOwn(keys, name)) return [fault(at, 'Give weights to fields that the index has.')];
    const isWeight = Number.isInteger(weight) && Number(weight) >= 1 && Number(weight) <= maxWeight;
    return isWeight ? [] : [fault(at, `Give a whole number from 1 to ${maxWeight}.`)];
  });
}

function checkLanguage(language: unknown, keys: Keys, pointer: string): LocatedFault[] {
  if (language === undefined) return [];
  if (!isTextIndex(keys)) return [fault(pointer, 'Give a language to a text index only.')];
  return language === noLanguage || languages.has(language)
    ? []
    : [fault(pointer, `Give one of ${noLanguage}, ${[...languages].join(', ')}.`)];
}

const fault = (pointer: string, message: string): LocatedFault => ({ pointer, code: 'invalid-index', message });
