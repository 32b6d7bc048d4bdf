import type { RevisionCache } from '@causeway/cache';
import { createRevisionCache } from '@causeway/cache';
import { faults } from '@causeway/contracts';
import { clusterTimeOf, gatherReads, laterOf, readAfter } from '@causeway/events';
import type { Change, CommitStream, ReadAfterOptions } from '@causeway/events';
import type { Redis } from 'ioredis';
import type { Collection, MongoClient } from 'mongodb';

import { recordsCollection } from '../collections/collection.model.ts';
import type { CollectionRegistry } from '../collections/collection-registry.ts';
import { reaches } from '../positions/freshness.ts';
import type { Followed } from '../positions/freshness.ts';
import { isTimeUp } from '../queries/find-records.ts';
import type { CachedRecord } from './cached-record.ts';
import { cachedRecord, recordCodec } from './cached-record.ts';
import type { RecordReader } from './read-record.ts';
import type { RecordDocument, VisibleRecord } from './record.model.ts';
import { visibleProjection } from './record.model.ts';

/** What {@link createRecordReader} is given. */
export interface RecordReaderOptions {
  readonly registry: Pick<CollectionRegistry, 'get'>;
  readonly stream: Pick<CommitStream, 'subscribe'> & Followed;
  readonly client: MongoClient;
  readonly redis: Redis;
  readonly logger: { warn(fields: Record<string, unknown>, message: string): void };
  /** Before the keys in Redis. */
  readonly prefix: string;
  readonly cacheBytes: number;
}

/** How long MongoDB may work on one record, and wait for a position. */
const loadMs = 5_000;
/**
 * Reads records: from a cache where the caller has said what it has seen, and this process has seen that too; otherwise
 * from MongoDB, at majority and not before that.
 */
export function createRecordReader(options: RecordReaderOptions): RecordReader {
  const { registry, client, stream } = options;
  const cache = createCache(options);

  const readers = new WeakMap<Collection<RecordDocument>, (id: string) => Promise<VisibleRecord | undefined>>();

  /** Those that are read at once go together; a position to wait for is each one's own. */
  const find = async (records: Collection<RecordDocument>, id: string, own: ReadAfterOptions) => {
    const options = { projection: visibleProjection, maxTimeMS: loadMs };
    if (own.session !== undefined) return records.findOne<VisibleRecord>({ _id: id }, { ...options, ...own });
    const reader = readers.get(records) ?? gatherReads<RecordDocument, VisibleRecord>(records, options);
    readers.set(records, reader);
    return reader(id);
  };

  const load = async (
    collectionId: string,
    id: string,
    own: ReadAfterOptions = {},
  ): Promise<CachedRecord | undefined> => {
    const records = registry.get(collectionId)?.records.native;
    if (records === undefined) return undefined;
    const record = await find(records, id, own).catch((error: unknown) => {
      // For want of time, or of the position: a later try may find both.
      throw isTimeUp(error) ? faults.unavailable({ retryAfterS: 1, cause: error }) : error;
    });
    return record === null || record === undefined ? undefined : cachedRecord(record, clusterTimeOf(client));
  };

  return {
    async read(collectionId, id, after) {
      if (after === undefined || !reaches(stream, after)) {
        const found = await readAfter(client, after, (own) => load(collectionId, id, own));
        return found === undefined ? undefined : { ...found, position: found.asOf };
      }
      // Taken before the read: whatever is found is at least as new.
      const { position } = stream;
      const key = `${collectionId}/${id}`;
      const find = (again: boolean): Promise<CachedRecord | undefined> =>
        // A primary that has just been elected, or deposed, may know less than this process has heard.
        again ? readAfter(client, stream.position, (own) => load(collectionId, id, own)) : load(collectionId, id);
      const found = cache.peek(key) ?? (await cache.read(key, find));
      // It may be newer than all that this process has heard of, and then another replica has yet to hear of it, too.
      return found === undefined ? undefined : { ...found, position: laterOf(position, found.asOf) };
    },
  };
}

function createCache({ stream, redis, logger, prefix, cacheBytes }: RecordReaderOptions): RevisionCache<CachedRecord> {
  const cache = createRevisionCache<CachedRecord>({
    name: 'records',
    codec: recordCodec,
    redis,
    prefix,
    logger,
    maxBytes: cacheBytes,
  });
  const start = recordsCollection('').length;
  stream.subscribe(
    ({ collection, id, revision }: Change) => {
      if (collection.startsWith(recordsCollection(''))) cache.invalidate(`${collection.slice(start)}/${id}`, revision);
    },
    () => cache.clear(),
  );
  return cache;
}
