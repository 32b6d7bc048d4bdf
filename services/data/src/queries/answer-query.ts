import { faults } from '@causeway/contracts';
import { parseAfter, readAfter } from '@causeway/events';
import type { Call } from '@causeway/service';
import type { Db, MongoClient } from 'mongodb';

import type { KeptAnswer } from '../caching/kept-answer.ts';
import { keepHeaders } from '../caching/kept-answer.ts';
import { csvType, exportRecords, ndjsonType } from '../exporting/export-records.ts';
import { createLookTime } from '../pacing/look-time.ts';
import { demandReadable } from '../records/judge-record.ts';
import { queryTooSlow } from '../records/records.errors.ts';
import { callerOf, principalKey } from '../rules/caller.ts';
import { followAll } from '../rules/follow/follow-records.ts';
import { ruleTooCostly } from '../rules/rules.errors.ts';
import { demandSeen } from '../rules/see.ts';
import { parseExpand } from '../expand/parse-expand.ts';
import type { FindCurrentById } from '../records/find-current.ts';
import type { createAnswerPage } from './answer-page.ts';
import type { AskedQuery, QueryPart } from './asked-query.ts';
import { parseRecordQuery } from './asked-query.ts';
import { askingCaller } from './asking-caller.ts';
import { faultOfQuery } from './find-records.ts';
import type { AdmitQuery } from './plan/admit-query.ts';
import { queryNeedsIndex, queryTooCostly } from './queries.errors.ts';
import { demandRequiredIndexes, rankedFieldsOf } from './required-indexes.ts';
import { demandWords } from './under-words.ts';

/** What {@link createAnswerQuery} is given. */
export interface AnswerQueryDependencies extends FindCurrentById {
  readonly client: MongoClient;
  readonly db: Db;
  readonly admit: AdmitQuery;
  readonly answerPage: ReturnType<typeof createAnswerPage>;
  readonly queryTimeoutMs: number;
  readonly now: () => Date;
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

/** Media types of an answer: a page, or one of the forms of an export. */
export const queryMediaTypes = ['application/json', ndjsonType, csvType] as const;

/** Says of both routes what an export is. */
export const exportDescription = [
  `\`Accept: ${ndjsonType}\` or \`${csvType}\` streams the whole result instead of a page.`,
  'CSV has a column for each field that the schema declares, also by `allOf` and `$ref`; name others in `fields`.',
  "Cells of text that begin with `=`, `+`, `-` or `@` get a `'` before them; numbers stay numbers.",
].join(' ');

/** Says of both routes how records are looked for by words and places. */
export const rankingDescription = [
  'Words (`search`, or `$text` in the filter) are looked for in the fields of the index of words, and `$near` by one of places;',
  'each record has a `_score` then, or a `_distance` in metres, and the best, or nearest, come first.',
  '`$geoWithin` and `$geoIntersects` are conditions as others are, on fields with an index of places.',
].join(' ');

/** What both routes may answer with instead. */
export const queryFaults = [
  faults.notFound,
  faults.forbidden,
  queryTooSlow,
  queryNeedsIndex,
  queryTooCostly,
  ruleTooCostly,
];

/** Only a list has pages. */
const refusePaging = ({ limit, cursor, count, expand, explain, locate }: AskedQuery): void => {
  const given: readonly (readonly [QueryPart, boolean])[] = [
    ['limit', limit !== undefined],
    ['cursor', cursor !== undefined],
    ['count', count !== undefined],
    ['expand', expand !== undefined],
    ['explain', explain],
  ];
  const errors = given
    .filter(([, isGiven]) => isGiven)
    .map(([part]) => ({
      ...locate(part),
      code: 'not-in-exports',
      message:
        part === 'expand'
          ? 'Leave expand out: an export has the records of one collection. Export those that they refer to by themselves.'
          : `Leave ${part} out: an export is the whole result.`,
    }));
  if (errors.length > 0) throw faults.invalidRequest({ errors });
};

/**
 * Answers queries, however they were sent: a page as JSON, or the whole result as a stream.
 *
 * @returns the use case, giving also how a page may be kept; it throws {@link queryFaults} and `invalid-request`
 */
export function createAnswerQuery({
  findCurrent,
  registry,
  client,
  db,
  admit,
  answerPage,
  queryTimeoutMs,
  now,
}: AnswerQueryDependencies) {
  const current = { findCurrent, registry };
  const answer = async ({ name, ask, call, linkTo }: AnswerQuery): Promise<KeptAnswer> => {
    const { token, headers, mediaType, signal, principal } = call;
    const after = parseAfter(headers['causeway-after']);
    const collection = await findCurrent(name, after);
    if (collection === undefined) throw faults.notFound();
    demandReadable(collection, callerOf(token));
    const asked = ask();
    const parsed = parseRecordQuery(asked, collection.scalarTypesAt, now());
    const asking = askingCaller(callerOf(token), asked);
    const expand =
      asked.expand &&
      (await parseExpand(asked.expand, collection, {
        ...current,
        caller: asking,
        after,
        place: asked.locate('expand'),
      }));
    const query = { ...parsed, expand };
    demandSeen(collection, asking, { ...query, ranked: rankedFieldsOf(collection, query) }, asked.locate);
    const time = createLookTime(queryTimeoutMs);
    const caller = await readAfter(client, after, (read) => followAll(db, collection, asking, { ...read, time }));
    demandRequiredIndexes(collection, caller, query);
    if (mediaType !== ndjsonType && mediaType !== csvType) {
      time.demand();
      const timeoutMs = time.leftMs();
      const page = { collection, caller, timeoutMs, principal: principalKey(principal), asked, query, linkTo };
      return {
        answer: await answerPage(page, after),
        // What a query costs is another thing each time.
        keep: asked.explain ? undefined : keepHeaders(collection, caller, expand),
      };
    }
    refusePaging(asked);
    await demandWords(collection, query);
    if (!asked.scan) await admit.demand({ collection, caller, query, read: {}, time });
    const batchTimeoutMs = queryTimeoutMs;
    const stream = exportRecords({ collection, caller, query, mediaType, client, after, batchTimeoutMs, signal });
    return { answer: stream, keep: undefined };
  };

  return async (command: AnswerQuery): Promise<KeptAnswer> => {
    try {
      return await answer(command);
    } catch (error) {
      throw faultOfQuery(error);
    }
  };
}
