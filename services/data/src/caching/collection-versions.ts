import { laterOf } from '@causeway/events';
import type { Change, CommitStream } from '@causeway/events';
import { Timestamp } from 'mongodb';

import { recordsCollection } from '../collections/collection.model.ts';

/** How far the records of a collection have come, as this process has heard. */
export interface CollectionVersions {
  /**
   * A position with no change of the collection between it and that of the commit stream: its last change, or, where this process
   * has heard of none, some position since which it hears everything.
   *
   * @param collectionId - `col_…`
   * @returns undefined for as long as changes may be missing
   */
  of(collectionId: string): Timestamp | undefined;
}

/** Follows the commits. Make it before the stream starts, so that it hears of all. */
export function createCollectionVersions(stream: Pick<CommitStream, 'subscribe' | 'position'>): CollectionVersions {
  const prefix = recordsCollection('');
  const changed = new Map<string, Timestamp>();
  /** Everything after it has been heard. */
  let complete: Timestamp | undefined;
  /** What was missed lies before the first position after this one. */
  let missedAfter: Timestamp | undefined = stream.position ?? new Timestamp(0n);

  stream.subscribe(
    ({ collection, clusterTime }: Change) => {
      if (collection.startsWith(prefix)) changed.set(collection.slice(prefix.length), clusterTime);
    },
    () => {
      changed.clear();
      complete = undefined;
      missedAfter = stream.position ?? new Timestamp(0n);
    },
  );

  const settle = (): void => {
    const { position } = stream;
    if (missedAfter === undefined || position?.greaterThan(missedAfter) !== true) return;
    complete = position;
    missedAfter = undefined;
  };

  return {
    of(collectionId) {
      settle();
      return complete === undefined ? undefined : laterOf(complete, changed.get(collectionId));
    },
  };
}
