import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { afterHeader } from '../records/record-answer.ts';
import { pageAnswer } from './answer-page.ts';
import type { createAnswerQuery } from './answer-query.ts';
import { exportDescription, queryFaults, queryMediaTypes, rankingDescription } from './answer-query.ts';
import { askedByBody, queryBody } from './query-body.ts';

/** `POST /v1/data/{collection}/query`: what a list answers, asked for in a body. */
export const queryRecordsRoute = ({
  answerQuery,
}: {
  readonly answerQuery: ReturnType<typeof createAnswerQuery>;
}): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/data/{collection}/query',
    operationId: 'queryRecords',
    tag: 'data',
    summary: 'List or export records, by a query that is too long for an address',
    description: `The same as the list, whose cursors go on here and the other way round. It writes nothing. ${rankingDescription} ${exportDescription}`,
    access: 'public',
    params: z.object({ collection: z.string() }),
    body: queryBody,
    bodyLimitBytes: 1_048_576,
    requestHeaders: afterHeader,
    responses: {
      200: { description: 'A page of records, or all of them.', schema: pageAnswer, mediaTypes: queryMediaTypes },
    },
    faults: queryFaults,
    async handle(call) {
      // To caches every POST is a call of its own: what it is answered with is not kept.
      const name = call.params.collection;
      return (await answerQuery({ name, call, ask: () => askedByBody(call.body) })).answer;
    },
  });
