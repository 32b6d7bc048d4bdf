import type { Collection } from '../collections/collection-registry.ts';
import type { RecordDocument } from '../records/record.model.ts';
import { followFrom } from '../rules/follow/follow-records.ts';
import { decide } from '../rules/rule.ts';
import { createSight } from '../rules/see.ts';
import type { Asking, Lookup } from './lookup.ts';

/** A record of some collection. */
export interface Referrer {
  readonly collection: Collection;
  readonly document: RecordDocument;
}

/**
 * What the collection of a record that refers to another is called towards whoever is told of it: it has a name for those who may read all of
 * that record, else a refusal would tell of what they do not see.
 */
export async function calledTowards(
  { db }: Pick<Lookup, 'db'>,
  { caller, at }: Pick<Asking, 'caller' | 'at'>,
  { collection, document }: Referrer,
): Promise<string> {
  // Not in the transaction, which the refusal may have ended.
  const seeing = await followFrom(db, collection, caller, [document], { only: 'read' });
  const isSeen =
    decide(collection.rules.read, seeing, document, { at }) &&
    createSight(collection, caller, { at }).hidden(document).length === 0;
  return isSeen ? collection.name : 'another collection';
}
