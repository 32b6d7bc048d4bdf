import type { Annotation } from '@causeway/events';

import type { Collection } from '../collections/collection-registry.ts';
import type { RecordDocument } from '../records/record.model.ts';
import { firstExpiry } from './expiry-of.ts';

/** Records that are written together. */
const chunk = 500;

/** What a record is to have in place of what it has; undefined where it has it. */
export function annotationOf(
  collection: Pick<Collection, 'expiry' | 'pending'>,
  { _id: id, revision, fields, expiresAt }: Pick<RecordDocument, '_id' | 'revision' | 'fields' | 'expiresAt'>,
): Annotation<RecordDocument> | undefined {
  const wanted = firstExpiry(collection, fields);
  if (wanted?.getTime() === expiresAt?.getTime()) return undefined;
  return {
    id,
    revision,
    ...(wanted === undefined ? { unset: ['expiresAt'] as const } : { set: { expiresAt: wanted } }),
  };
}

/**
 * Writes into the records there when they are to be looked at, for a definition that is about to come. Whoever writes a record meanwhile does so
 * itself, for it knows of that definition.
 *
 * @param collection - with the definition that is pending
 * @param tell - is told before each step how many have been looked at; ends the work by throwing
 */
export async function fillExpiry(collection: Collection, tell: (checked: number) => Promise<void>): Promise<void> {
  const { records } = collection;
  let waiting: Annotation<RecordDocument>[] = [];
  let count = 0;
  const write = async (): Promise<void> => {
    await tell(count);
    await records.annotate(waiting);
    waiting = [];
  };
  const rows = records.native.find({}, { projection: { revision: 1, fields: 1, expiresAt: 1 }, batchSize: chunk });
  for await (const row of rows) {
    count += 1;
    const annotation = annotationOf(collection, row);
    if (annotation !== undefined) waiting.push(annotation);
    if (waiting.length >= chunk) await write();
    else if (count % 5_000 === 0) await tell(count);
  }
  await write();
}
