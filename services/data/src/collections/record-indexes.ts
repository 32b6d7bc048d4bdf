import type { Collection } from 'mongodb';

import type { RecordDocument } from '../records/record.model.ts';
import type { IndexDefinition } from './collection.model.ts';
import { describeIndex, indexPrefix } from './describe-index.ts';
import { explainRefusal } from './index-conflicts.ts';
import { isTextIndex } from './parse-index.ts';

/** Names of the indexes that definitions have asked for. */
export const indexNamesOf = async (records: Collection<RecordDocument>): Promise<string[]> =>
  (await records.indexes()).flatMap(({ name }) => (name?.startsWith(indexPrefix) === true ? [name] : []));

/** Whether records have the indexes that a definition asks for, and no others. */
export async function hasIndexes(
  records: Collection<RecordDocument>,
  definitions: readonly IndexDefinition[],
): Promise<boolean> {
  // Two that a definition tells apart may be one: `id` breaks ties whether it is named or not.
  const wanted = new Set(definitions.map((each) => describeIndex(each).name));
  const there = await indexNamesOf(records);
  return there.length === wanted.size && there.every((name) => wanted.has(name));
}

/**
 * Builds an index, unless it is there. One that somebody else is building is waited for: MongoDB lists it already, but the
 * records may yet refuse it. One of words takes the place of another, of which there can be one.
 *
 * @throws Fault `definition-conflict` where the records do not allow it
 */
export async function buildIndex(records: Collection<RecordDocument>, definition: IndexDefinition): Promise<void> {
  const index = describeIndex(definition);
  if (isTextIndex(definition.keys)) await dropOtherText(records, index.name);
  try {
    await records.createIndexes([index]);
  } catch (error) {
    throw await explainRefusal(records, definition, error);
  }
}

/** MongoDB lists an index of words by keys of its own. */
async function dropOtherText(records: Collection<RecordDocument>, wanted: string): Promise<void> {
  for (const { name = '', key } of await records.indexes()) {
    const isText = Object.values(key).includes('text');
    if (isText && name.startsWith(indexPrefix) && name !== wanted) await records.dropIndex(name);
  }
}

/**
 * Leaves exactly the indexes that a definition asks for: an older one asked for others, or one that has not come about, which
 * may have taken the place of an index of words.
 */
export async function restoreIndexes(
  records: Collection<RecordDocument>,
  definitions: readonly IndexDefinition[],
): Promise<void> {
  await dropOtherIndexes(records, definitions);
  const there = new Set(await indexNamesOf(records));
  for (const each of definitions) if (!there.has(describeIndex(each).name)) await buildIndex(records, each);
}

async function dropOtherIndexes(
  records: Collection<RecordDocument>,
  definitions: readonly IndexDefinition[],
): Promise<void> {
  const wanted = new Set(definitions.map((each) => describeIndex(each).name));
  for (const name of await indexNamesOf(records)) if (!wanted.has(name)) await records.dropIndex(name);
}
