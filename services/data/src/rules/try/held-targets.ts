import { BSON } from 'mongodb';
import type { Db } from 'mongodb';

import { recordsCollection } from '../../collections/collection.model.ts';
import type { LookTime } from '../../pacing/look-time.ts';
import type { Fields, RecordDocument } from '../../records/record.model.ts';
import { visibleProjection } from '../../records/record.model.ts';
import { idsAt } from '../../references/referenced-ids.ts';
import type { AsLeft, Following } from '../follow/follow-records.ts';
import { targetOf } from '../follow/follows.ts';

/** What is held of them at once; what is not is looked for anew for each caller. */
const mostBytes = 8 * 1_048_576;

/** Reads what references of some records name that rules follow, once for all who are asked about. */
export async function holdTargetsOf(
  db: Db,
  collection: Following,
  records: readonly { readonly fields: Fields }[],
  time: LookTime,
): Promise<AsLeft> {
  const named = new Map<string, Set<string>>();
  for (const follow of collection.follows.all) {
    const target = targetOf(follow, collection);
    const ids = named.get(target) ?? new Set();
    named.set(target, ids);
    for (const { fields } of records) for (const { id } of idsAt(fields, follow.segments)) ids.add(id);
  }
  const held = new Map<string, ReadonlyMap<string, RecordDocument | null>>();
  let bytes = 0;
  for (const [target, ids] of named) {
    const own = new Map<string, RecordDocument | null>();
    held.set(target, own);
    if (ids.size === 0) continue;
    const found = db
      .collection<RecordDocument>(recordsCollection(target))
      .find({ _id: { $in: [...ids] } }, { projection: visibleProjection, maxTimeMS: time.leftMs() });
    for await (const document of found) {
      bytes += BSON.calculateObjectSize(document);
      if (bytes > mostBytes) break;
      own.set(document._id, document);
    }
    // That something is not there is known only where all that is there is.
    if (bytes <= mostBytes) for (const id of ids) if (!own.has(id)) own.set(id, null);
  }
  return (target, id) => held.get(target)?.get(id);
}
