import { faults } from '@causeway/contracts';
import { formatPosition, parseAfter } from '@causeway/events';
import { defineRoute, isNotModified } from '@causeway/service';
import type { Route } from '@causeway/service';

import { callerOf } from '../rules/caller.ts';
import { ruleTooCostly } from '../rules/rules.errors.ts';
import type { createReadRecord } from './read-record.ts';
import { afterHeader, keptHeaders, recordAnswer, recordParams } from './record-answer.ts';

/** `GET /v1/data/{collection}/{id}` */
export const readRecordRoute = ({ readRecord }: { readonly readRecord: ReturnType<typeof createReadRecord> }): Route =>
  defineRoute({
    method: 'get',
    path: '/v1/data/{collection}/{id}',
    operationId: 'readRecord',
    tag: 'data',
    summary: 'Read a record',
    access: 'public',
    params: recordParams,
    requestHeaders: {
      'If-None-Match': { description: 'Answers 304 where the revision is this one.' },
      ...afterHeader,
    },
    responses: {
      200: {
        description: 'The record.',
        schema: recordAnswer,
        headers: {
          ETag: { description: "The record's revision; weak for callers to whom fields may be hidden." },
          ...keptHeaders,
        },
      },
      304: { description: 'It has not changed.' },
    },
    faults: [faults.notFound, faults.unavailable, ruleTooCostly],
    async handle({ params, token, headers }) {
      const after = parseAfter(headers['causeway-after']);
      const { tag, json, position, keep } = await readRecord({ ...params, caller: callerOf(token), after });
      const own = {
        ...keep,
        ETag: tag,
        'Causeway-Position': position === undefined ? undefined : formatPosition(position),
      };
      if (isNotModified(headers['if-none-match'], own.ETag)) return { status: 304, headers: own };
      return { status: 200, headers: own, json };
    },
  });
