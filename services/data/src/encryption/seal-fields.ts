import { isDeepStrictEqual } from 'node:util';

import type { Collection } from '../collections/collection-registry.ts';
import { definitionBusy } from '../collections/collections.errors.ts';
import { redact } from '../fields/redact.ts';
import { valueAt } from '../fields/value-at.ts';
import type { Fields } from '../records/record.model.ts';
import type { SealedFields, SealedValue } from './sealed-fields.ts';
import { isWithin } from '../fields/is-within.ts';
import { encryptedIn, overlap, withValueAt } from './sealed-fields.ts';

/** A record as it is stored. */
interface Stored {
  readonly _id: string;
  readonly fields: Fields;
  readonly sealed?: SealedFields | undefined;
}

/** What of a record is to be opened; all of it where nothing is said. */
export interface Opening {
  /** What is not, as paths below a record's `fields`. */
  readonly hidden?: readonly (readonly string[])[] | undefined;
  /** What alone is, in the same form. */
  readonly wanted?: readonly (readonly string[])[] | undefined;
}

/**
 * The fields of a stored record with what is encrypted, as far as the definition says so.
 *
 * @throws BrokenSeal; Fault `unavailable`
 */
export function openFields(
  { fields: declared, cipher }: Pick<Collection, 'fields' | 'cipher'>,
  { _id: recordId, fields, sealed }: Stored,
  { hidden = [], wanted }: Opening = {},
): Fields {
  if (sealed === undefined || cipher === undefined) return fields;
  return encryptedIn(declared).reduce<Fields>((opened, { path, segments }) => {
    const own = sealed.values.find((each) => each.path === path);
    if (own === undefined || hidden.some((outer) => isWithin(segments, outer))) return opened;
    if (wanted?.some((each) => overlap(each, segments)) === false) return opened;
    return withValueAt(opened, segments, cipher.open({ recordId, path }, sealed.key, own.text));
  }, fields);
}

/** The record with what is encrypted; see {@link openFields}. */
export const openRecord = <R extends Stored>(collection: Pick<Collection, 'fields' | 'cipher'>, record: R): R =>
  record.sealed === undefined ? record : { ...record, fields: openFields(collection, record) };

/** What is to be stored of a record. */
export interface SealFields {
  readonly id: string;
  /** All of them. */
  readonly fields: Fields;
  /** As it was stored, and its fields, all of them; absent where the record is new. */
  readonly before?: { readonly sealed?: SealedFields | undefined; readonly fields: Fields } | undefined;
}

/**
 * Takes out of a record's fields what is to be stored encrypted, and seals it. What has not changed stays sealed as it is, as long as the key is
 * the current one.
 *
 * @throws Fault `definition-busy` where a value is written to a field that is about to be encrypted, or no longer to be
 */
export function sealFields(
  collection: Pick<Collection, 'fields' | 'pending' | 'cipher'>,
  { id: recordId, fields, before }: SealFields,
): { readonly fields: Fields; readonly sealed: SealedFields | undefined } {
  demandSettled(collection, fields, before?.fields);
  const { cipher } = collection;
  const encrypted = encryptedIn(collection.fields);
  if (encrypted.length === 0) return { fields, sealed: undefined };
  if (cipher === undefined) throw new TypeError('a collection with encrypted fields has no cipher');
  const known = before?.sealed?.key === cipher.current ? before.sealed.values : [];
  const values = encrypted.flatMap(({ path, segments }): SealedValue[] => {
    const value = valueAt(fields, segments);
    if (value === undefined) return [];
    const own = known.find((each) => each.path === path);
    if (own !== undefined && isDeepStrictEqual(value, valueAt(before?.fields, segments))) return [own];
    return [{ path, text: cipher.seal({ recordId, path }, value) }];
  });
  return {
    fields: redact(
      fields,
      encrypted.map(({ segments }) => segments),
    ),
    sealed: values.length === 0 ? undefined : { key: cipher.current, values },
  };
}

/**
 * A definition that is about to come may have other fields encrypted, which it can where no record has a value there. Until it is known whether it
 * comes none gets one: it would be stored in a form that the other definition does not know. What was there before the change has seen.
 */
function demandSettled(
  { fields: declared, pending }: Pick<Collection, 'fields' | 'pending'>,
  fields: Fields,
  before: Fields | undefined,
): void {
  if (pending === undefined) return;
  const [now, then] = [encryptedIn(declared), encryptedIn(pending.fields)];
  const disputed = [
    ...now.filter(({ path }) => !then.some((each) => each.path === path)),
    ...then.filter(({ path }) => !now.some((each) => each.path === path)),
  ];
  for (const { segments } of disputed) {
    if (valueAt(fields, segments) !== undefined && valueAt(before, segments) === undefined) throw definitionBusy();
  }
}

/**
 * What is sealed of a record, sealed with the current key; all of it, whatever the definition says by now.
 *
 * @throws BrokenSeal; Fault `field-key-missing`, `unavailable`
 */
export function resealed(
  { cipher }: Pick<Collection, 'cipher'>,
  recordId: string,
  { key, values }: SealedFields,
): SealedFields {
  if (cipher === undefined) throw new TypeError('a collection with sealed values has no cipher');
  const anew = values.map(({ path, text }): SealedValue => {
    const place = { recordId, path };
    return { path, text: cipher.seal(place, cipher.open(place, key, text)) };
  });
  return { key: cipher.current, values: anew };
}
