import { faults } from '@causeway/contracts';
import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { collectionReferenced } from '../references/references.errors.ts';
import { eventHeader } from '../records/event-ids.ts';
import { collectionNotEmpty, definitionBusy } from './collections.errors.ts';
import type { createRemoveCollection } from './remove-collection.ts';

const headers = {
  'Causeway-Event': {
    description: 'The ids of the events, those of the records first; absent where they are over 10.',
  },
};

/** `DELETE /v1/collections/{name}` */
export const removeCollectionRoute = ({
  removeCollection,
}: {
  readonly removeCollection: ReturnType<typeof createRemoveCollection>;
}): Route =>
  defineRoute({
    method: 'delete',
    path: '/v1/collections/{name}',
    operationId: 'removeCollection',
    tag: 'data',
    summary: 'Remove a collection',
    access: 'admin',
    params: z.object({ name: z.string() }),
    query: z.strictObject({ records: z.literal('delete').optional() }),
    requestHeaders: { 'If-Match': { description: 'Only if the definition has this revision.' } },
    responses: {
      204: { description: 'Removed.', headers },
    },
    faults: [faults.notFound, collectionNotEmpty, collectionReferenced, definitionBusy, faults.preconditionFailed],
    async handle({ cause, params: { name }, query, ifMatch, signal }) {
      const withRecords = query.records === 'delete';
      const eventIds = await removeCollection(cause, { name, withRecords, ifMatch, signal });
      return { status: 204, headers: { 'Causeway-Event': eventHeader(eventIds) } };
    },
  });
