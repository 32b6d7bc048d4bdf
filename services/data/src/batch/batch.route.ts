import { faults } from '@causeway/contracts';
import { idempotencyFaults, parseIdempotencyKey } from '@causeway/events';
import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { definitionBusy } from '../collections/collections.errors.ts';
import { fieldForbidden, fieldReadOnly, fieldWriteOnce } from '../fields/fields.errors.ts';
import { operatorFailed } from '../operators/operators.errors.ts';
import { eventHeader } from '../records/event-ids.ts';
import { recordAnswer } from '../records/record-answer.ts';
import { duplicateValue, patchFailed, unindexable } from '../records/records.errors.ts';
import { referenceNotFound, stillReferenced, tooManyDependents } from '../references/references.errors.ts';
import { callerOf, principalKey } from '../rules/caller.ts';
import { ruleTooCostly } from '../rules/rules.errors.ts';
import { batchTooLarge, batchTooSlow } from './batch.errors.ts';
import { parseBatch } from './parse-batch.ts';
import type { createRunBatch } from './run-batch.ts';

const bodyLimitBytes = 8 * 1_048_576;

const description = [
  'Each operation is one of',
  '',
  '- `{"op": "create", "collection", "fields", "as"?}`: `as` names what it makes, for `{"$id": name}` in the fields or as the `id` of operations after it,',
  '- `{"op": "update", "collection", "id", "ifMatch"?, "fields" | "merge" | "patch" | "operators"}`: all fields anew, or a patch of one of the kinds of a single record,',
  '- `{"op": "delete", "collection", "id", "ifMatch"?}`,',
  '- `{"op": "check", "collection", "id", "ifMatch"}`: the record has this revision when the batch is done.',
  '',
  '`ifMatch` is a revision, as a number. They are done in their order, each by what those before it have left, under the rules of single calls. The first that',
  'fails is answered as its own call would be, with its number as `operation`, and nothing is done. At most 1,000 operations and 5 seconds.',
].join('\n');

/** `POST /v1/batch`: all of it or nothing. */
export const batchRoute = ({ runBatch }: { readonly runBatch: ReturnType<typeof createRunBatch> }): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/batch',
    operationId: 'runBatch',
    tag: 'data',
    summary: 'Create, change and delete records of several collections, all or nothing',
    description,
    access: 'public',
    query: z.object({ return: z.literal('minimal').optional() }),
    body: z.object({ operations: z.array(z.unknown()) }),
    bodyLimitBytes,
    requestHeaders: {
      'Idempotency-Key': { description: 'Repeating the call with the same key has no second effect.' },
    },
    responses: {
      200: {
        description: 'What each operation has come to, in their order.',
        schema: z.object({
          batchId: z.string().optional(),
          results: z.array(
            z.object({
              status: z.union([z.literal(200), z.literal(201), z.literal(204)]),
              id: z.string(),
              revision: z.int(),
              record: recordAnswer.optional(),
            }),
          ),
        }),
        headers: {
          'Causeway-Event': { description: 'The ids of its events, as long as they are at most 10.' },
          'Idempotency-Replayed': { description: '`true` where an earlier call with this key was answered.' },
        },
      },
    },
    faults: [
      faults.notFound,
      faults.forbidden,
      faults.conflict,
      faults.preconditionFailed,
      batchTooLarge,
      batchTooSlow,
      duplicateValue,
      patchFailed,
      operatorFailed,
      definitionBusy,
      unindexable,
      ruleTooCostly,
      fieldForbidden,
      fieldReadOnly,
      fieldWriteOnce,
      referenceNotFound,
      stillReferenced,
      tooManyDependents,
      ...idempotencyFaults,
    ],
    async handle({ cause, body, query, headers, token, principal }) {
      const key = parseIdempotencyKey(headers['idempotency-key']);
      const minimal = query.return === 'minimal';
      const operations = parseBatch(body.operations);
      const call = { principal: principalKey(principal), route: 'POST /v1/batch' };
      const request = key === undefined ? undefined : { ...call, key, body: { ...body, minimal } };
      const { answer, replayed } = await runBatch(cause, { operations, caller: callerOf(token), request, minimal });
      const { eventIds, ...shown } = answer;
      return {
        status: 200,
        headers: {
          'Causeway-Event': eventHeader(eventIds),
          'Idempotency-Replayed': replayed ? 'true' : undefined,
        },
        body: shown,
      };
    },
  });
