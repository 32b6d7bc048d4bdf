import type { Collection } from 'mongodb';

import type { Definition } from '../collections/collection.model.ts';
import type { CollectionRegistry } from '../collections/collection-registry.ts';
import { definitionBusy } from '../collections/collections.errors.ts';
import type { RecordDocument } from '../records/record.model.ts';
import { ensureExpiryIndex } from './expiry-index.ts';
import { fillExpiry } from './fill-expiry.ts';

/** What {@link prepareExpiry} is given. */
export interface PrepareExpiry {
  readonly registry: Pick<CollectionRegistry, 'reload'>;
  readonly records: Collection<RecordDocument>;
}

/**
 * Makes ready for a definition under which records expire: whoever writes one says by now when it is to be looked at; here it is said of those that are
 * there.
 *
 * @param before - the definition until now
 * @param tell - called with how many have been gone through
 * @throws Fault `definition-busy` where the collection is gone
 */
export async function prepareExpiry(
  { registry, records }: PrepareExpiry,
  id: string,
  { expiry }: Definition,
  before: Definition,
  tell: (checked: number) => Promise<void>,
): Promise<void> {
  if (expiry === undefined) return;
  await ensureExpiryIndex(records);
  if (expiry.field === before.expiry?.field) return;
  const collection = await registry.reload(id);
  if (collection === undefined) throw definitionBusy();
  await fillExpiry(collection, tell);
}
