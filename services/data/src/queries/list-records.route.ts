import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { answerKept } from '../caching/kept-answer.ts';
import { afterHeader, keptHeaders } from '../records/record-answer.ts';
import { pageAnswer } from './answer-page.ts';
import type { createAnswerQuery } from './answer-query.ts';
import { exportDescription, queryFaults, queryMediaTypes, rankingDescription } from './answer-query.ts';
import type { QueryParameters } from './query-parameters.ts';
import { askedByParameters, queryParameters } from './query-parameters.ts';

/** Clients and proxies take headers of 8 to 16 KiB in all; a longer link is left out, `nextCursor` is there either way. */
const maxLinkLength = 4_096;

/** `GET /v1/data/{collection}`: a page as JSON, or the whole result as a stream. */
export const listRecordsRoute = ({
  answerQuery,
}: {
  readonly answerQuery: ReturnType<typeof createAnswerQuery>;
}): Route =>
  defineRoute({
    method: 'get',
    path: '/v1/data/{collection}',
    operationId: 'listRecords',
    tag: 'data',
    summary: 'List or export records',
    description: `${rankingDescription} ${exportDescription}`,
    access: 'public',
    params: z.object({ collection: z.string() }),
    query: queryParameters,
    requestHeaders: {
      'If-None-Match': { description: 'Answers 304 where the page is still the one with this tag.' },
      ...afterHeader,
    },
    responses: {
      200: {
        description: 'A page of records, or all of them.',
        schema: pageAnswer,
        mediaTypes: queryMediaTypes,
        headers: {
          Link: { description: 'The next page (`rel="next"`), unless its address is too long for a header.' },
          ETag: { description: 'Of a page: weak, and another where anything in it is.' },
          ...keptHeaders,
        },
      },
      304: { description: 'The page has not changed.' },
    },
    faults: queryFaults,
    async handle(call) {
      const answered = await answerQuery({
        name: call.params.collection,
        call,
        ask: () => askedByParameters(call.query),
        linkTo: (cursor) => linkTo(call.params.collection, call.query, cursor),
      });
      return answerKept(answered, call.headers['if-none-match']);
    },
  });

function linkTo(name: string, parameters: QueryParameters, cursor: string): string | undefined {
  const own = Object.entries({ ...parameters, count: undefined, explain: undefined, cursor }).flatMap(
    ([parameter, value]) => (value === undefined ? [] : [[parameter, String(value)] as [string, string]]),
  );
  const link = `</v1/data/${name}?${new URLSearchParams(own).toString()}>; rel="next"`;
  return link.length <= maxLinkLength ? link : undefined;
}
