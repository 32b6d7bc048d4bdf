import { faults } from '@causeway/contracts';
import { parseAfter } from '@causeway/events';
import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { queryNeedsIndex, queryTooCostly } from '../queries/queries.errors.ts';
import { filterOf, filterParameter, inParameters } from '../queries/query-parameters.ts';
import { afterHeader } from '../records/record-answer.ts';
import { queryTooSlow } from '../records/records.errors.ts';
import { ruleTooCostly } from '../rules/rules.errors.ts';
import { createChannelWriter } from './channel-writer.ts';
import { createEventStreamWriter } from './event-stream-writer.ts';
import type { FeedWriter } from './feed-writer.ts';
import type { OpenFeed } from './open-feed.ts';
import { snapshotBusy } from './snapshot/snapshot.errors.ts';

/** The feed's last `id`. */
const resumeHeader = 'Last-Event-ID';

/** `GET /v1/data/{collection}/changes` */
export const changesRoute = (openFeed: OpenFeed): Route =>
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
      [resumeHeader]: { description: 'The last `id` that was read: the feed goes on after it.' },
      ...afterHeader,
    },
    responses: { 200: { description: 'The feed.', mediaTypes: ['text/event-stream'] } },
    faults: [
      faults.notFound,
      faults.unavailable,
      snapshotBusy,
      queryNeedsIndex,
      queryTooCostly,
      queryTooSlow,
      ruleTooCostly,
    ],
    async handle({ params, query, token, principal, headers, draining, signal, response: answer }) {
      const [resume] = [headers['last-event-id']].flat();
      const asked = {
        collection: params.collection,
        filter: filterOf(query.filter),
        filterText: query.filter,
        snapshot: query.snapshot === 'true',
        ...{ resume, resumePlace: { parameter: resumeHeader } },
        ...{ after: parseAfter(headers['causeway-after']), locate: inParameters },
      };
      const opened = await openFeed(asked, { token, principal }, signal);
      let goesOn = false;
      // Whatever becomes of the answer, also where nothing is streamed at all.
      answer.once('close', () => {
        if (!goesOn) opened.release();
      });
      const tell = async (writer: FeedWriter): Promise<void> => {
        const { feed, over } = opened.begin(writer, token);
        const drain = (): void => feed.end('end', 'shutdown');
        draining.addEventListener('abort', drain, { once: true });
        if (draining.aborted) drain();
        try {
          await over;
        } finally {
          draining.removeEventListener('abort', drain);
        }
      };
      return {
        status: 200,
        headers: {
          'Content-Type': 'text/event-stream; charset=utf-8',
          'Cache-Control': 'no-store',
          'X-Accel-Buffering': 'no',
        },
        stream: (response) => tell(createEventStreamWriter(response)),
        channel: async (channel) => {
          goesOn = true;
          try {
            await tell(createChannelWriter(channel));
          } finally {
            opened.release();
          }
        },
      };
    },
  });
