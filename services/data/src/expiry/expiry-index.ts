import type { Collection } from 'mongodb';

import type { RecordDocument } from '../records/record.model.ts';

/** Of its own kind among a collection's indexes: no definition gives it, and no query goes by it. */
const name = 'expiry';

/** Builds the index that leads to records whose time is over, unless it is there: their time first, then their id. */
export async function ensureExpiryIndex(records: Collection<RecordDocument>): Promise<void> {
  await records.createIndexes([
    { key: { expiresAt: 1, _id: 1 }, name, partialFilterExpression: { expiresAt: { $exists: true } } },
  ]);
}

/** Drops it, where it is there. */
export async function dropExpiryIndex(records: Collection<RecordDocument>): Promise<void> {
  const isThere = (await records.indexes()).some((index) => index.name === name);
  if (isThere) await records.dropIndex(name);
}
