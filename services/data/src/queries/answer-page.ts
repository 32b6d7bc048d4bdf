import { formatPosition, readAfter } from '@causeway/events';
import type { ReadAfterOptions } from '@causeway/events';
import type { Answer } from '@causeway/service';
import type { Db, MongoClient, Timestamp } from 'mongodb';
import { z } from 'zod';

import type { FoundPage } from '../caching/found-page.ts';
import type { PageCache, PageKey } from '../caching/page-cache.ts';

import type { Collection } from '../collections/collection-registry.ts';
import { usesNow } from '../conditions/bind-condition.ts';
import { encryptedPaths } from '../encryption/sealed-fields.ts';
import type { CursorCodec } from '../cursors/cursor-codec.ts';
import { expandItems, readInTurn } from '../expand/expand-items.ts';
import type { ExpandedItem } from '../expand/expand-items.ts';
import { keyOfExpand } from '../expand/expand-key.ts';
import { referringIn } from '../expand/read-expanded.ts';
import type { LookTime } from '../pacing/look-time.ts';
import { createLookTime } from '../pacing/look-time.ts';
import type { VisibleRecord } from '../records/record.model.ts';
import { isFollowing } from '../rules/follow/follow-records.ts';
import type { Caller } from '../rules/rule.ts';
import { createSight, timelessSight } from '../rules/see.ts';
import type { AskedQuery, RecordQuery } from './asked-query.ts';
import { begunAt, bindingOf } from './asked-query.ts';
import { visibleMatch } from './find-records.ts';
import { countNear } from './find-ranked.ts';
import type { CarriedPlace, PagePlace } from './page-place.ts';
import { carried, carry, keyOfPlace } from './page-place.ts';
import type { AdmitQuery, AdmittedQuery } from './plan/admit-query.ts';
import type { Explanation } from './plan/explain-query.ts';
import { explainQuery, explanation } from './plan/explain-query.ts';
import { answerAsked } from './project-record.ts';
import { queryTooCostly } from './queries.errors.ts';
import { readPage } from './read-page.ts';
import { underWords } from './under-words.ts';

/** What {@link createAnswerPage} is given. */
export interface AnswerPageDependencies {
  readonly cursors: CursorCodec;
  readonly admit: AdmitQuery;
  readonly client: MongoClient;
  readonly db: Db;
  readonly pages: PageCache;
  readonly queryTimeoutMs: number;
  /** Records that one query may count. */
  readonly queryCostLimit: number;
}

/** A query with all that is known by the time it is run. */
export interface AskedPage {
  readonly collection: Collection;
  /** By whose rights it is run. */
  readonly caller: Caller;
  /** How long MongoDB may work on all of it, from when it begins: waiting for others who ask the same does not count. */
  readonly timeoutMs: number;
  /** Whose cursors these are. */
  readonly principal: string;
  readonly asked: AskedQuery;
  readonly query: RecordQuery;
  /** Where the next page is, for a header; undefined where no address says so. */
  readonly linkTo?: ((cursor: string) => string | undefined) | undefined;
}

const defaultLimit = 20;

type TimedQuery = AdmittedQuery & { readonly time: LookTime };

/** A page as it is answered. */
export const pageAnswer = z.object({
  items: z.array(z.record(z.string(), z.unknown())),
  nextCursor: z.string().nullable(),
  count: z.int().optional(),
  explain: explanation.optional(),
});

/**
 * Answers with a page of records.
 *
 * @returns the use case; it throws faults `invalid-request`, `not-found` for another's cursor, `query-needs-index` and
 *   `query-too-costly`
 */
