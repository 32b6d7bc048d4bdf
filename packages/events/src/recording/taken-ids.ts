import type { ClientSession, Collection, Filter } from 'mongodb';

import { tombstoneId, type RecordedDocument, type Tombstone } from './recorded-document.ts';

/** @returns `RecordedCollection.taken` */
export const createTaken =
  <Doc extends RecordedDocument>(native: Collection<Doc>, graves: Collection<Tombstone>) =>
  async (ids: readonly string[], how: { readonly session?: ClientSession } = {}): Promise<ReadonlySet<string>> => {
    const own = { projection: { _id: 1 }, ...how };
    const there = await native.find({ _id: { $in: ids } } as unknown as Filter<Doc>, own).toArray();
    // Asked after it: what is deleted in between is in one of the two.
    const idByGrave = new Map(ids.map((id) => [tombstoneId(native.collectionName, id), id]));
    const buried = await graves.find({ _id: { $in: [...idByGrave.keys()] } }, own).toArray();
    return new Set([...there.map(({ _id }) => _id), ...buried.flatMap(({ _id }) => idByGrave.get(_id) ?? [])]);
  };
