import { faults } from '@causeway/contracts';
import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { definitionBusy } from '../collections/collections.errors.ts';
import { fieldForbidden, fieldReadOnly, fieldWriteOnce } from '../fields/fields.errors.ts';
import { queryTooSlow, duplicateValue, unindexable } from '../records/records.errors.ts';
import { answerWritten, recordAnswer, writeHeaders } from '../records/record-answer.ts';
import { referenceNotFound } from '../references/references.errors.ts';
import { callerOf } from '../rules/caller.ts';
import { ruleTooCostly } from '../rules/rules.errors.ts';
import type { createUpsertRecord } from './upsert-record.ts';
import { keyNotUnique } from './upsert.errors.ts';

const bodyLimitBytes = 2 * 524_288;

/** @throws Fault `invalid-request` for anything else than `*`: whoever knows a revision says `If-Match` */
function isCreateOnly(header: string | undefined): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  const message = 'Send * to create only, or If-Match to change only.';
  throw faults.invalidRequest({ errors: [{ parameter: 'If-None-Match', code: 'malformed', message }] });
}

/** `PUT /v1/data/{collection}?by=…`: a record by its unique key, new or anew. */
export const upsertRecordRoute = ({
  upsertRecord,
}: {
  readonly upsertRecord: ReturnType<typeof createUpsertRecord>;
}): Route =>
  defineRoute({
    method: 'put',
    path: '/v1/data/{collection}',
    operationId: 'upsertRecord',
    tag: 'data',
    summary: 'Create a record, or replace the one with its unique key',
    description:
      '`by` names the fields of a unique index. Fields with a default, read-only and write-once ones stay as they are where they are left out, so that the same call twice changes nothing.',
    access: 'public',
    params: z.object({ collection: z.string() }),
    query: z.strictObject({
      by: z.string().min(1).max(2_048).meta({
        description: 'The fields of a unique index, with commas between, such as `slug` or `createdBy,slug`.',
      }),
    }),
    body: z.record(z.string(), z.unknown()),
    bodyLimitBytes,
    requestHeaders: {
      'If-Match': { description: 'Only if there is a record, and it has this revision (`*`: any).' },
      'If-None-Match': { description: '`*`: only if there is none that the caller may see.' },
    },
    responses: {
      200: { description: 'The record, which was there.', schema: recordAnswer, headers: writeHeaders },
      201: {
        description: 'The record, which is new.',
        schema: recordAnswer,
        headers: { ...writeHeaders, Location: { description: 'Where the record is.' } },
      },
    },
    faults: [
      faults.notFound,
      faults.forbidden,
      faults.preconditionFailed,
      faults.conflict,
      faults.unavailable,
      keyNotUnique,
      duplicateValue,
      definitionBusy,
      unindexable,
      ruleTooCostly,
      queryTooSlow,
      fieldForbidden,
      fieldReadOnly,
      fieldWriteOnce,
      referenceNotFound,
    ],
    async handle({ cause, params, query, body, headers, token, ifMatch }) {
      const createOnly = isCreateOnly(headers['if-none-match']);
      const by = query.by.split(',').map((name) => name.trim());
      const command = { ...params, by, fields: body, caller: callerOf(token), ifMatch, createOnly };
      const { shown, eventId, isNew } = await upsertRecord(cause, command);
      const answer = answerWritten(shown, eventId);
      if (!isNew) return answer;
      const Location = `/v1/data/${params.collection}/${shown.record.id}`;
      return { ...answer, status: 201, headers: { ...answer.headers, Location } };
    },
  });
