import type { Feature, Ground } from '../feature.ts';
import { createImportLocks } from '../importing/import-lock.ts';
import { createImportRecords } from '../importing/import-records.ts';
import { createChangeRecord } from './change-record.ts';
import { patchRecordRoute, replaceRecordRoute } from './change-record.route.ts';
import { createCreateRecord } from './create-record.ts';
import { createRecordRoute } from './create-record.route.ts';
import { createDeleteRecord } from './delete-record.ts';
import { deleteRecordRoute } from './delete-record.route.ts';
import { createReadRecord } from './read-record.ts';
import { readRecordRoute } from './read-record.route.ts';
import { createRecordReader } from './record-reader.ts';

/** Reading and writing single records, and importing many. */
export function createRecords({ config, events, registry, findCurrent, idempotency, now, ...ground }: Ground) {
  const { publicUrl, cacheBytes, queryTimeoutMs } = config;
  const { client, redis, redisPrefix, stream, logger } = ground;
  const { persons } = events;
  const locks = createImportLocks(events.db, ground.derive('import'));
  const prefix = `${redisPrefix}:records:`;
  const reader = createRecordReader({ registry, stream, client, redis, logger, prefix, cacheBytes });
  const changeRecord = createChangeRecord({ events, registry, now });
  return {
    ensureIndexes: () => locks.ensureIndexes(),
    routes: [
      createRecordRoute({
        createRecord: createCreateRecord({ events, registry, idempotency, now }),
        importRecords: createImportRecords({ events, registry, idempotency, locks, persons, now }),
        publicUrl,
      }),
      readRecordRoute({
        readRecord: createReadRecord({ findCurrent, registry, reader, client, db: events.db, queryTimeoutMs, now }),
      }),
      replaceRecordRoute({ changeRecord }),
      patchRecordRoute({ changeRecord }),
      deleteRecordRoute({ deleteRecord: createDeleteRecord({ events, registry, now }) }),
    ],
  } satisfies Feature;
}
