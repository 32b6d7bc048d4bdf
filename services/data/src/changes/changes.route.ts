import { faults } from '@causeway/contracts';
import { parseAfter } from '@causeway/events';
import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import type { Collection } from '../collections/collection-registry.ts';
import type { Condition, Operand } from '../conditions/condition.ts';
import type { BoundCursors, CursorCodec } from '../cursors/cursor-codec.ts';
import type { FindCurrent } from '../records/find-current.ts';
import { demandReadable } from '../records/judge-record.ts';
import { afterHeader } from '../records/record-answer.ts';
import { queryTooSlow } from '../records/records.errors.ts';
import { parseFilter } from '../queries/asked-query.ts';
import { faultOfQuery } from '../queries/find-records.ts';
import type { AdmitQuery } from '../queries/plan/admit-query.ts';
import { queryNeedsIndex, queryTooCostly } from '../queries/queries.errors.ts';
import { filterOf, filterParameter, inParameters } from '../queries/query-parameters.ts';
import { callerOf, principalKey } from '../rules/caller.ts';
import type { Caller } from '../rules/rule.ts';
import type { FeedCursors } from './feed-cursors.ts';
import { demandSeen } from '../rules/see.ts';
import type { FeedBeginning, FeedHub } from './feed-hub.ts';
import { Feed } from './feed.ts';
import { snapshotQuery } from './snapshot/send-snapshot.ts';
import type { Release, SnapshotPlaces } from './snapshot/snapshot-places.ts';
import { snapshotBusy } from './snapshot/snapshot.errors.ts';

/** What {@link changesRoute} is given. */
export interface ChangesDependencies {
  readonly findCurrent: FindCurrent;
  readonly cursors: CursorCodec;
  readonly feedCursors: FeedCursors;
  readonly hub: FeedHub;
  readonly admit: Pick<AdmitQuery, 'demand'>;
  readonly places: SnapshotPlaces;
  readonly now: () => Date;
}

const parameter = 'Last-Event-ID';

/** Where a feed goes on; undefined where it begins. @throws Fault `invalid-request`, `not-found` */
function resumedAt(
  header: string | string[] | undefined,
  feedCursors: FeedCursors,
  bound: BoundCursors,
): FeedBeginning['resumed'] {
  const [given] = [header].flat();
  return given === undefined ? undefined : { cursor: feedCursors.read(given, bound), given };
}

/** Judges what a feed begins with as the query that it is, and takes a place for it. */
async function prepareSnapshot(
  { admit, places, now }: Pick<ChangesDependencies, 'admit' | 'places' | 'now'>,
  asked: { readonly collection: Collection; readonly caller: Caller; readonly filter: Condition<Operand> },
  signal: AbortSignal,
): Promise<Release> {
  try {
    await admit.demand({ ...asked, query: snapshotQuery(asked.filter, now()), read: {} });
  } catch (error) {
    throw faultOfQuery(error);
  }
  return await places.take(signal);
}

/** `GET /v1/data/{collection}/changes` */
export const changesRoute = ({ findCurrent, cursors, feedCursors, hub, ...snapshots }: ChangesDependencies): Route =>
  defineRoute({
    method: 'get',
    path: '/v1/data/{collection}/changes',
    operationId: 'followChanges',
    tag: 'data',
    summary: 'Follow the changes of a collection',
    description: [
      '`created`, `updated`, `deleted`, `entered` and `left` tell of changes; `gap` says that some are missing and why; `end` says why the feed ends.',
      'Each `id` is a cursor, to be sent as `Last-Event-ID`; changes that were committed together have one after the last of them.',
      'With `snapshot=true` it begins with the current result, one `current` each, then `ready`, then exactly what follows; after a `gap` the result comes once more, in place of what there was.',
    ].join(' '),
    access: 'public',
    params: z.object({ collection: z.string() }),
    query: z.strictObject({
      filter: filterParameter,
      snapshot: z
        .enum(['true', 'false'])
        .optional()
        .describe('Whether the current result comes first, and again where changes are missing.'),
    }),
    requestHeaders: {
      [parameter]: { description: 'The last `id` that was read: the feed goes on after it.' },
      ...afterHeader,
    },
    responses: { 200: { description: 'The feed.', mediaTypes: ['text/event-stream'] } },
    faults: [faults.notFound, faults.unavailable, snapshotBusy, queryNeedsIndex, queryTooCostly, queryTooSlow],
    async handle({ params, query, token, principal, headers, draining, signal, response: answer }) {
      const after = parseAfter(headers['causeway-after']);
      const collection = await findCurrent(params.collection, after);
      const caller = callerOf(token);
      if (collection === undefined) throw faults.notFound();
      demandReadable(collection, caller);
      const filter = parseFilter(filterOf(query.filter), inParameters);
      demandSeen(collection, caller, { filter }, inParameters);
      // A cursor is good for both kinds: it says what was seen, and not how.
      const bound = cursors({
        collectionId: collection.id,
        query: ['changes', query.filter],
        principal: principalKey(principal),
      });
      const resumed = resumedAt(headers['last-event-id'], feedCursors, bound);
      await hub.admit();
      const isSnapshot = query.snapshot === 'true';
      const asked = { collection, caller, filter };
      const snapshotPlace =
        isSnapshot && resumed === undefined ? await prepareSnapshot(snapshots, asked, signal) : undefined;
      // Whatever becomes of the answer, also where nothing is streamed at all.
      if (snapshotPlace !== undefined) answer.once('close', snapshotPlace);
      return {
        status: 200,
        headers: {
          'Content-Type': 'text/event-stream; charset=utf-8',
          'Cache-Control': 'no-store',
          'X-Accel-Buffering': 'no',
        },
        stream: async (response) => {
          const beginCursors = (rule: string): string => feedCursors.begin(bound, rule);
          const feed = new Feed({ ...asked, token, beginCursors, response, snapshots: isSnapshot });
          const drain = (): void => feed.end('end', 'shutdown');
          draining.addEventListener('abort', drain, { once: true });
          try {
            await hub.serve(feed, { resumed, after, snapshotPlace });
          } finally {
            draining.removeEventListener('abort', drain);
          }
        },
      };
    },
  });
