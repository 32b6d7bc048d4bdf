import { faults } from '@causeway/contracts';
import { parseAfter, readAfter } from '@causeway/events';
import type { ReadAfterOptions } from '@causeway/events';
import type { Answer, Call } from '@causeway/service';
import { MongoServerError } from 'mongodb';
import type { MongoClient, Timestamp } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import type { LookTime } from '../pacing/look-time.ts';
import { createLookTime } from '../pacing/look-time.ts';
import type { Locate } from '../queries/asked-query.ts';
import { askingCaller } from '../queries/asking-caller.ts';
import { faultOfQuery } from '../queries/find-records.ts';
import type { AdmitWhole } from '../queries/plan/admit-query.ts';
import type { Explanation } from '../queries/plan/explain-query.ts';
import { explainQuery } from '../queries/plan/explain-query.ts';
import { queryTooCostly } from '../queries/queries.errors.ts';
import { demandRequiredIndexes, rankedFieldsOf } from '../queries/required-indexes.ts';
import { underWords } from '../queries/under-words.ts';
import { demandReadable } from '../records/judge-record.ts';
import { callerOf } from '../rules/caller.ts';
import { followAll } from '../rules/follow/follow-records.ts';
import type { Caller } from '../rules/rule.ts';
import { demandComputable, demandSeen } from '../rules/see.ts';
import type { AggregateBody } from './aggregate-body.ts';
import type { Aggregate } from './aggregate.ts';
import { aggregateLimits } from './aggregate.ts';
import type { LookUpDependencies } from './look-up.ts';
import { parseStages } from './parse-stages.ts';
import { readRows } from './read-rows.ts';

/** What {@link createAnswerAggregate} is given. */
export interface AnswerAggregateDependencies extends LookUpDependencies {
  readonly client: MongoClient;
  readonly admit: AdmitWhole;
  readonly queryTimeoutMs: number;
  /** Records that one query may put together. */
  readonly queryCostLimit: number;
  readonly now: () => Date;
}

/** An aggregate as its route hands it on. */
export interface AnswerAggregate {
  /** The collection's name. */
  readonly name: string;
  readonly call: Pick<Call, 'token' | 'headers'>;
  readonly body: AggregateBody;
}

/** An aggregate with all that is known by the time it is run. */
interface Asked {
  readonly collection: Collection;
  readonly caller: Caller;
  readonly aggregate: Aggregate;
  readonly body: AggregateBody;
  readonly after: Timestamp | undefined;
  readonly time: LookTime;
}

/** Where the parts of a body are that queries have too; those of the stages are at their own. */
const inBody: Locate = (part) => ({ pointer: `/${part}` });

/**
 * Answers aggregates: of what whoever asks may see, and of nothing else.
 *
 * @returns the use case; it throws faults `invalid-request`, `query-needs-index`, `query-too-costly`, `query-too-slow` and
 *   `result-out-of-range`
 */
export function createAnswerAggregate(dependencies: AnswerAggregateDependencies) {
  const { findCurrent, client, admit, queryTimeoutMs, queryCostLimit, now } = dependencies;

  const run = async ({ collection, caller, aggregate, body, after, time: given }: Asked, read: ReadAfterOptions) => {
    const { query, limit, phases } = aggregate;
    const scan = body.scan !== undefined;
    const entering = limit ?? (phases.length === 0 ? aggregateLimits.rows : queryCostLimit);
    const explain =
      body.explain === true
        ? await explainQuery(
            admit,
            { collection, caller, query, read },
            { after: undefined, limit: entering, timeoutMs: queryTimeoutMs, scan },
          )
        : undefined;
    if (explain?.refused === true && !scan) return answer([], explain);
    // To be explained it is run by itself, in as much time.
    const time = explain === undefined ? given : createLookTime(queryTimeoutMs);
    const asked = { collection, caller, query, read, time };
    if (!scan) {
      await admit.demand(asked);
      if (phases.length > 0 && (limit ?? Infinity) > queryCostLimit) await admit.demandFew(asked, 'put together');
    }
    time.demand();
    const context = { collection, caller, at: query.at, after, read, time };
    return answer(await readRows(dependencies, aggregate, context), explain);
  };

  return async ({ name, call: { token, headers }, body }: AnswerAggregate): Promise<Answer<200>> => {
    const after = parseAfter(headers['causeway-after']);
    const collection = await findCurrent(name, after);
    if (collection === undefined) throw faults.notFound();
    demandReadable(collection, callerOf(token));
    const { explain = false, scan, as } = body;
    const aggregate = parseStages(body.stages, '/stages', collection, now());
    const asking = askingCaller(callerOf(token), { explain, scan: scan !== undefined, as, locate: inBody });
    const time = createLookTime(queryTimeoutMs);
    try {
      const caller = await readAfter(client, after, (read) =>
        followAll(dependencies.db, collection, asking, { ...read, time }),
      );
      demandAllowed(collection, caller, aggregate);
      return await readAfter(client, after, (read) =>
        underWords(collection, aggregate.query, () => run({ collection, caller, aggregate, body, after, time }, read)),
      );
    } catch (error) {
      throw faultOfAggregate(error);
    }
  };
}

/** Refuses what cannot be asked, or not by this caller, whatever the records are. */
function demandAllowed(collection: Collection, caller: Caller, { query, locate, computed }: Aggregate): void {
  demandSeen(collection, caller, { ...query, ranked: rankedFieldsOf(collection, query) }, locate);
  demandComputable(collection, caller, computed);
  demandRequiredIndexes(collection, caller, query);
}

const answer = (items: readonly string[], explain: Explanation | undefined): Answer<200> => ({
  status: 200,
  json: `{"items":[${items.join(',')}]${explain === undefined ? '' : `,"explain":${JSON.stringify(explain)}`}}`,
});

/** ExceededMemoryLimit and BSONObjectTooLarge: https://www.mongodb.com/docs/manual/reference/error-codes/ */
const tooLargeCodes: ReadonlySet<unknown> = new Set([146, 10_334]);
/** What MongoDB says of a time zone that it does not know, though the service does. */
const unknownZoneCode = 40_485;

function faultOfAggregate(error: unknown): unknown {
  if (!(error instanceof MongoServerError)) return faultOfQuery(error);
  if (tooLargeCodes.has(error.code)) return queryTooCostly({ cause: error });
  if (error.code !== unknownZoneCode) return faultOfQuery(error);
  const message = 'Use another name of the time zone, such as Europe/Berlin: MongoDB does not know this one.';
  return faults.invalidRequest({ errors: [{ pointer: '/stages', code: 'unknown-time-zone', message }], cause: error });
}
