import type { ReadAfterOptions } from '@causeway/events';
import type { Answer } from '@causeway/service';
import { z } from 'zod';

import type { Collection } from '../collections/collection-registry.ts';
import { usesNow } from '../conditions/bind-condition.ts';
import type { CursorCodec } from '../cursors/cursor-codec.ts';
import type { VisibleRecord } from '../records/record.model.ts';
import type { Caller } from '../rules/rule.ts';
import { createSight } from '../rules/see.ts';
import type { AskedQuery, RecordQuery } from './asked-query.ts';
import { begunAt, bindingOf } from './asked-query.ts';
import { visibleMatch } from './find-records.ts';
import { countNear } from './find-ranked.ts';
import type { CarriedPlace } from './page-place.ts';
import { carried, carry, keyOfPlace } from './page-place.ts';
import type { AdmitQuery, AdmittedQuery } from './plan/admit-query.ts';
import { explainQuery, explanation } from './plan/explain-query.ts';
import { answerAsked } from './project-record.ts';
import { queryTooCostly } from './queries.errors.ts';
import { readPage } from './read-page.ts';

/** What {@link createAnswerPage} is given. */
export interface AnswerPageDependencies {
  readonly cursors: CursorCodec;
  readonly admit: AdmitQuery;
  readonly queryTimeoutMs: number;
  /** Records that one query may count. */
  readonly queryCostLimit: number;
}

/** A query with all that is known by the time it is run. */
export interface AskedPage {
  readonly collection: Collection;
  /** By whose rights it is run. */
  readonly caller: Caller;
  /** Whose cursors these are. */
  readonly principal: string;
  readonly asked: AskedQuery;
  readonly query: RecordQuery;
  /** Where the next page is, for a header; undefined where no address says so. */
  readonly linkTo?: ((cursor: string) => string | undefined) | undefined;
}

const defaultLimit = 20;

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
export function createAnswerPage({ cursors, admit, queryTimeoutMs, queryCostLimit }: AnswerPageDependencies) {
  const countAll = async ({ collection, caller, query, read }: AdmittedQuery, scan: boolean): Promise<number> => {
    const bound = scan ? {} : { limit: queryCostLimit + 1 };
    const options = { maxTimeMS: queryTimeoutMs, ...bound, ...read };
    const count =
      query.near === undefined
        ? await collection.records.native.countDocuments(visibleMatch(collection, caller, query), options)
        : await countNear(collection, caller, query.near, query, options);
    if (scan || count <= queryCostLimit) return count;
    const detail = `More than ${queryCostLimit} records would have to be counted.`;
    throw queryTooCostly({ detail, extensions: { limit: queryCostLimit } });
  };

  return async (
    { collection, caller, principal, asked, query: given, linkTo }: AskedPage,
    read: ReadAfterOptions,
  ): Promise<Answer<200>> => {
    const bound = cursors({ collectionId: collection.id, query: bindingOf(asked, given), principal });
    const { cursor, limit = defaultLimit, locate, scan } = asked;
    const timeoutMs = queryTimeoutMs;
    const at = locate('cursor');
    const from = cursor === undefined ? undefined : carried(bound.decode(cursor, at) as CarriedPlace);
    const since = from?.begunAt ?? given.at;
    const query = begunAt(given, since);
    const after =
      from === undefined
        ? undefined
        : await keyOfPlace(collection, query.sort, { place: from.place, at }, { maxTimeMS: timeoutMs, ...read });
    const run: AdmittedQuery = { collection, caller, query, read };
    const explained = asked.explain ? await explainQuery(admit, run, { after, limit, timeoutMs, scan }) : undefined;
    // Why it is refused is what was asked for.
    if (explained?.refused === true && !scan) {
      return { status: 200, body: { items: [], nextCursor: null, explain: explained } };
    }
    if (!scan) await admit.demand(run);
    const sight = createSight(collection, caller, { at: query.at });
    const answer = (record: VisibleRecord): unknown => answerAsked(sight.show(record), query);
    const [page, count] = await Promise.all([
      readPage(collection, caller, query, { after, limit, timeoutMs, read, answer }),
      asked.count === true ? countAll(run, scan) : undefined,
    ]);
    const timed = usesNow(query.filter) ? since : undefined;
    const nextCursor = page.next === undefined ? null : bound.encode(carry(page.next, timed));
    const more = Object.entries({ nextCursor, count, explain: explained }).flatMap(([name, value]) =>
      value === undefined ? [] : [`,"${name}":${JSON.stringify(value)}`],
    );
    return {
      status: 200,
      headers: { Link: nextCursor === null ? undefined : linkTo?.(nextCursor) },
      // Put together of what was made while the page was read.
      json: `{"items":[${page.items.join(',')}]${more.join('')}}`,
    };
  };
}
