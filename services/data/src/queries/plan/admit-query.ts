import type { ReadAfterOptions } from '@causeway/events';

import type { Collection } from '../../collections/collection-registry.ts';
import type { Condition } from '../../conditions/condition.ts';
import { everything } from '../../conditions/condition.ts';
import type { LookTime } from '../../pacing/look-time.ts';
import type { Caller } from '../../rules/rule.ts';
import { timelessConditionOf } from '../../rules/rule.ts';
import { allIndexesOf } from '../../references/all-indexes.ts';
import type { RecordQuery } from '../asked-query.ts';
import { findVisible, visibleCondition, visibleMatch } from '../find-records.ts';
import { queryNeedsIndex, queryTooCostly } from '../queries.errors.ts';
import type { ProposedIndex } from './advise-index.ts';
import { adviseIndexes } from './advise-index.ts';
import { alternativesOf } from './conjuncts.ts';
import { boundValue } from './implies.ts';
import { isWalk, lacksIndex } from './judge-plan.ts';
import { keepValues } from './kept-values.ts';
import type { QueryPlans } from './read-plan.ts';
import { readPlans } from './read-plan.ts';
import { filteredPaths, servingIndexes } from './serving-indexes.ts';
import { shapeOf } from './shape-of.ts';

/** What bounds queries. */
export interface QueryBounds {
  /** Records that a collection may have before its queries need an index. */
  readonly scanLimit: number;
  /** Records that may be counted, or put in order in memory. */
  readonly costLimit: number;
  /** How long MongoDB may take for one question. */
  readonly timeoutMs: number;
}

/** A query that is to be run. */
export interface AdmittedQuery {
  readonly collection: Collection;
  readonly caller: Caller;
  readonly query: RecordQuery;
  /** Of `readAfter`. */
  readonly read: ReadAfterOptions;
  /** What is left of the time of the answer; each question has its own where nothing is said. */
  readonly time?: LookTime;
}

/** What is to be thought of a query. */
export interface QueryVerdict {
  /** Whether all records would be looked at, though there are many. */
  readonly isRefused: boolean;
  /** Indexes that would serve it; none where one does. */
  readonly missing: readonly ProposedIndex[];
}

/** Judges queries before they are run. */
export interface AdmitQuery {
  /** @throws Fault `query-needs-index`, `query-too-costly` */
  demand(query: AdmittedQuery): Promise<void>;
  /** The same for who wants to know: with what the rules need, and for small collections too. */
  judge(query: AdmittedQuery): Promise<QueryVerdict>;
}

/** Judges queries whose records are all looked at, too. */
export interface AdmitWhole extends AdmitQuery {
  /**
   * Makes sure that no more records are found than may be.
   *
   * @param what - what would be done with them, for the fault: `put together`
   * @throws Fault `query-too-costly`
   */
  demandFew(query: AdmittedQuery, what: string): Promise<void>;
}

/** A collection grows by little within this. */
const sizeKeptMs = 10_000;
const mostSizes = 1_000;
/** An index may have come meanwhile, without the definition: one that was built anew. */
const plansKeptMs = 60_000;
const mostPlans = 1_000;

/** How MongoDB would find a page: the limit is that of a page, and decides nothing. */
const pageLimit = 21;

