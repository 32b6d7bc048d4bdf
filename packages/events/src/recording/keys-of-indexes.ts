import type { Collection, Document } from 'mongodb';

import type { Refusal } from './errors.ts';

/** The keys of the indexes by which writes of a bulk were refused, by name: the driver tells them of single writes only. */
export const keysOfIndexes = async <Doc extends Document>(
  native: Collection<Doc>,
  refused: readonly Refusal[],
): Promise<ReadonlyMap<string, Document>> => {
  const names = new Set(refused.flatMap(({ uniqueIndex }) => uniqueIndex ?? []));
  if (names.size === 0) return new Map();
  if (names.size === 1 && names.has('_id_')) return new Map([['_id_', { _id: 1 }]]);
  return new Map((await native.indexes()).map(({ name = '', key }) => [name, key]));
};
