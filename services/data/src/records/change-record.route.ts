import { faults } from '@causeway/contracts';
import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { definitionBusy } from '../collections/collections.errors.ts';
import { callerOf } from '../rules/caller.ts';
import { ruleTooCostly } from '../rules/rules.errors.ts';
import type { createChangeRecord } from './change-record.ts';
import { applyJsonPatch, jsonPatch, jsonPatchType } from './json-patch.ts';
import { mergePatch, mergePatchType } from './merge-patch.ts';
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
      const { document, eventId } = await changeRecord(cause, command);
      return answerWritten(document, eventId);
    },
  });

/** `PATCH /v1/data/{collection}/{id}`: some fields anew. */
export const patchRecordRoute = ({ changeRecord }: Dependencies): Route =>
  defineRoute({
    ...shared,
    method: 'patch',
    operationId: 'patchRecord',
    summary: 'Change a record',
    bodies: { [mergePatchType]: z.record(z.string(), z.unknown()), [jsonPatchType]: jsonPatch },
    faults: [...changeFaults, patchFailed],
    async handle({ cause, params, body, token, ifMatch }) {
      const change = (fields: unknown): unknown =>
        body.mediaType === mergePatchType ? mergePatch(fields, body.value) : applyJsonPatch(fields, body.value);
      const { document, eventId } = await changeRecord(cause, { ...params, caller: callerOf(token), ifMatch, change });
      return answerWritten(document, eventId);
    },
  });
