import type { Collection, Filter } from 'mongodb';

import type { BreakingRecord } from '../collections/check-records.ts';
import type { Definition } from '../collections/collection.model.ts';
import { definitionConflict } from '../collections/collections.errors.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import type { DeclaredField } from '../fields/declared-field.ts';
import type { RecordDocument } from '../records/record.model.ts';
import { encryptedIn } from './sealed-fields.ts';

/** A field whose values would have to be stored in another form. */
export interface Conversion {
  readonly path: string;
  readonly isEncrypted: boolean;
}

/** The fields that a definition has encrypted and the current one has not, and the other way round. */
export function conversionsOf(fields: readonly DeclaredField[], current: Definition): readonly Conversion[] {
  const now = Object.entries(current.fields ?? {}).flatMap(([path, options]) =>
    (options as { readonly encrypted?: unknown }).encrypted === true ? [path] : [],
  );
  const then = encryptedIn(fields).map(({ path }) => path);
  return [
    ...then.filter((path) => !now.includes(path)).map((path) => ({ path, isEncrypted: true })),
    ...now.filter((path) => !then.includes(path)).map((path) => ({ path, isEncrypted: false })),
  ];
}

/** Where in the definition a conversion is asked for. */
export const conversionPointer = ({ path }: Conversion): string => `${pointerTo('/fields', path)}/encrypted`;

/** What an administrator is to do where records hold values in the other form. */
export const conversionDetail = ({ path, isEncrypted }: Conversion): string =>
  `Records hold values in \`${path}\`, which are not ${isEncrypted ? 'encrypted' : 'decrypted'} where they are. Define a field of another ` +
  `name, ${isEncrypted ? 'encrypted' : 'as it is to be'}, and have a migration move them there by \`$rename\`; back again, if the name is to stay.`;

/**
 * Finds records that hold a value in another form than a definition would have it.
 *
 * @param most - how many are given
 */
export async function findUnconverted(
  records: Pick<Collection<RecordDocument>, 'find'>,
  { path, isEncrypted }: Conversion,
  most: number,
  maxTimeMS?: number,
): Promise<readonly BreakingRecord[]> {
  const filter: Filter<RecordDocument> = isEncrypted
    ? { [`fields.${path}`]: { $exists: true } }
    : { 'sealed.values.path': path };
  const options = { projection: { _id: 1 }, limit: most, ...(maxTimeMS === undefined ? {} : { maxTimeMS }) };
  const found = await records.find(filter, options).toArray();
  const pointer = path.split('.').reduce<string>(pointerTo, '');
  const code = isEncrypted ? 'not-encrypted' : 'encrypted';
  const message = `The record has a value here that is ${isEncrypted ? 'not ' : ''}stored encrypted.`;
  return found.map(({ _id }) => ({ id: _id, errors: [{ pointer, code, message }] }));
}

const maxExamples = 5;

/**
 * Refuses to have fields encrypted, or no longer, in which records have values.
 *
 * @throws Fault `definition-conflict` with examples
 */
export async function demandConverted(
  records: Pick<Collection<RecordDocument>, 'find'>,
  conversions: readonly Conversion[],
): Promise<void> {
  for (const conversion of conversions) {
    const examples = await findUnconverted(records, conversion, maxExamples);
    if (examples.length === 0) continue;
    throw definitionConflict({ detail: conversionDetail(conversion), extensions: { examples } });
  }
}
