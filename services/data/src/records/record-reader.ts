import type { RevisionCache } from '@causeway/cache';
import { createRevisionCache } from '@causeway/cache';
import type { Change, Events } from '@causeway/events';
import type { Redis } from 'ioredis';
import type { ClientSession, MongoClient, Timestamp } from 'mongodb';
import { MongoServerError } from 'mongodb';

import { recordsCollection } from '../collections/collection.model.ts';
import type { CollectionRegistry } from '../collections/collection-registry.ts';
import { clusterTimeOf } from '../positions/position.ts';
import type { RecordReader } from './read-record.ts';
import type { RecordAnswer, VisibleRecord } from './record.model.ts';
import { answerRecord, visibleProjection } from './record.model.ts';

/** A record as it is cached: to be judged, and to be answered. */
interface Cached {
  readonly record: VisibleRecord;
  readonly json: string;
}

/** What {@link createRecordReader} is given. */
export interface RecordReaderOptions {
  readonly registry: Pick<CollectionRegistry, 'get'>;
  readonly events: { readonly stream: Pick<Events['stream'], 'subscribe' | 'onGap' | 'position' | 'ageMs' | 'ready'> };
  readonly client: MongoClient;
  readonly redis: Redis;
  readonly logger: { warn(fields: Record<string, unknown>, message: string): void };
  /** Before the keys in Redis. */
  readonly prefix: string;
  readonly cacheBytes: number;
}

/** A commit stream that has been silent for longer, beacon and all, may have fallen behind. */
const maxAgeMs = 2_000;
/** How long MongoDB may work on one record, and wait for a position. */
const loadMs = 5_000;
/** InvalidOptions: https://www.mongodb.com/docs/manual/reference/error-codes/ */
const invalidOptionsCode = 72;
/** An object takes about so many times its JSON. */
const objectFactor = 3;

const codec = {
  encode: ({ record }: Cached): string => JSON.stringify(record),
  decode(text: string): Cached {
    const { createdAt, updatedAt, ...rest } = JSON.parse(text) as VisibleRecord & Pick<RecordAnswer, 'createdAt'>;
    return cached({ ...rest, createdAt: new Date(createdAt), updatedAt: new Date(updatedAt) });
  },
  revisionOf: ({ record }: Cached): number => record.revision,
  sizeBytesOf: ({ json }: Cached): number => json.length * objectFactor,
};

const cached = (record: VisibleRecord): Cached => ({ record, json: JSON.stringify(answerRecord(record)) });

/**
 * Reads records: from a cache where the caller has said what it has seen, and this process has seen that too; otherwise
 * from MongoDB, at majority and not before that.
 */
export function createRecordReader(options: RecordReaderOptions): RecordReader {
  const { registry, client } = options;
  const { stream } = options.events;
  const cache = createCache(options);

  /** Whether everything up to a position has been taken out of the cache. */
  const reaches = (after: Timestamp): boolean =>
    stream.ready && stream.ageMs < maxAgeMs && stream.position?.greaterThanOrEqual(after) === true;

  const load = async (collectionId: string, id: string, session?: ClientSession): Promise<Cached | undefined> => {
    const records = registry.get(collectionId)?.records.native;
    // With a read concern of its own: the driver writes a session's time into the one that all reads share.
    const own = session === undefined ? {} : { session, readConcern: { level: 'majority' as const } };
    const read = { projection: visibleProjection, maxTimeMS: loadMs, ...own };
    const record = await records?.findOne<VisibleRecord>({ _id: id }, read);
    return record === null || record === undefined ? undefined : cached(record);
  };

  const loadAfter = async (collectionId: string, id: string, after: Timestamp): Promise<Cached | undefined> => {
    const session = client.startSession({ causalConsistency: true });
    try {
      session.advanceOperationTime(after);
      return await load(collectionId, id, session);
    } catch (error) {
      // A position that MongoDB's clock has not reached is none of this database's, as after a restore: nothing to wait for.
      if (error instanceof MongoServerError && error.code === invalidOptionsCode) return await load(collectionId, id);
      throw error;
    } finally {
      await session.endSession();
    }
  };

  return {
    async read(collectionId, id, after) {
      if (after === undefined || !reaches(after)) {
        const found = await (after === undefined ? load(collectionId, id) : loadAfter(collectionId, id, after));
        return found === undefined ? undefined : { ...found, position: clusterTimeOf(client) };
      }
      // Taken before the read: whatever is found is at least as new.
      const { position } = stream;
      const key = `${collectionId}/${id}`;
      const found = cache.peek(key) ?? (await cache.read(key, () => load(collectionId, id)));
      return found === undefined ? undefined : { ...found, position };
    },
  };
}

function createCache({ events, redis, logger, prefix, cacheBytes }: RecordReaderOptions): RevisionCache<Cached> {
  const cache = createRevisionCache<Cached>({ name: 'records', codec, redis, prefix, logger, maxBytes: cacheBytes });
  const start = recordsCollection('').length;
  events.stream.subscribe(({ collection, id, revision }: Change) => {
    if (collection.startsWith(recordsCollection(''))) cache.invalidate(`${collection.slice(start)}/${id}`, revision);
  });
  events.stream.onGap(() => cache.clear());
  return cache;
}
