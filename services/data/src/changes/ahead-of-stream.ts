import type { CommitStream } from '@causeway/events';
import { laterOf } from '@causeway/events';

import type { CollectionRegistry } from '../collections/collection-registry.ts';
import type { Feed } from './feed.ts';
import type { Place } from './place.ts';

/** What {@link aheadOfStream} looks at. */
export interface Known {
  readonly registry: Pick<CollectionRegistry, 'knownAsOf'>;
  readonly stream: Pick<CommitStream, 'position'>;
}

/**
 * Where that lies by which a feed sees, where a process knows it ahead of its commit stream: a definition, as after a write that was refused under the
 * one before, or where the references lead that its rule follows. What lies before that place was committed under another, and is not to be told by this one.
 *
 * @returns undefined where the stream has come there
 */
export function aheadOfStream(
  { registry, stream }: Known,
  { collectionId, followedAsOf }: Pick<Feed, 'collectionId' | 'followedAsOf'>,
): Place | undefined {
  const position = laterOf(registry.knownAsOf(collectionId), followedAsOf);
  if (position === undefined || stream.position?.greaterThanOrEqual(position) === true) return undefined;
  return { position, eventId: undefined };
}
