import type { Feature, Ground } from '../feature.ts';
import { createAnswerQuery } from './answer-query.ts';
import { listRecordsRoute } from './list-records.route.ts';
import { queryRecordsRoute } from './query-records.route.ts';

/** Lists and exports, asked for in an address or in a body. */
export function createQueries({ config, findCurrent, client, cursors }: Ground) {
  const { queryTimeoutMs } = config;
  const answerQuery = createAnswerQuery({ findCurrent, client, cursors, queryTimeoutMs });
  return { routes: [listRecordsRoute({ answerQuery }), queryRecordsRoute({ answerQuery })] } satisfies Feature;
}
