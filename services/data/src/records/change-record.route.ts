import { faults } from '@causeway/contracts';
import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { definitionBusy } from '../collections/collections.errors.ts';
import { applyOperators } from '../operators/apply-operators.ts';
import { operatorFailed } from '../operators/operators.errors.ts';
import { operatorsType, parseOperators } from '../operators/parse-operators.ts';
import { fieldForbidden, fieldReadOnly, fieldWriteOnce } from '../fields/fields.errors.ts';
import { referenceNotFound } from '../references/references.errors.ts';
import { callerOf } from '../rules/caller.ts';
import { ruleTooCostly } from '../rules/rules.errors.ts';
import type { createChangeRecord } from './change-record.ts';
import { applyJsonPatch, jsonPatch, jsonPatchType } from './json-patch.ts';
import { mergePatch, mergePatchType } from './merge-patch.ts';
import { answerWritten, recordAnswer, recordParams, writeHeaders } from './record-answer.ts';
import type { Fields } from './record.model.ts';
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

/** What a patch makes of a record's fields. */
function changeOf(
  body:
    | { readonly mediaType: typeof mergePatchType | typeof operatorsType; readonly value: unknown }
    | { readonly mediaType: typeof jsonPatchType; readonly value: z.output<typeof jsonPatch> },
): (fields: Fields) => unknown {
  switch (body.mediaType) {
    case mergePatchType:
      return (fields) => mergePatch(fields, body.value);
    case jsonPatchType:
      return (fields) => applyJsonPatch(fields, body.value);
    case operatorsType: {
      const operators = parseOperators(body.value);
      if (!operators.ok) throw faults.invalidRequest({ errors: operators.faults });
      return (fields) => applyOperators(fields, operators.value);
    }
  }
}

/** `PATCH /v1/data/{collection}/{id}`: some fields anew. */
export const patchRecordRoute = ({ changeRecord }: Dependencies): Route =>
  defineRoute({
    ...shared,
    method: 'patch',
    operationId: 'patchRecord',
    summary: 'Change a record',
    description: `\`${operatorsType}\`: operators by path, as in \`{"$inc": {"score": 1}, "$push": {"tags": "new"}}\`; many at once lose nothing.`,
    bodies: {
      [mergePatchType]: z.record(z.string(), z.unknown()),
      [jsonPatchType]: jsonPatch,
      [operatorsType]: z.record(z.string(), z.unknown()),
    },
    faults: [...changeFaults, patchFailed, operatorFailed, faults.unavailable],
    async handle({ cause, params, body, token, ifMatch }) {
      const isAtomic = body.mediaType === operatorsType;
      const command = { ...params, caller: callerOf(token), ifMatch, change: changeOf(body), isAtomic };
      const { shown, eventId } = await changeRecord(cause, command);
      return answerWritten(shown, eventId);
    },
  });
