import type { Collection } from '../collections/collection-registry.ts';
import type { RecordDocument } from '../records/record.model.ts';
import { decide } from '../rules/rule.ts';
import { createSight } from '../rules/see.ts';
import type { Asking } from './lookup.ts';

/** A record of some collection. */
export interface Referrer {
  readonly collection: Collection;
  readonly document: RecordDocument;
}

/**
 * What the collection of a record that refers to another is called towards whoever is told of it: it has a name for those who may read all of
 * that record, else a refusal would tell of what they do not see.
 */
export function calledTowards(
  { caller, at }: Pick<Asking, 'caller' | 'at'>,
  { collection, document }: Referrer,
): string {
  const isSeen =
    decide(collection.rules.read, caller, document, { at }) &&
    createSight(collection, caller, { at }).hidden(document).length === 0;
  return isSeen ? collection.name : 'another collection';
}
