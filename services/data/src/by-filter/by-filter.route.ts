import { faults } from '@causeway/contracts';
import type { Fault } from '@causeway/contracts';
import { defineRoute, problemOf } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { definitionBusy } from '../collections/collections.errors.ts';
import { queryNeedsIndex, queryTooCostly } from '../queries/queries.errors.ts';
import { eventHeader } from '../records/event-ids.ts';
import { patchBodies, patchOf } from '../records/patch-bodies.ts';
import { afterHeader } from '../records/record-answer.ts';
import { queryTooSlow } from '../records/records.errors.ts';
import { ruleTooCostly } from '../rules/rules.errors.ts';
import { askedMany, manyParameters } from './asked-many.ts';
import { tooManyMatches } from './by-filter.errors.ts';
import type { createChangeMatching } from './change-matching.ts';
import type { createDeleteMatching } from './delete-matching.ts';
import type { createRunByFilter, DoneByFilter } from './run-by-filter.ts';

/** What the routes are given. */
export interface ByFilterRouteDependencies {
  readonly runByFilter: ReturnType<typeof createRunByFilter>;
  readonly publicUrl: string;
}

/** Records that are read, decided and written together; each stands or falls by itself. */
const changesTogether = 500;
/** Records of one transaction. */
const deletesTogether = 100;

const refused = z.array(z.object({ id: z.string(), problem: z.record(z.string(), z.unknown()) }));
const common = {
  matched: z.int().describe('Records that met the filter when their turn came, refused ones included.'),
  refused: refused.describe('Those that could not be written, and why: the first 100, fewer where they are long.'),
  dryRun: z.boolean(),
  nextCursor: z.string().nullable().describe('Where to go on: more match than `limit`, or the time was up.'),
};
const changeAnswer = z.object({ ...common, changed: z.int(), unchanged: z.int() });
const deleteAnswer = z.object({ ...common, deleted: z.int() });

const shared = {
  path: '/v1/data/{collection}',
  tag: 'data',
  access: 'public',
  params: z.object({ collection: z.string() }),
  query: manyParameters,
  requestHeaders: afterHeader,
  faults: [
    faults.notFound,
    faults.forbidden,
    faults.unavailable,
    tooManyMatches,
    definitionBusy,
    queryNeedsIndex,
    queryTooCostly,
    queryTooSlow,
    ruleTooCostly,
  ],
} as const;
const headers = {
  'Causeway-Event': { description: 'The ids of the events; absent where there are none, or over 10.' },
};

const describeBy =
  (publicUrl: string) =>
  (fault: Fault): unknown =>
    problemOf(fault, publicUrl);

/** What the parts of an answer are that both have. */
const answerOf = ({ matched, refused: each, nextCursor, eventIds }: DoneByFilter, dryRun: boolean) => ({
  headers: { 'Causeway-Event': eventHeader(eventIds) },
  body: { matched, refused: each, dryRun, nextCursor: nextCursor ?? null },
});

/** `PATCH /v1/data/{collection}?filter=…`: a patch of all records that match. */
export const patchMatchingRoute = ({
  runByFilter,
  changeMatching,
  publicUrl,
}: ByFilterRouteDependencies & { readonly changeMatching: ReturnType<typeof createChangeMatching> }): Route =>
  defineRoute({
    ...shared,
    method: 'patch',
    operationId: 'patchMatchingRecords',
    summary: 'Change all records that match a filter',
    description:
      'Each record stands or falls by itself, by the rules of a single change. What matched when the call began is changed where it matches still. `dryRun=true` decides all but what indexes say, and changes nothing.',
    bodies: patchBodies,
    bodyLimitBytes: 2 * 524_288,
    responses: { 200: { description: 'What has become of them.', schema: changeAnswer, headers } },
    async handle(call) {
      const { cause, params, query, body } = call;
      const asked = askedMany(query);
      const patch = patchOf(body);
      const done = await runByFilter({
        ...{ name: params.collection, asked, call, chunkSize: changesTogether, describe: describeBy(publicUrl) },
        judgements: ['update-before', 'update-after'],
        begin: (matching) => changeMatching(cause, { name: params.collection, matching, patch, dryRun: asked.dryRun }),
      });
      const { body: parts, ...answer } = answerOf(done, asked.dryRun);
      return { status: 200, ...answer, body: { ...parts, changed: done.written, unchanged: done.unchanged } };
    },
  });

/** `DELETE /v1/data/{collection}?filter=…`: the end of all records that match. */
export const deleteMatchingRoute = ({
  runByFilter,
  deleteMatching,
  publicUrl,
}: ByFilterRouteDependencies & { readonly deleteMatching: ReturnType<typeof createDeleteMatching> }): Route =>
  defineRoute({
    ...shared,
    method: 'delete',
    operationId: 'deleteMatchingRecords',
    summary: 'Delete all records that match a filter',
    description:
      'Each record by the rules of a single delete, with what its references have follow; in the order of their ids, each by what those before it have left. `dryRun=true` decides all but what indexes say, and deletes nothing.',
    responses: { 200: { description: 'What has become of them.', schema: deleteAnswer, headers } },
    async handle(call) {
      const { cause, params, query } = call;
      const asked = askedMany(query);
      const done = await runByFilter({
        ...{ name: params.collection, asked, call, chunkSize: deletesTogether, describe: describeBy(publicUrl) },
        judgements: ['delete'],
        begin: (matching) => deleteMatching(cause, { name: params.collection, matching, dryRun: asked.dryRun }),
      });
      const { body: parts, ...answer } = answerOf(done, asked.dryRun);
      return { status: 200, ...answer, body: { ...parts, deleted: done.written } };
    },
  });
