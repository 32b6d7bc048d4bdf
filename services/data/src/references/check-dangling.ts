import type { Events } from '@causeway/events';
import type { Collection as MongoCollection } from 'mongodb';

import type { Definition } from '../collections/collection.model.ts';
import type { BreakingRecord } from '../collections/check-records.ts';
import { definitionBusy, definitionConflict } from '../collections/collections.errors.ts';
import type { RecordDocument } from '../records/record.model.ts';
import type { DeclaredField } from '../fields/declared-field.ts';
import { parseFields } from '../fields/parse-fields.ts';
import type { DeclaredReference } from './declared-references.ts';
import { referencesIn } from './declared-references.ts';
import type { Lookup } from './lookup.ts';
import { collectionBy } from './lookup.ts';
import type { NamedRecord } from './referenced-ids.ts';
import { idsAt, maxIds } from './referenced-ids.ts';

const maxExamples = 5;
/** Records that are looked at together, and held in one transaction. */
const chunk = 500;
/** Records after which it is said that the work goes on, where few of them name any. */
const tellEach = 5_000;

/** References of a new definition that the one before does not have. */
export function newReferences(
  id: string,
  fields: readonly DeclaredField[],
  before: Definition,
): readonly DeclaredReference[] {
  const parsed = parseFields(before.fields, before.schema, '');
  const known = new Set(
    referencesIn(id, parsed.ok ? parsed.value : []).map(({ storage, target }) => `${storage} ${target}`),
  );
  return referencesIn(id, fields).filter(({ storage, target }) => !known.has(`${storage} ${target}`));
}

/** What {@link checkDangling} is given. */
export interface CheckDanglingOptions {
  readonly lookup: Lookup;
  readonly transaction: Events['transaction'];
  /** The collection whose records refer. */
  readonly records: Pick<MongoCollection<RecordDocument>, 'find'>;
  /** What its records have not been held against yet. */
  readonly references: readonly DeclaredReference[];
  /** Before each step, with how many ids have been looked for. @throws where somebody else has taken the change over */
  readonly tell: (checked: number) => Promise<void>;
}

/** What {@link findDangling} is given. */
export interface FindDanglingOptions {
  readonly records: Pick<MongoCollection<RecordDocument>, 'find'>;
  readonly reference: DeclaredReference;
  /** Of some ids, those under which no record is there. */
  readonly missingOf: (ids: readonly string[]) => Promise<readonly string[]>;
  /** Before each step, with how many ids have been looked for; ends the work by throwing. */
  readonly tell: (checked: number) => Promise<void>;
  readonly isEnough: () => boolean;
  /** For how long MongoDB may look for the records that refer, in milliseconds. */
  readonly maxTimeMS?: number;
}

/**
 * Looks for records that refer to others which are not there.
 *
 * @param found - is given each of them
 */
export async function findDangling(
  { records, reference, missingOf, tell, isEnough, maxTimeMS }: FindDanglingOptions,
  found: (record: BreakingRecord) => void,
): Promise<void> {
  const { storage, segments, target } = reference;
  const bound = maxTimeMS === undefined ? {} : { maxTimeMS };
  const options = { projection: { [storage]: 1 }, batchSize: chunk, ...bound };
  const rows = records.find({ [storage]: { $exists: true } }, options);
  let named: (NamedRecord & { readonly by: string })[] = [];
  let [checked, read] = [0, 0];
  const look = async (): Promise<void> => {
    await tell(checked);
    const missing = new Set(await missingOf([...new Set(named.map(({ id }) => id))]));
    for (const { id, by, pointer } of named) {
      const message = 'No record with this id is there.';
      if (missing.has(id)) found({ id: by, errors: [{ pointer, code: 'reference-not-found', message }] });
    }
    checked += named.length;
    named = [];
  };
  for await (const { _id, fields } of rows) {
    const ids = idsAt(fields, segments);
    if (ids.length > maxIds) {
      const message = `One field names at most ${maxIds} records.`;
      found({ id: _id, errors: [{ pointer: '', code: 'too-many-references', message }] });
    }
    named.push(...ids.map(({ id, pointer }) => ({ id, pointer, by: _id, target })));
    read += 1;
    if (named.length >= chunk) await look();
    // Many may name none.
    else if (read % tellEach === 0) await tell(checked);
    if (isEnough()) break;
  }
  if (named.length > 0) await look();
}

/**
 * Makes sure that what records refer to is there. Writers keep to the new references by then, and so does whoever deletes; one who began to
 * delete before that is met here, for each record that is there is touched.
 *
 * @throws Fault `definition-conflict` with examples; `definition-busy`
 */
export async function checkDangling(options: CheckDanglingOptions): Promise<void> {
  const { records, references, tell } = options;
  const examples: BreakingRecord[] = [];
  const isEnough = (): boolean => examples.length >= maxExamples;
  for (const reference of references) {
    const missingOf = (ids: readonly string[]) => missingHeld(options, reference, ids);
    await findDangling({ records, reference, missingOf, tell, isEnough }, (record) => void examples.push(record));
    if (isEnough()) break;
  }
  if (examples.length === 0) return;
  const detail = 'Records that are there refer to records that are not.';
  throw definitionConflict({ detail, extensions: { examples: examples.slice(0, maxExamples) } });
}

async function missingHeld(
  { lookup, transaction }: CheckDanglingOptions,
  { target: targetId }: DeclaredReference,
  ids: readonly string[],
): Promise<readonly string[]> {
  const target = await collectionBy(lookup, targetId);
  if (target === undefined) throw definitionBusy();
  return await transaction(async (session) => {
    const rows = target.records.native.find({ _id: { $in: ids } }, { projection: { _id: 1 }, session });
    const there = new Set(await rows.map(({ _id }) => _id).toArray());
    await target.records.touch([...there], { session });
    return ids.filter((id) => !there.has(id));
  });
}
