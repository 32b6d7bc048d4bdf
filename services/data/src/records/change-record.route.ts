import { faults } from '@causeway/contracts';
import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { definitionBusy } from '../collections/collections.errors.ts';
import { operatorFailed } from '../operators/operators.errors.ts';
import { operatorsType } from '../operators/parse-operators.ts';
import { fieldForbidden, fieldReadOnly, fieldWriteOnce } from '../fields/fields.errors.ts';
import { referenceNotFound } from '../references/references.errors.ts';
import { callerOf } from '../rules/caller.ts';
import { ruleTooCostly } from '../rules/rules.errors.ts';
import type { createChangeRecord } from './change-record.ts';
import { patchBodies, patchOf } from './patch-bodies.ts';
import { answerWritten, recordAnswer, recordParams, writeHeaders } from './record-answer.ts';
import { duplicateValue, patchFailed, unindexable } from './records.errors.ts';

interface Dependencies {
  readonly changeRecord: ReturnType<typeof createChangeRecord>;
}

const bodyLimitBytes = 2 * 524_288;
const shared = {
  path: '/v1/data/{collection}/{id}',
  tag: 'data',
  access: 'public',
  params: recordParams,
  bodyLimitBytes,
  requestHeaders: { 'If-Match': { description: 'Only if the record has this revision.' } },
  responses: { 200: { description: 'The record.', schema: recordAnswer, headers: writeHeaders } },
} as const;
const changeFaults = [
  faults.notFound,
  faults.forbidden,
  faults.preconditionFailed,
  faults.conflict,
  duplicateValue,
  definitionBusy,
  unindexable,
  ruleTooCostly,
  fieldForbidden,
  fieldReadOnly,
  fieldWriteOnce,
  referenceNotFound,
];

/** `PUT /v1/data/{collection}/{id}`: all fields anew. */
export const replaceRecordRoute = ({ changeRecord }: Dependencies): Route =>
  defineRoute({
    ...shared,
    method: 'put',
    operationId: 'replaceRecord',
    summary: 'Replace a record',
    body: z.record(z.string(), z.unknown()),
    faults: changeFaults,
    async handle({ cause, params, body, token, ifMatch }) {
      const command = { ...params, caller: callerOf(token), ifMatch, change: () => body };
      const { shown, eventId } = await changeRecord(cause, command);
      return answerWritten(shown, eventId);
    },
  });

/** `PATCH /v1/data/{collection}/{id}`: some fields anew. */
export const patchRecordRoute = ({ changeRecord }: Dependencies): Route =>
  defineRoute({
    ...shared,
    method: 'patch',
    operationId: 'patchRecord',
    summary: 'Change a record',
    description: `\`${operatorsType}\`: operators by path, as in \`{"$inc": {"score": 1}, "$push": {"tags": "new"}}\`; many at once lose nothing.`,
    bodies: patchBodies,
    faults: [...changeFaults, patchFailed, operatorFailed, faults.unavailable],
    async handle({ cause, params, body, token, ifMatch }) {
      const command = { ...params, caller: callerOf(token), ifMatch, ...patchOf(body) };
      const { shown, eventId } = await changeRecord(cause, command);
      return answerWritten(shown, eventId);
    },
  });
