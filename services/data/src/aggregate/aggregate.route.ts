import { faults } from '@causeway/contracts';
import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { explanation } from '../queries/plan/explain-query.ts';
import { queryNeedsIndex, queryTooCostly } from '../queries/queries.errors.ts';
import { afterHeader } from '../records/record-answer.ts';
import { queryTooSlow } from '../records/records.errors.ts';
import { ruleTooCostly } from '../rules/rules.errors.ts';
import { aggregateBody } from './aggregate-body.ts';
import { resultOutOfRange } from './aggregate.errors.ts';
import type { createAnswerAggregate } from './answer-aggregate.ts';

const description = [
  'What is put together are the records that the caller may read, by the fields that they see in every one of them.',
  '`group` takes `{"by": {name: field}, "fields": {name: "count" | {"sum": field} | …}}`, with `sum`, `avg`, `min`, `max`, `first`, `last`, `addToSet` and `countDistinct`;',
  '`bucket` puts together numbers by `boundaries`, or times by a `unit` of the calendar in a `timeZone`.',
  '`lookup` shows what a reference names, as the caller sees it. It writes nothing, and answers up to 1,000 rows.',
].join(' ');

/** `POST /v1/data/{collection}/aggregate`: what records come to, together. */
export const aggregateRoute = ({
  answerAggregate,
}: {
  readonly answerAggregate: ReturnType<typeof createAnswerAggregate>;
}): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/data/{collection}/aggregate',
    operationId: 'aggregateRecords',
    tag: 'data',
    summary: 'Count, add up and group records',
    description,
    access: 'public',
    params: z.object({ collection: z.string() }),
    body: aggregateBody,
    bodyLimitBytes: 1_048_576,
    requestHeaders: afterHeader,
    responses: {
      200: {
        description: 'The rows of the result.',
        schema: z.object({ items: z.array(z.record(z.string(), z.unknown())), explain: explanation.optional() }),
      },
    },
    faults: [
      faults.notFound,
      faults.forbidden,
      queryTooSlow,
      queryNeedsIndex,
      queryTooCostly,
      resultOutOfRange,
      ruleTooCostly,
    ],
    handle: (call) => answerAggregate({ name: call.params.collection, call, body: call.body }),
  });
