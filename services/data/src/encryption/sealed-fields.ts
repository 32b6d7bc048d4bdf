import { isContainer } from '../conditions/values-at.ts';
import type { DeclaredField } from '../fields/declared-field.ts';
import { isWithin } from '../fields/is-within.ts';

/** One value of a record, encrypted. */
export interface SealedValue {
  /** Of the field, dotted, as the definition says it. */
  readonly path: string;
  /** What `Vault.seal` gives. */
  readonly text: string;
}

/** What a record holds encrypted: it stands beside its `fields`, so that whoever has not opened it has nothing of it. */
export interface SealedFields {
  /** The version of the collection's key. */
  readonly key: number;
  readonly values: readonly SealedValue[];
}

/** The fields that a definition has stored encrypted. */
export const encryptedIn = (fields: readonly DeclaredField[] = []): readonly DeclaredField[] =>
  fields.filter(({ encrypted }) => encrypted === true);

/** The dotted paths of the fields that are stored encrypted; of what is about to come as well. */
export const encryptedPaths = (
  ...definitions: readonly (readonly DeclaredField[] | undefined)[]
): readonly string[] => [...new Set(definitions.flatMap((fields) => encryptedIn(fields).map(({ path }) => path)))];

/** Whether what stands at one path is, holds or is a part of what stands at another. */
export const overlap = (one: readonly string[], other: readonly string[]): boolean =>
  isWithin(one, other) || isWithin(other, one);

/**
 * Fields with a value at a path with objects only on the way; as they are where the object around it is not there, which is then hidden, or was
 * not read.
 *
 * @param fields - not changed
 */
export function withValueAt<F extends Readonly<Record<string, unknown>>>(
  fields: F,
  [name = '', ...rest]: readonly string[],
  value: unknown,
): F {
  if (rest.length === 0) return { ...fields, [name]: value };
  const inner = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (!isContainer(inner) || Array.isArray(inner)) return fields;
  return { ...fields, [name]: withValueAt(inner, rest, value) };
}
