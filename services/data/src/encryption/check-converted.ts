import type { Collection, Document } from 'mongodb';

import type { BreakingRecord } from '../collections/check-records.ts';
import { tellEach } from '../collections/check-records.ts';
import type { Definition } from '../collections/collection.model.ts';
import { definitionConflict } from '../collections/collections.errors.ts';
import { fieldsKey } from '../conditions/field-path.ts';
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

/** How records are looked at. */
interface FindUnconverted {
  readonly records: Pick<Collection<RecordDocument>, 'find'>;
  readonly conversions: readonly Conversion[];
  /** Asked at the beginning, after each 5,000 records and at the end; ends the work by throwing. */
  readonly tell: (checked: number) => Promise<void>;
  /** Whether nothing more is to be looked at. */
  readonly isEnough: () => boolean;
  /** For how long MongoDB may look. */
  readonly maxTimeMS?: number;
}

/**
 * Finds records that hold a value in another form than a definition would have it: in one pass over all of them, for no index leads there.
 *
 * @param found - is given each, before the next one is looked at
 */
export async function findUnconverted(
  { records, conversions, tell, isEnough, maxTimeMS }: FindUnconverted,
  found: (conversion: Conversion, record: BreakingRecord) => void,
): Promise<void> {
  if (conversions.length === 0) return;
  // MongoDB says whether there is something: what it is may be long.
  const has = conversions.map(({ path, isEncrypted }, at) => [
    `c${at}`,
    isEncrypted ? isThere(path.split('.')) : { $in: [{ $literal: path }, { $ifNull: ['$sealed.values.path', []] }] },
  ]);
  const options = {
    projection: Object.fromEntries(has) as Record<string, object>,
    batchSize: 1_000,
    ...(maxTimeMS === undefined ? {} : { maxTimeMS }),
  };
  let checked = 0;
  await tell(checked);
  for await (const record of records.find<{ _id: string } & Readonly<Record<string, unknown>>>({}, options)) {
    if (isEnough()) break;
    checked += 1;
    if (checked % tellEach === 0) await tell(checked);
    for (const [at, conversion] of conversions.entries()) {
      if (record[`c${at}`] === true) found(conversion, breaking(record._id, conversion));
    }
  }
  await tell(checked);
}

/** Whether a record has a value at a path; of an array on the way, whether one of its elements has. */
function isThere(segments: readonly string[]): Document {
  const [value, outer] = [segments, segments.slice(0, -1)].map((path) => `$${[fieldsKey, ...path].join('.')}`);
  const none = { $and: [{ $isArray: outer }, { $eq: [value, []] }] };
  return { $and: [{ $ne: [{ $type: value }, 'missing'] }, { $not: [none] }] };
}

function breaking(id: string, { path, isEncrypted }: Conversion): BreakingRecord {
  const pointer = path.split('.').reduce<string>(pointerTo, '');
  const code = isEncrypted ? 'not-encrypted' : 'encrypted';
  const message = `The record has a value here that is ${isEncrypted ? 'not ' : ''}stored encrypted.`;
  return { id, errors: [{ pointer, code, message }] };
}

const maxExamples = 5;

/**
 * Refuses to have fields encrypted, or no longer, in which records have values.
 *
 * @throws Fault `definition-conflict` with examples
 */
export async function demandConverted(
  records: FindUnconverted['records'],
  conversions: readonly Conversion[],
  tell: FindUnconverted['tell'],
): Promise<void> {
  const examples: BreakingRecord[] = [];
  let first: Conversion | undefined;
  const isEnough = (): boolean => examples.length >= maxExamples;
  await findUnconverted({ records, conversions, tell, isEnough }, (conversion, record) => {
    first ??= conversion;
    if (conversion === first && !isEnough()) examples.push(record);
  });
  if (first !== undefined) throw definitionConflict({ detail: conversionDetail(first), extensions: { examples } });
}
