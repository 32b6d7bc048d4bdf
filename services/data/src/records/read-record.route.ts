import { faults } from '@causeway/contracts';
import { formatPosition, parseAfter } from '@causeway/events';
import { defineRoute, isNotModified } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { expandParameter } from '../expand/expand-parameter.ts';
import { queryTooCostly } from '../queries/queries.errors.ts';
import { callerOf } from '../rules/caller.ts';
import { ruleTooCostly } from '../rules/rules.errors.ts';
import type { createReadRecord } from './read-record.ts';
import { afterHeader, keptHeaders, recordAnswer, recordParams } from './record-answer.ts';
import { queryTooSlow } from './records.errors.ts';

/** `GET /v1/data/{collection}/{id}` */
export const readRecordRoute = ({ readRecord }: { readonly readRecord: ReturnType<typeof createReadRecord> }): Route =>
  defineRoute({
    method: 'get',
    path: '/v1/data/{collection}/{id}',
    operationId: 'readRecord',
    tag: 'data',
    summary: 'Read a record',
    access: 'public',
    description: 'With `expand`, what it refers to is shown beside it, as in a list.',
    params: recordParams,
    query: z.strictObject({ expand: expandParameter }),
    requestHeaders: {
      'If-None-Match': { description: 'Answers 304 where the revision is this one.' },
      ...afterHeader,
    },
    responses: {
      200: {
        description: 'The record.',
        schema: recordAnswer,
        headers: {
          ETag: {
            description: "The record's revision; weak for callers to whom fields may be hidden, and with `expand`.",
          },
          ...keptHeaders,
        },
      },
      304: { description: 'It has not changed.' },
    },
    faults: [faults.notFound, faults.unavailable, ruleTooCostly, queryTooCostly, queryTooSlow],
    async handle({ params, query, token, headers }) {
      const after = parseAfter(headers['causeway-after']);
      const expand = query.expand?.split(',');
      const { tag, json, position, keep } = await readRecord({ ...params, caller: callerOf(token), after, expand });
      const own = {
        ...keep,
        ETag: tag,
        'Causeway-Position': position === undefined ? undefined : formatPosition(position),
      };
      if (isNotModified(headers['if-none-match'], own.ETag)) return { status: 304, headers: own };
      return { status: 200, headers: own, json };
    },
  });
