import type { Collection } from '../collections/collection-registry.ts';
import type { FieldPath } from '../conditions/field-path.ts';
import { fieldsKey, parseFieldPath } from '../conditions/field-path.ts';
import { refused } from '../queries/refuse-query.ts';
import { referencesIn } from '../references/declared-references.ts';

/** What is known of something that a stage names. */
export interface Named {
  readonly path: FieldPath;
  /** Whether it is no array and no object. */
  readonly isScalar: boolean;
  /** Whether it is what `addToSet` has gathered: bounded when it is answered, it is not put together again. */
  readonly isSet?: true;
  /** The id of the collection whose records' ids it holds. */
  readonly target: string | undefined;
}

/** What the rows are, and what of them a stage may name. */
export interface Scope {
  readonly of: 'records' | 'groups';
  /** @throws Fault `invalid-request` */
  resolve(text: unknown, pointer: string): Named;
}

/** What is known of a field of groups. */
export type KnownName = Omit<Named, 'path'>;

/** The fault of one thing that is wrong with an aggregate. */
export const refusal = (pointer: string, code: string, message: string): Error =>
  refused([{ pointer, code, message }], (at) => ({ pointer: at }));

/** @throws Fault `invalid-request` */
export function parsePath(text: unknown, pointer: string): FieldPath {
  if (typeof text !== 'string') throw refusal(pointer, 'invalid-path', 'Give the name of a field as text.');
  const parsed = parseFieldPath(text, 'record', pointer);
  if (!parsed.ok) throw refused(parsed.faults, (at) => ({ pointer: at }));
  return parsed.value;
}

/**
 * Parses a name that a stage gives to something.
 *
 * @throws Fault `invalid-request`
 */
export function parseName(text: string, pointer: string): string {
  const path = parsePath(text, pointer);
  if (path.segments.length === 2 && path.segments[0] === fieldsKey) return text;
  throw refusal(pointer, 'invalid-name', 'Give a name without a `.`, and none of those that the service keeps.');
}

/** Records, by the fields that they have. */
export function scopeOfRecords({
  id,
  fields,
  scalarTypesAt,
}: Pick<Collection, 'id' | 'fields' | 'scalarTypesAt'>): Scope {
  const references = new Map(referencesIn(id, fields).map(({ storage, target }) => [storage, target]));
  return {
    of: 'records',
    resolve(text, pointer) {
      const path = parsePath(text, pointer);
      const [, ...within] = path.segments;
      const isScalar = within.length === 0 || scalarTypesAt(within) !== undefined;
      // To a filter `tags.0` is the first of a list; to what puts records together it would be a member of that name, which no list has.
      if (!isScalar && within.some((segment) => /^\d+$/.test(segment))) {
        throw refusal(pointer, 'invalid-path', `Name a field: \`${path.text}\` is a place in a list, or not declared.`);
      }
      return { path, isScalar, target: references.get(path.storage) };
    },
  };
}

/** Groups, by the names that were given; they are kept as a record's fields are. */
export function scopeOfGroups(names: ReadonlyMap<string, KnownName>): Scope {
  return {
    of: 'groups',
    resolve(text, pointer) {
      const path = parsePath(text, pointer);
      const known = path.segments[0] === fieldsKey ? names.get(path.text) : undefined;
      if (known === undefined) throw unknownName(path.text, names.keys(), pointer);
      return { ...known, path };
    },
  };
}

/** Something is named that groups do not have. */
export const unknownName = (text: string, names: Iterable<string>, pointer: string): Error =>
  refusal(
    pointer,
    'unknown-name',
    `Name what the group before gives: ${[...names].map((name) => `\`${name}\``).join(', ')}; \`${text}\` is none of it.`,
  );