/** Makes what judges queries. */
export function createAdmitQuery({ scanLimit, costLimit, timeoutMs }: QueryBounds): AdmitWhole {
  const sizes = keepValues<number>({ keptMs: sizeKeptMs, most: mostSizes });
  const plans = keepValues<QueryPlans>({ keptMs: plansKeptMs, most: mostPlans });

  const sizeOf = ({ id, records }: Collection): Promise<number> =>
    sizes.get(id, () => records.native.estimatedDocumentCount({ maxTimeMS: timeoutMs }));

  const plansOf = ({ collection, caller, query }: AdmittedQuery): Promise<QueryPlans> => {
    const filtered = filteredPaths(collection.source.indexes);
    const shape = `${shapeOf(visibleCondition(collection, caller, query), query.sort, filtered)} ${rankingOf(query)}`;
    return plans.get(`${collection.id} ${collection.revision} ${shape}`, async () => {
      // Not in anybody's session: others wait for the same answer.
      const cursor = findVisible(collection, caller, query, { limit: pageLimit, read: {} });
      return readPlans(await cursor.explain({ verbosity: 'queryPlanner', maxTimeMS: timeoutMs }));
    });
  };

  const demandFew = async (asked: AdmittedQuery, what: string): Promise<void> => {
    if ((await sizeOf(asked.collection)) <= costLimit) return;
    const { collection, caller, query, read, time } = asked;
    const filter = visibleMatch(collection, caller, query);
    const options = { limit: costLimit + 1, maxTimeMS: time?.leftMs() ?? timeoutMs, ...read };
    const count = await collection.records.native.countDocuments(filter, options);
    if (count > costLimit) {
      const detail = `More than ${costLimit} records would have to be ${what}.`;
      throw queryTooCostly({ detail, extensions: { limit: costLimit, indexes: adviceFor(asked) } });
    }
  };

  return {
    async demand(asked) {
      if (asked.collection.source.scans === 'allow') return;
      const size = await sizeOf(asked.collection);
      if (size <= scanLimit) return;
      const found = await plansOf(asked);
      if (isUnserved(found, asked)) throw needsIndex(adviceFor(asked), scanLimit);
      // What is put in order in memory has to be found whole first.
      if (found.winning.sortsInMemory) await demandFew(asked, 'put in order in memory');
    },
    demandFew,
    async judge(asked) {
      const [size, found] = await Promise.all([sizeOf(asked.collection), plansOf(asked)]);
      const isServed = !isUnserved(found, asked);
      return {
        isRefused: asked.collection.source.scans !== 'allow' && size > scanLimit && !isServed,
        missing: isServed && !found.winning.sortsInMemory ? [] : wholeAdvice(asked),
      };
    },
  };
}

/** What of a query's shape is beside its condition and order. */
const rankingOf = ({ text, near, rank }: RecordQuery): string =>
  `${rank ?? ''} ${text === undefined ? '' : 'words'} ${near?.path.storage ?? ''}`;

const isEverything = (condition: Condition<unknown>): boolean =>
  condition.kind === 'and' && condition.branches.every(isEverything);

/**
 * Whether a rule leaves so much to be seen that nothing leads to it, as one by which all may see what is not hidden. Whoever
 * asks for nothing else is shown it in the order of an index, and what is hidden is passed over on the way.
 */
const leavesMost = ({ rules }: Collection, caller: Caller): boolean =>
  alternativesOf(timelessConditionOf(rules.read, caller)).some((conjuncts) =>
    conjuncts.every(({ help }) => help === 'wide'),
  );

const isOpen = ({ collection, caller, query }: AdmittedQuery): boolean =>
  isEverything(query.condition) && leavesMost(collection, caller);

const isUnserved = (plans: QueryPlans, asked: AdmittedQuery): boolean =>
  lacksIndex(plans) && !(isOpen(asked) && plans.candidates.some(isWalk));

const knownOf = ({ collection, caller, query }: AdmittedQuery) => {
  const { source, scalarTypesAt } = collection;
  return {
    scalarTypesAt,
    known: servingIndexes(allIndexesOf(source), visibleCondition(collection, caller, query), boundValue),
  };
};

/** What whoever asks may be told: the fields that they have named themselves, and nothing where it is the rule that needs one. */
const adviceFor = (asked: AdmittedQuery): ProposedIndex[] => {
  const { query } = asked;
  if (isEverything(query.condition) && !isOpen(asked)) return [];
  return adviseIndexes(query.condition, query.sort, knownOf(asked));
};

/** What an administrator may be told. */
const wholeAdvice = (asked: AdmittedQuery): ProposedIndex[] => {
  const { collection, caller, query } = asked;
  const condition = isOpen(asked) ? everything : visibleCondition(collection, caller, query);
  return adviseIndexes(condition, query.sort, knownOf(asked));
};

function needsIndex(indexes: readonly ProposedIndex[], scanLimit: number): Error {
  const advice =
    indexes.length === 0
      ? 'No index serves the filter by itself: an administrator sees with explain=true what the rules need.'
      : `An administrator may add to its indexes: ${indexes.map((each) => JSON.stringify(each)).join(', ')}.`;
  return queryNeedsIndex({
    detail: `The collection has more than ${scanLimit} records, and no index serves the query. ${advice}`,
    extensions: { indexes },
  });
}
