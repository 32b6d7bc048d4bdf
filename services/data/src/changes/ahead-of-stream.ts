import type { CommitStream } from '@causeway/events';

import type { CollectionRegistry } from '../collections/collection-registry.ts';
import type { Place } from './place.ts';

/** What {@link aheadOfStream} looks at. */
export interface Known {
  readonly registry: Pick<CollectionRegistry, 'knownAsOf'>;
  /** Its transactions as a whole: at the place of one that is still coming, not all has been told. */
  readonly stream: Pick<CommitStream, 'position'>;
}

/**
 * Where a definition lies that a process knows ahead of its commit stream, as after a write that was refused under the one before: what lies
 * before that place was committed under another, and is not to be told by this one.
 *
 * @returns undefined where the stream has come there
 */
export function aheadOfStream({ registry, stream }: Known, collectionId: string): Place | undefined {
  const position = registry.knownAsOf(collectionId);
  if (position === undefined || stream.position?.greaterThanOrEqual(position) === true) return undefined;
  return { position, eventId: undefined };
}