export function createAnswerPage({
  cursors,
  admit,
  client,
  db,
  pages,
  queryTimeoutMs,
  queryCostLimit,
}: AnswerPageDependencies) {
  const countAll = async ({ collection, caller, query, read, time }: TimedQuery, scan: boolean): Promise<number> => {
    const bound = scan ? {} : { limit: queryCostLimit + 1 };
    const options = { maxTimeMS: time.leftMs(), ...bound, ...read };
    const count =
      query.near === undefined
        ? await collection.records.native.countDocuments(visibleMatch(collection, caller, query), options)
        : await countNear(collection, caller, query.near, query, options);
    if (scan || count <= queryCostLimit) return count;
    const detail = `More than ${queryCostLimit} records would have to be counted.`;
    throw queryTooCostly({ detail, extensions: { limit: queryCostLimit } });
  };

  const find = async ({
    asked,
    from,
    ...given
  }: TimedQuery & { readonly asked: AskedQuery; readonly from: PagePlace | undefined }): Promise<
    FoundPage & { readonly explain?: Explanation }
  > => {
    const { collection, caller, query, read } = given;
    const { limit = defaultLimit, locate, scan } = asked;
    const place = { place: from, at: locate('cursor') };
    const after = await keyOfPlace(collection, query.sort, place, { maxTimeMS: given.time.leftMs(), ...read });
    const explain = asked.explain
      ? await explainQuery(admit, given, { after, limit, timeoutMs: queryTimeoutMs, scan })
      : undefined;
    // Why it is refused is what was asked for.
    if (explain?.refused === true && !scan) return { items: '[]', explain };
    // To be explained it is run by itself, in as much time.
    const run = explain === undefined ? given : { ...given, time: createLookTime(queryTimeoutMs) };
    const { time } = run;
    if (!scan) await admit.demand(run);
    time.demand();
    const sight = createSight(collection, caller, { at: query.at });
    const rows: ExpandedItem['row'][] = [];
    const answer = (record: VisibleRecord): unknown => {
      const row = sight.show(record, query.fields);
      if (query.expand !== undefined) rows.push(referringIn(row, query.expand));
      return answerAsked(row, query);
    };
    const [page, count] = await Promise.all([
      readPage(collection, caller, query, { after, limit, timeoutMs: time.leftMs(), read, answer }),
      asked.count === true ? countAll(run, scan) : undefined,
    ]);
    const { texts, steps } =
      query.expand === undefined
        ? { texts: page.items, steps: undefined }
        : await expandItems(query.expand, zip(rows, page.items), { db, caller, at: query.at, read, time });
    // Put together of what was made while the page was read.
    return {
      items: `[${texts.join(',')}]`,
      next: page.next,
      count,
      ...(explain === undefined ? {} : { explain: steps === undefined ? explain : { ...explain, expand: steps } }),
    };
  };

  return async (
    { collection, caller, timeoutMs, principal, asked, query: given, linkTo }: AskedPage,
    seen: Timestamp | undefined,
  ): Promise<Answer<200>> => {
    const bound = cursors({ collectionId: collection.id, query: bindingOf(asked, given), principal });
    const { cursor, locate } = asked;
    const from = cursor === undefined ? undefined : carried(bound.decode(cursor, locate('cursor')) as CarriedPlace);
    const since = from?.begunAt ?? given.at;
    const query = begunAt(given, since);
    const key = keyOf({ collection, caller, asked, query }, from?.place);
    const found: FoundPage & { readonly explain?: Explanation; readonly position?: Timestamp | undefined } =
      await pages.read(key, seen, (notBefore) =>
        readAfter(client, notBefore, (read) =>
          underWords(collection, query, () => {
            // What is shared is not to end with the time of whoever has asked first.
            const time = createLookTime(key === undefined ? timeoutMs : queryTimeoutMs);
            const run = (own: ReadAfterOptions) =>
              find({ collection, caller, query, read: own, time, asked, from: from?.place });
            return query.expand === undefined ? run(read) : readInTurn(client, read, run);
          }),
        ),
      );
    const timed = usesNow(query.filter) ? since : undefined;
    const nextCursor = found.next === undefined ? null : bound.encode(carry(found.next, timed));
    const more = Object.entries({ nextCursor, count: found.count, explain: found.explain }).flatMap(([name, value]) =>
      value === undefined ? [] : [`,"${name}":${JSON.stringify(value)}`],
    );
    return {
      status: 200,
      headers: {
        Link: nextCursor === null ? undefined : linkTo?.(nextCursor),
        // Where it has none of its own it gets the one that every answer has.
        ...(found.position === undefined ? {} : { 'Causeway-Position': formatPosition(found.position) }),
      },
      json: `{"items":${found.items}${more.join('')}}`,
    };
  };
}

/** What a page may be kept under: all that decides what is in it, and not who asks. Undefined where the time decides, too, or an administrator looks on. */
function keyOf(
  { collection, caller, asked, query }: Pick<AskedPage, 'collection' | 'caller' | 'asked' | 'query'>,
  from: PagePlace | undefined,
): PageKey | undefined {
  // What goes wrong with the row that a page ended with is told by where its cursor was sent.
  if (asked.explain || asked.scan || (from !== undefined && !Array.isArray(from))) return undefined;
  // Records of other collections decide, whose changes are not those of this one.
  if (isFollowing(collection, caller)) return undefined;
  // What is encrypted would be kept in the clear.
  if (encryptedPaths(collection.fields).length > 0) return undefined;
  const sight = timelessSight(collection, caller, query.filter);
  const beside = keyOfExpand(query.expand ?? [], caller);
  if (sight === undefined || beside === undefined) return undefined;
  const { limit = defaultLimit, count = false } = asked;
  // An administrator who sees no more than others is told more of what is wrong.
  const own = [collection.revision, caller.administrator, sight, bindingOf(asked, query), from ?? null, limit, count];
  return {
    collectionIds: [...new Set([collection.id, ...beside.collectionIds])],
    query: query.expand === undefined ? own : [...own, beside.sights],
  };
}

/** Rows with their texts, as many of the one as of the other. */
const zip = (rows: readonly ExpandedItem['row'][], texts: readonly string[]): readonly ExpandedItem[] =>
  rows.flatMap((row, index) => {
    const text = texts[index];
    return text === undefined ? [] : [{ row, text }];
  });
