import { faults } from '@causeway/contracts';
import { parseAfter, readAfter } from '@causeway/events';
import type { ReadAfterOptions } from '@causeway/events';
import { defineRoute } from '@causeway/service';
import type { Answer, Route } from '@causeway/service';
import type { MongoClient } from 'mongodb';
import { z } from 'zod';

import type { Collection } from '../collections/collection-registry.ts';
import type { CursorCodec } from '../cursors/cursor-codec.ts';
import { csvType, ndjsonType } from '../exporting/export-records.ts';
import { exportRecords } from '../exporting/export-records.ts';
import { callerOf, principalKey } from '../rules/caller.ts';
import type { Caller } from '../rules/rule.ts';
import type { FindCurrent } from './find-current.ts';
import { faultOfQuery, readPage, visibleFilter } from './find-records.ts';
import { demandReadable } from './judge-record.ts';
import type { PagePlace } from './page-place.ts';
import { afterHeader } from './record-answer.ts';
import { answerProjected } from './project-record.ts';
import type { VisibleRecord } from './record.model.ts';
import type { QueryParameters } from './query-parameters.ts';
import { parseRecordQuery, queryParameters } from './query-parameters.ts';
import { queryTooSlow } from './records.errors.ts';

/** What {@link listRecordsRoute} is given. */
export interface ListRecordsDependencies {
  readonly findCurrent: FindCurrent;
  readonly client: MongoClient;
  readonly cursors: CursorCodec;
  readonly queryTimeoutMs: number;
}

const defaultLimit = 20;
/** Clients and proxies take headers of 8 to 16 KiB in all; a longer link is left out, `nextCursor` is there either way. */
const maxLinkLength = 4_096;

const pageAnswer = z.object({
  items: z.array(z.record(z.string(), z.unknown())),
  nextCursor: z.string().nullable(),
  count: z.int().optional(),
});

/** Only a list has pages. */
const refusePaging = ({ limit, cursor, count }: QueryParameters): void => {
  const errors = Object.entries({ limit, cursor, count })
    .filter(([, value]) => value !== undefined)
    .map(([parameter]) => ({
      parameter,
      code: 'not-in-exports',
      message: `Leave ${parameter} out: an export is the whole result.`,
    }));
  if (errors.length > 0) throw faults.invalidRequest({ errors });
};

/** `GET /v1/data/{collection}`: a page as JSON, or the whole result as a stream. */
export function listRecordsRoute({ findCurrent, client, cursors, queryTimeoutMs }: ListRecordsDependencies): Route {
  const list = async (
    collection: Collection,
    who: { readonly caller: Caller; readonly principal: string },
    parameters: QueryParameters,
    read: ReadAfterOptions,
  ): Promise<Answer<200>> => {
    const query = parseRecordQuery(parameters, collection.scalarTypesAt);
    const { filter, sort, fields, limit = defaultLimit, cursor } = parameters;
    const bound = cursors({
      collectionId: collection.id,
      query: ['list', filter, sort, fields],
      principal: who.principal,
    });
    const place = cursor === undefined ? undefined : (bound.decode(cursor, 'cursor') as PagePlace);
    const counting =
      parameters.count === 'true'
        ? collection.records.native.countDocuments(visibleFilter(collection, who.caller, query), {
            maxTimeMS: queryTimeoutMs,
            ...read,
          })
        : undefined;
    const answer = (record: VisibleRecord): unknown => answerProjected(record, query.fields);
    const options = { place, limit, timeoutMs: queryTimeoutMs, read, answer };
    const [page, count] = await Promise.all([readPage(collection, who.caller, query, options), counting]);
    const nextCursor = page.next === undefined ? null : bound.encode(page.next);
    return {
      status: 200,
      headers: { Link: nextCursor === null ? undefined : linkTo(collection.name, parameters, nextCursor) },
      // Put together of what was made while the page was read.
      json: `{"items":[${page.items.join(',')}],"nextCursor":${JSON.stringify(nextCursor)}${count === undefined ? '' : `,"count":${count}`}}`,
    };
  };

  return defineRoute({
    method: 'get',
    path: '/v1/data/{collection}',
    operationId: 'listRecords',
    tag: 'data',
    summary: 'List or export records',
    description: [
      `\`Accept: ${ndjsonType}\` or \`${csvType}\` streams the whole result instead of a page.`,
      'CSV has a column for each field that the schema declares, also by `allOf` and `$ref`; name others in `fields`.',
      "Cells of text that begin with `=`, `+`, `-` or `@` get a `'` before them; numbers stay numbers.",
    ].join(' '),
    access: 'public',
    params: z.object({ collection: z.string() }),
    query: queryParameters,
    requestHeaders: afterHeader,
    responses: {
      200: {
        description: 'A page of records, or all of them.',
        schema: pageAnswer,
        mediaTypes: ['application/json', ndjsonType, csvType],
        headers: {
          Link: { description: 'The next page (`rel="next"`), unless its address is too long for a header.' },
        },
      },
    },
    faults: [faults.notFound, queryTooSlow],
    async handle({ params, query: parameters, token, principal, headers, mediaType, signal }) {
      const after = parseAfter(headers['causeway-after']);
      const collection = await findCurrent(params.collection, after);
      if (collection === undefined) throw faults.notFound();
      const caller = callerOf(token);
      demandReadable(collection, caller);
      if (mediaType === ndjsonType || mediaType === csvType) {
        refusePaging(parameters);
        return exportRecords({
          collection,
          caller,
          parameters,
          mediaType,
          client,
          after,
          batchTimeoutMs: queryTimeoutMs,
          signal,
        });
      }
      try {
        const who = { caller, principal: principalKey(principal) };
        return await readAfter(client, after, (read) => list(collection, who, parameters, read));
      } catch (error) {
        throw faultOfQuery(error);
      }
    },
  });
}

function linkTo(name: string, parameters: QueryParameters, cursor: string): string | undefined {
  const own = Object.entries({ ...parameters, count: undefined, cursor }).flatMap(([parameter, value]) =>
    value === undefined ? [] : [[parameter, String(value)] as [string, string]],
  );
  const link = `</v1/data/${name}?${new URLSearchParams(own).toString()}>; rel="next"`;
  return link.length <= maxLinkLength ? link : undefined;
}
