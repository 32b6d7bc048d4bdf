import { faults } from '@causeway/contracts';
import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';

import { definitionBusy } from '../collections/collections.errors.ts';
import { stillReferenced, tooManyDependents } from '../references/references.errors.ts';
import { callerOf } from '../rules/caller.ts';
import { ruleTooCostly } from '../rules/rules.errors.ts';
import type { createDeleteRecord } from './delete-record.ts';
import { recordParams } from './record-answer.ts';

/** `DELETE /v1/data/{collection}/{id}` */
export const deleteRecordRoute = ({
  deleteRecord,
}: {
  readonly deleteRecord: ReturnType<typeof createDeleteRecord>;
}): Route =>
  defineRoute({
    method: 'delete',
    path: '/v1/data/{collection}/{id}',
    operationId: 'deleteRecord',
    tag: 'data',
    summary: 'Delete a record',
    access: 'public',
    params: recordParams,
    requestHeaders: { 'If-Match': { description: 'Only if the record has this revision.' } },
    responses: {
      204: { description: 'Deleted.', headers: { 'Causeway-Event': { description: 'The id of the event.' } } },
    },
    faults: [
      faults.notFound,
      faults.forbidden,
      faults.preconditionFailed,
      faults.conflict,
      definitionBusy,
      ruleTooCostly,
      stillReferenced,
      tooManyDependents,
    ],
    async handle({ cause, params, token, ifMatch }) {
      const eventId = await deleteRecord(cause, { ...params, caller: callerOf(token), ifMatch });
      return { status: 204, headers: { 'Causeway-Event': eventId } };
    },
  });
