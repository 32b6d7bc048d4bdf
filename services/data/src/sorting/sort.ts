import type { Document } from 'mongodb';
import type { LocatedFault, Parsed } from '../conditions/located-fault.ts';
import type { FieldPath } from '../conditions/field-path.ts';
import { parseFieldPath } from '../conditions/field-path.ts';

/** Types of values that a sort field may have; a time is a type of its own. */
export type ScalarType = 'number' | 'string' | 'boolean' | 'time';

/** One field of an order. */
export interface SortField {
  readonly path: FieldPath;
  readonly direction: 1 | -1;
  /** What the field may hold, null and nothing apart, which it may always hold. */
  readonly types: ReadonlySet<ScalarType>;
}

/** A total order of records: the last field is always `id`. */
export type Sort = readonly SortField[];

/** A row's values under a sort, as JSON: a time in milliseconds since 1970, null for what is missing. */
export type SortKey = readonly (null | boolean | number | string)[];

/**
 * Says which scalar types the schema allows at a path, null apart.
 *
 * @param segments - A path below a record's fields.
 * @returns Undefined where the schema does not rule out arrays and objects.
 */
export type ScalarTypesAt = (segments: readonly string[]) => ReadonlySet<ScalarType> | undefined;

const maxFields = 4;

const systemTypes: ReadonlyMap<string, ReadonlySet<ScalarType>> = new Map<string, ReadonlySet<ScalarType>>([
  ['_id', new Set(['string'])],
  ['revision', new Set(['number'])],
  ['createdAt', new Set(['time'])],
  ['updatedAt', new Set(['time'])],
  ['createdBy', new Set(['string'])],
  ['updatedBy', new Set(['string'])],
]);

/**
 * Parses an order, such as `-score`, `title`. `id` is added at the end, in the direction of the field before it, so that
 * an index on that field and `_id` serves both directions.
 *
 * A field is refused unless the schema makes it a scalar: MongoDB sorts an array by its least or greatest element, and
 * no condition on the array's elements says "after this row", so that pages would lose rows or repeat them.
 *
 * @param terms - Names of fields, `-` before one for falling order; none for the order by `id`.
 * @param scalarTypesAt - What the collection's schema says.
 */
export function parseSort(terms: readonly string[], scalarTypesAt: ScalarTypesAt): Parsed<Sort> {
  if (terms.length > maxFields) return refused('too-many-fields', `Sort by at most ${maxFields} fields.`);
  const parsed = terms.map((term) => parseTerm(term, scalarTypesAt));
  const faults = parsed.flatMap((term) => (term.ok ? [] : term.faults));
  if (faults.length > 0) return { ok: false, faults };
  const fields = parsed.flatMap((term) => (term.ok ? [term.value] : []));
  if (new Set(fields.map((field) => field.path.storage)).size < fields.length) {
    return refused('duplicate-field', 'Name each field once.');
  }
  const id = fields.findIndex((field) => field.path.storage === '_id');
  // No two records share an id: what comes after it orders nothing.
  if (id !== -1) return { ok: true, value: fields.slice(0, id + 1) };
  const tieBreak = parseTerm(fields.at(-1)?.direction === -1 ? '-id' : 'id', scalarTypesAt);
  return tieBreak.ok ? { ok: true, value: [...fields, tieBreak.value] } : tieBreak;
}

function parseTerm(term: string, scalarTypesAt: ScalarTypesAt): Parsed<SortField> {
  const direction = term.startsWith('-') ? -1 : 1;
  const path = parseFieldPath(direction === -1 ? term.slice(1) : term, 'record', '');
  if (!path.ok) return path;
  const { segments } = path.value;
  const types = segments.length === 1 ? systemTypes.get(path.value.storage) : scalarTypesAt(segments.slice(1));
  if (types === undefined) {
    const advice = 'Sort by fields to which the schema gives the type number, integer, string or boolean';
    return refused('unsortable-field', `${advice}: \`${path.value.text}\` may hold an array or an object.`);
  }
  return { ok: true, value: { path: path.value, direction, types } };
}

function refused(code: string, message: string): { ok: false; faults: LocatedFault[] } {
  return { ok: false, faults: [{ pointer: '', code, message }] };
}

/** The order as MongoDB's `sort`. */
export function compileSort(sort: Sort): Document {
  return Object.fromEntries(sort.map((field) => [field.path.storage, field.direction]));
}

/**
 * A stored document's values under a sort, for a cursor.
 *
 * @param document - As the driver gives it.
 */
export function sortKeyOf(sort: Sort, document: object): SortKey {
  return sort.map(({ path }) => {
    let value: unknown = document;
    for (const segment of path.segments) {
      const isObject = typeof value === 'object' && value !== null && Object.hasOwn(value, segment);
      value = isObject ? (value as Readonly<Record<string, unknown>>)[segment] : undefined;
    }
    if (value instanceof Date) return value.getTime();
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
  });
}
