import { faults } from '@causeway/contracts';
import { idempotencyFaults, parseIdempotencyKey } from '@causeway/events';
import { defineRoute, problemOf, streamBody } from '@causeway/service';
import type { Answer, Route } from '@causeway/service';
import type { Cause } from '@causeway/contracts';
import { z } from 'zod';

import { definitionBusy } from '../collections/collections.errors.ts';
import type { createImportRecords, ImportRecords } from '../importing/import-records.ts';
import { fieldForbidden, fieldReadOnly } from '../fields/fields.errors.ts';
import { referenceNotFound } from '../references/references.errors.ts';
import { callerOf, principalKey } from '../rules/caller.ts';
import { ruleTooCostly } from '../rules/rules.errors.ts';
import type { CreateRecord, createCreateRecord } from './create-record.ts';
import { eventHeader } from './event-ids.ts';
import { recordAnswer, writeHeaders } from './record-answer.ts';
import { duplicateValue, unindexable } from './records.errors.ts';

/** What {@link createRecordRoute} is given. */
export interface CreateRecordRouteDependencies {
  readonly createRecord: ReturnType<typeof createCreateRecord>;
  readonly importRecords: ReturnType<typeof createImportRecords>;
  readonly publicUrl: string;
}

const ndjsonType = 'application/x-ndjson';

const importAnswer = z.object({
  created: z.int(),
  failed: z.int(),
  errors: z.array(z.object({ line: z.int(), problem: z.record(z.string(), z.unknown()) })),
});

/** A record of 512 KiB, and the white space around its parts. */
const bodyLimitBytes = 2 * 524_288;

const replayedHeader = (replayed: boolean): string | undefined => (replayed ? 'true' : undefined);

/** `POST /v1/data/{collection}`: one record as JSON, or many, one a line. */
export function createRecordRoute({ createRecord, importRecords, publicUrl }: CreateRecordRouteDependencies): Route {
  const create = async (cause: Cause, command: CreateRecord): Promise<Answer<201>> => {
    const { record, tag, eventId, replayed } = await createRecord(cause, command);
    return {
      status: 201,
      headers: {
        Location: `/v1/data/${command.collection}/${record.id}`,
        ETag: tag,
        'Causeway-Event': eventId,
        'Idempotency-Replayed': replayedHeader(replayed),
      },
      body: record,
    };
  };

  const importLines = async (cause: Cause, command: ImportRecords): Promise<Answer<200>> => {
    const { answer, replayed } = await importRecords(cause, command);
    const { eventIds, ...body } = answer;
    return {
      status: 200,
      headers: {
        'Causeway-Event': eventHeader(eventIds),
        'Idempotency-Replayed': replayedHeader(replayed),
      },
      body,
    };
  };

  return defineRoute({
    method: 'post',
    path: '/v1/data/{collection}',
    operationId: 'createRecord',
    tag: 'data',
    summary: 'Create a record, or import many',
    description: `\`${ndjsonType}\`: one record a line; good lines stay, whatever becomes of the others.`,
    access: 'public',
    params: z.object({ collection: z.string() }),
    bodies: { 'application/json': z.record(z.string(), z.unknown()), [ndjsonType]: 'stream' },
    bodyLimitBytes,
    requestHeaders: {
      'Idempotency-Key': { description: 'Repeating the call with the same key has no second effect.' },
    },
    responses: {
      200: { description: 'What has become of the lines.', schema: importAnswer },
      201: {
        description: 'The record.',
        schema: recordAnswer,
        headers: { ...writeHeaders, Location: { description: 'Where the record is.' } },
      },
    },
    faults: [
      faults.notFound,
      faults.forbidden,
      duplicateValue,
      definitionBusy,
      unindexable,
      ruleTooCostly,
      fieldForbidden,
      fieldReadOnly,
      referenceNotFound,
      ...idempotencyFaults,
    ],
    async handle({ cause, params: { collection }, body, headers, token, principal, signal, draining }) {
      const caller = callerOf(token);
      const key = parseIdempotencyKey(headers['idempotency-key']);
      const call = { principal: principalKey(principal), route: `POST /v1/data/${collection}` };
      if (body.mediaType === 'application/json') {
        const fields: unknown = body.value;
        const request = key === undefined ? undefined : { ...call, key, body: fields };
        return await create(cause, { collection, fields, caller, request });
      }
      const request = key === undefined ? undefined : { ...call, key };
      const describe = (fault: Parameters<typeof problemOf>[0]): unknown => problemOf(fault, publicUrl);
      const lines = streamBody(body.value);
      return await importLines(cause, { collection, caller, body: lines, request, describe, signal, draining });
    },
  });
}
