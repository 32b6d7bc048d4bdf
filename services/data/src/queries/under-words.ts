import type { Collection } from '../collections/collection-registry.ts';
import { describeIndex } from '../collections/describe-index.ts';
import type { RecordQuery } from './asked-query.ts';
import { queryNeedsIndex } from './queries.errors.ts';
import { textIndexOf } from './required-indexes.ts';

/**
 * Refuses words where MongoDB has not the index of words of the definition that the query is judged by. `$text` names no index: while a
 * definition is changed, and where the change broke off, it would look into fields that the definition has no words of, and that the caller
 * may not be let to see.
 *
 * @throws Fault `query-needs-index`
 */
export async function demandWords(
  { source, records }: Pick<Collection, 'source' | 'records'>,
  { text }: Pick<RecordQuery, 'text'>,
): Promise<void> {
  const index = text === undefined ? undefined : textIndexOf(source);
  if (index === undefined) return;
  const { name } = describeIndex(index);
  // A collection has one index of words at most.
  if ((await records.native.indexes()).some((each) => each.name === name)) return;
  const detail = 'The index of words is being built, for another definition of the collection. Ask again soon.';
  throw queryNeedsIndex({ detail, extensions: { indexes: [] } });
}

/**
 * Reads where MongoDB has the index of words that the definition says, and still has it once that is done.
 *
 * @throws Fault `query-needs-index`
 */
export async function underWords<T>(
  collection: Pick<Collection, 'source' | 'records'>,
  query: Pick<RecordQuery, 'text'>,
  read: () => Promise<T>,
): Promise<T> {
  await demandWords(collection, query);
  const found = await read();
  await demandWords(collection, query);
  return found;
}
