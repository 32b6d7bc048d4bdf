import type { Document } from 'mongodb';
import { z } from 'zod';

import { indexAnswer } from '../../collections/collection-answer.ts';
import type { Collection } from '../../collections/collection-registry.ts';
import { describeIndex } from '../../collections/describe-index.ts';
import type { SortKey } from '../../sorting/sort.ts';
import { expandedStep } from '../../expand/expanded-step.ts';
import { allIndexesOf } from '../../references/all-indexes.ts';
import { findVisible } from '../find-records.ts';
import { queryTooCostly } from '../queries.errors.ts';
import type { AdmitQuery, AdmittedQuery } from './admit-query.ts';
import { proposedIndex } from './advise-index.ts';
import { plannerOf, readPlans } from './read-plan.ts';

/** What is answered about a query. */
export const explanation = z.object({
  indexes: z.array(indexAnswer).describe('The indexes that were read; none where all records were.'),
  plan: z.array(z.string()).describe('The stages in MongoDB, what gives the result first.'),
  examined: z.object({ keys: z.int(), records: z.int() }).nullable().describe('Null where the query was not run.'),
  returned: z.int().nullable(),
  ms: z.number().nullable(),
  sortedInMemory: z.boolean(),
  missing: z.array(proposedIndex).describe('Indexes that would serve the query; none where one does.'),
  expand: z.array(expandedStep).optional().describe('With `expand`: one question for each level and collection.'),
  refused: z.boolean().describe('Whether the query is refused without `scan`.'),
});

/** What is answered about a query. */
export type Explanation = z.input<typeof explanation>;

/** What a page is read with. */
export interface ExplainedPage {
  readonly after: SortKey | undefined;
  readonly limit: number;
  readonly timeoutMs: number;
  /** Whether it is run though it would be refused. */
  readonly scan: boolean;
}

/** What MongoDB says of a query that it has run. */
interface ExecutionStats {
  readonly executionSuccess: boolean;
  readonly errorMessage?: string;
  readonly nReturned: number;
  readonly executionTimeMillis: number;
  readonly totalKeysExamined: number;
  readonly totalDocsExamined: number;
}

/**
 * Explains a query: runs it once more, as a page is read, unless it is refused.
 *
 * @throws Fault `query-too-costly` where it cannot be run to its end
 */
export async function explainQuery(
  admit: AdmitQuery,
  asked: AdmittedQuery,
  { after, limit, timeoutMs, scan }: ExplainedPage,
): Promise<Explanation> {
  const { isRefused, missing } = await admit.judge(asked);
  const { collection, caller, query, read } = asked;
  const isRun = scan || !isRefused;
  const cursor = findVisible(collection, caller, query, { after, limit: limit + 1, read });
  const explained = await cursor.explain({
    verbosity: isRun ? 'executionStats' : 'queryPlanner',
    maxTimeMS: timeoutMs,
  });
  const { winning } = readPlans(explained);
  const stats = isRun ? statsOf(explained) : undefined;
  return {
    indexes: indexesOf(
      collection,
      winning.accesses.flatMap(({ index }) => index ?? []),
    ),
    plan: [...winning.stages],
    examined: stats === undefined ? null : { keys: stats.totalKeysExamined, records: stats.totalDocsExamined },
    returned: stats === undefined ? null : Math.min(stats.nReturned, limit),
    ms: stats?.executionTimeMillis ?? null,
    sortedInMemory: winning.sortsInMemory,
    missing: [...missing],
    refused: isRefused,
  };
}

function statsOf(explained: Document): ExecutionStats {
  const { executionStats } = plannerOf(explained) as { executionStats: ExecutionStats };
  if (executionStats.executionSuccess) return executionStats;
  throw queryTooCostly({ message: executionStats.errorMessage ?? 'MongoDB could not run the query' });
}

/** As definitions have them; the one by id is always there. */
function indexesOf({ source }: Collection, names: readonly string[]): Explanation['indexes'] {
  const known = new Map(
    allIndexesOf(source).map((index) => {
      const { keys, where } = index;
      return [describeIndex(index).name, { keys, ...(where === undefined ? {} : { where }) }];
    }),
  );
  return [...new Set(names)].flatMap(
    (name) => known.get(name) ?? (name === '_id_' ? { keys: { id: 1 as const } } : []),
  );
}
