import { faults } from '@causeway/contracts';
import { parseAfter } from '@causeway/events';
import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import type { CursorCodec } from '../cursors/cursor-codec.ts';
import type { FindCurrent } from '../records/find-current.ts';
import { demandReadable } from '../records/judge-record.ts';
import { afterHeader } from '../records/record-answer.ts';
import { parseFilter } from '../queries/asked-query.ts';
import { filterOf, filterParameter, inParameters } from '../queries/query-parameters.ts';
import { callerOf, principalKey } from '../rules/caller.ts';
import type { FeedHub } from './feed-hub.ts';
import { Feed } from './feed.ts';
import { fromStored } from './place.ts';

/** What {@link changesRoute} is given. */
export interface ChangesDependencies {
  readonly findCurrent: FindCurrent;
  readonly cursors: CursorCodec;
  readonly hub: FeedHub;
}

const parameter = 'Last-Event-ID';

const malformedCursor = () =>
  faults.invalidRequest({
    errors: [{ parameter, code: 'invalid-cursor', message: 'Send the last id of a feed.' }],
  });

/** `GET /v1/data/{collection}/changes` */
export const changesRoute = ({ findCurrent, cursors, hub }: ChangesDependencies): Route =>
  defineRoute({
    method: 'get',
    path: '/v1/data/{collection}/changes',
    operationId: 'followChanges',
    tag: 'data',
    summary: 'Follow the changes of a collection',
    description:
      '`created`, `updated`, `deleted`, `entered` and `left` tell of changes; `gap` says that some are missing and why; `end` says why the feed ends. Each `id` is a cursor, to be sent as `Last-Event-ID`.',
    access: 'public',
    params: z.object({ collection: z.string() }),
    query: z.strictObject({ filter: filterParameter }),
    requestHeaders: {
      [parameter]: { description: 'The last `id` that was read: the feed goes on after it.' },
      ...afterHeader,
    },
    responses: { 200: { description: 'The feed.', mediaTypes: ['text/event-stream'] } },
    faults: [faults.notFound, faults.unavailable],
    async handle({ params, query, token, principal, headers, draining }) {
      const collection = await findCurrent(params.collection, parseAfter(headers['causeway-after']));
      if (collection === undefined) throw faults.notFound();
      demandReadable(collection, callerOf(token));
      const filter = parseFilter(filterOf(query.filter), inParameters);
      const binding = {
        collectionId: collection.id,
        query: ['changes', query.filter],
        principal: principalKey(principal),
      };
      const bound = cursors(binding);
      const [given] = [headers['last-event-id']].flat();
      const cursor = given === undefined ? undefined : fromStored(bound.decode(given, { parameter }));
      if (given !== undefined && cursor === undefined) throw malformedCursor();
      await hub.admit();
      return {
        status: 200,
        headers: {
          'Content-Type': 'text/event-stream; charset=utf-8',
          'Cache-Control': 'no-store',
          'X-Accel-Buffering': 'no',
        },
        stream: async (response) => {
          const feed = new Feed({ collection, caller: callerOf(token), token, filter, cursors: bound, response });
          const drain = (): void => feed.end('end', 'shutdown');
          draining.addEventListener('abort', drain, { once: true });
          try {
            await hub.serve(feed, cursor, given);
          } finally {
            draining.removeEventListener('abort', drain);
          }
        },
      };
    },
  });
