import { faults } from '@causeway/contracts';
import { parseAfter, readAfter } from '@causeway/events';
import type { ReadAfterOptions } from '@causeway/events';
import type { Answer, Call } from '@causeway/service';
import type { MongoClient } from 'mongodb';
import { z } from 'zod';

import type { Collection } from '../collections/collection-registry.ts';
import type { CursorCodec } from '../cursors/cursor-codec.ts';
import { csvType, exportRecords, ndjsonType } from '../exporting/export-records.ts';
import type { FindCurrent } from '../records/find-current.ts';
import { demandReadable } from '../records/judge-record.ts';
import type { VisibleRecord } from '../records/record.model.ts';
import { callerOf, principalKey } from '../rules/caller.ts';
import type { Caller } from '../rules/rule.ts';
import type { AskedQuery, QueryPart, RecordQuery } from './asked-query.ts';
import { bindingOf, parseRecordQuery } from './asked-query.ts';
import { faultOfQuery, readPage, visibleFilter } from './find-records.ts';
import type { PagePlace } from './page-place.ts';
import { answerProjected } from './project-record.ts';

/** What {@link createAnswerQuery} is given. */
export interface AnswerQueryDependencies {
  readonly findCurrent: FindCurrent;
  readonly client: MongoClient;
  readonly cursors: CursorCodec;
  readonly queryTimeoutMs: number;
}

/** A query as a route hands it on. */
export interface AnswerQuery {
  /** The collection's name. */
  readonly name: string;
  readonly call: Pick<Call, 'token' | 'principal' | 'headers' | 'mediaType' | 'signal'>;
  /** Reads what is asked for; called once it is known that the caller may know of the collection. */
  readonly ask: () => AskedQuery;
  /** Where the next page is, for a header; undefined where no address says so. */
  readonly linkTo?: (cursor: string) => string | undefined;
}

/** A query with all that is known by the time it is run. */
interface Asked {
  readonly collection: Collection;
  readonly caller: Caller;
  readonly asked: AskedQuery;
  readonly query: RecordQuery;
}

const defaultLimit = 20;

/** Media types of an answer: a page, or one of the forms of an export. */
export const queryMediaTypes = ['application/json', ndjsonType, csvType] as const;

/** A page as it is answered. */
export const pageAnswer = z.object({
  items: z.array(z.record(z.string(), z.unknown())),
  nextCursor: z.string().nullable(),
  count: z.int().optional(),
});

/** Says of both routes what an export is. */
export const exportDescription = [
  `\`Accept: ${ndjsonType}\` or \`${csvType}\` streams the whole result instead of a page.`,
  'CSV has a column for each field that the schema declares, also by `allOf` and `$ref`; name others in `fields`.',
  "Cells of text that begin with `=`, `+`, `-` or `@` get a `'` before them; numbers stay numbers.",
].join(' ');

/** Only a list has pages. */
const refusePaging = ({ limit, cursor, count, locate }: AskedQuery): void => {
  const given: readonly (readonly [QueryPart, unknown])[] = [
    ['limit', limit],
    ['cursor', cursor],
    ['count', count],
  ];
  const errors = given
    .filter(([, value]) => value !== undefined)
    .map(([part]) => ({
      ...locate(part),
      code: 'not-in-exports',
      message: `Leave ${part} out: an export is the whole result.`,
    }));
  if (errors.length > 0) throw faults.invalidRequest({ errors });
};

/**
 * Answers queries, however they were sent: a page as JSON, or the whole result as a stream.
 *
 * @returns the use case; it throws faults `not-found`, `invalid-request`, `query-too-slow`
 */
export function createAnswerQuery({ findCurrent, client, cursors, queryTimeoutMs }: AnswerQueryDependencies) {
  const page = async (
    { collection, caller, asked, query }: Asked,
    { call: { principal }, linkTo }: AnswerQuery,
    read: ReadAfterOptions,
  ): Promise<Answer<200>> => {
    const bound = cursors({
      collectionId: collection.id,
      query: bindingOf(asked, query),
      principal: principalKey(principal),
    });
    const { cursor, limit = defaultLimit, locate } = asked;
    const place = cursor === undefined ? undefined : (bound.decode(cursor, locate('cursor')) as PagePlace);
    const counting =
      asked.count === true
        ? collection.records.native.countDocuments(visibleFilter(collection, caller, query), {
            maxTimeMS: queryTimeoutMs,
            ...read,
          })
        : undefined;
    const answer = (record: VisibleRecord): unknown => answerProjected(record, query.fields);
    const options = { place, placeAt: locate('cursor'), limit, timeoutMs: queryTimeoutMs, read, answer };
    const [found, count] = await Promise.all([readPage(collection, caller, query, options), counting]);
    const nextCursor = found.next === undefined ? null : bound.encode(found.next);
    return {
      status: 200,
      headers: { Link: nextCursor === null ? undefined : linkTo?.(nextCursor) },
      // Put together of what was made while the page was read.
      json: `{"items":[${found.items.join(',')}],"nextCursor":${JSON.stringify(nextCursor)}${count === undefined ? '' : `,"count":${count}`}}`,
    };
  };

  return async (command: AnswerQuery): Promise<Answer<200>> => {
    const { name, ask, call } = command;
    const { token, headers, mediaType, signal } = call;
    const after = parseAfter(headers['causeway-after']);
    const collection = await findCurrent(name, after);
    if (collection === undefined) throw faults.notFound();
    const caller = callerOf(token);
    demandReadable(collection, caller);
    const asked = ask();
    const query = parseRecordQuery(asked, collection.scalarTypesAt);
    if (mediaType === ndjsonType || mediaType === csvType) {
      refusePaging(asked);
      return exportRecords({
        collection,
        caller,
        query,
        mediaType,
        client,
        after,
        batchTimeoutMs: queryTimeoutMs,
        signal,
      });
    }
    try {
      return await readAfter(client, after, (read) => page({ collection, caller, asked, query }, command, read));
    } catch (error) {
      throw faultOfQuery(error);
    }
  };
}
