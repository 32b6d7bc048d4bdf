import { createVersionedCache } from '@causeway/cache';

import { createCollectionVersions } from '../caching/collection-versions.ts';
import { createPageCache, pageCodec } from '../caching/page-cache.ts';
import { createPlainReads } from '../caching/plain-reads.ts';
import { createSharedMarks } from '../caching/shared-marks.ts';
import type { Feature, Ground } from '../feature.ts';
import { isFresh } from '../positions/freshness.ts';
import { createAnswerPage } from './answer-page.ts';
import { createAnswerQuery } from './answer-query.ts';
import { listRecordsRoute } from './list-records.route.ts';
import { createAdmitQuery } from './plan/admit-query.ts';
import { queryRecordsRoute } from './query-records.route.ts';

/** Lists and exports, asked for in an address or in a body, and what judges them before they are run. */
export function createQueries({
  config,
  registry,
  findCurrent,
  client,
  redis,
  redisPrefix,
  stream,
  settled,
  events,
  cursors,
  logger,
  now,
}: Ground) {
  const { db } = events;
  const { queryTimeoutMs, queryScanLimit: scanLimit, queryCostLimit } = config;
  const admit = createAdmitQuery({ scanLimit, costLimit: queryCostLimit, timeoutMs: queryTimeoutMs });
  const cache = createVersionedCache({
    name: 'pages',
    codec: pageCodec,
    redis,
    prefix: `${redisPrefix}:pages:`,
    maxBytes: config.queryCacheBytes,
  });
  const marks = createSharedMarks({ settled, isFollowing: () => isFresh(stream), logger });
  const plain = createPlainReads({ cache, marks });
  const pages = createPageCache({ cache, versions: createCollectionVersions(stream), stream, plain, client });
  const answerPage = createAnswerPage({ cursors, admit, client, db, pages, queryTimeoutMs, queryCostLimit });
  const answerQuery = createAnswerQuery({ findCurrent, registry, client, db, admit, answerPage, queryTimeoutMs, now });
  return {
    routes: [listRecordsRoute({ answerQuery }), queryRecordsRoute({ answerQuery })],
    /** Judges queries that are asked for otherwise. */
    admit,
  } satisfies Feature;
}
