import { createHash } from 'node:crypto';

import type { VersionedCache } from '@causeway/cache';
import { clusterTimeOf, formatPosition, laterOf, parseAfter } from '@causeway/events';
import type { MongoClient, Timestamp } from 'mongodb';

import type { Followed } from '../positions/freshness.ts';
import { reaches } from '../positions/freshness.ts';
import type { CollectionVersions } from './collection-versions.ts';
import type { FoundPage, KeptPage } from './found-page.ts';
import type { PlainReads } from './plain-reads.ts';

/** A page, and how far the commits reach that it reflects. */
export interface PositionedPage extends FoundPage {
  /** Undefined where that is as far as MongoDB has told. */
  readonly position?: Timestamp | undefined;
}

/** What a page is kept under. */
export interface PageKey {
  /** Those whose records it shows. */
  readonly collectionIds: readonly string[];
  /** All that decides what is found and shown: JSON. */
  readonly query: unknown;
}

/** Pages that were asked for before. */
export interface PageCache {
  /**
   * A page: one that is kept, where this process has seen all that the caller may have seen; otherwise as it is found, together with those who
   * ask for the same.
   *
   * @param key - undefined where it is not to be kept, nor shared
   * @param after - the highest position that the caller has seen; without one it is taken to have seen all that there is
   * @param find - finds it, nothing older than a position
   */
  read(
    key: PageKey | undefined,
    after: Timestamp | undefined,
    find: (notBefore: Timestamp | undefined) => Promise<FoundPage>,
  ): Promise<PositionedPage>;
}

/** What {@link createPageCache} is given. */
export interface PageCacheOptions {
  readonly cache: VersionedCache<KeptPage>;
  readonly versions: CollectionVersions;
  readonly stream: Followed;
  readonly plain: PlainReads;
  readonly client: MongoClient;
}

/** How pages are kept. */
export const pageCodec = {
  encode: (page: KeptPage): string => JSON.stringify(page),
  decode: (text: string): KeptPage => JSON.parse(text) as KeptPage,
  /** One byte a letter, or two. */
  sizeBytesOf: ({ items, next }: KeptPage): number => 2 * (items.length + JSON.stringify(next ?? null).length) + 200,
};

/** Text that is ordered as positions are. */
const textOf = ({ t, i }: Timestamp): string => [t, i].map((part) => String(part).padStart(10, '0')).join('.');

/** A position with no change of any of these collections between it and that of the commit stream; undefined while changes may be missing. */
function versionOf(versions: CollectionVersions, collectionIds: readonly string[]): Timestamp | undefined {
  let latest: Timestamp | undefined;
  for (const id of collectionIds) {
    const own = versions.of(id);
    if (own === undefined) return undefined;
    latest = laterOf(own, latest);
  }
  return latest;
}

/**
 * Makes it. A page is found by who asks first after a change of its collections, and kept until the next one: changes are found out by
 * the version alone, so that no replica has to be told.
 */
export function createPageCache({ cache, versions, stream, plain, client }: PageCacheOptions): PageCache {
  const place = (collectionIds: readonly string[]) => {
    const { position } = stream;
    const version = versionOf(versions, collectionIds);
    return position === undefined || version === undefined ? undefined : { position, version: textOf(version) };
  };
  const load = async (find: (notBefore: Timestamp) => Promise<FoundPage>, notBefore: Timestamp): Promise<KeptPage> => ({
    // A primary that has just been elected may not know yet how far the majority has come.
    ...(await find(notBefore)),
    asOf: formatPosition(clusterTimeOf(client) ?? notBefore),
  });
  // What was read may show changes that this process has yet to hear of, and another replica too.
  const given = ({ asOf, ...found }: KeptPage, position: Timestamp | undefined): PositionedPage => ({
    ...found,
    position: laterOf(position, parseAfter(asOf)),
  });

  return {
    async read(key, after, find) {
      if (key === undefined) return find(after);
      // Queries may be long.
      const name = createHash('sha256')
        .update(JSON.stringify([key.collectionIds, key.query]))
        .digest('base64url');
      // Taken before anything is read: what is found is at least as new.
      const now = () => place(key.collectionIds);
      if (after === undefined) {
        const found = await plain.read(name, now, {
          find: () => find(undefined),
          load: (notBefore) => load(find, notBefore),
        });
        return 'asOf' in found ? given(found, stream.position) : found;
      }
      const known = reaches(stream, after) ? now() : undefined;
      if (known === undefined) return find(after);
      return given(await cache.read(name, known.version, () => load(find, known.position)), known.position);
    },
  };
}
