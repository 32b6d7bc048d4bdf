import type { Document } from 'mongodb';

/** One part of a collection that a plan reads. */
export interface PlanAccess {
  /** The index that is gone through; undefined where every record is looked at. */
  readonly index: string | undefined;
  /**
   * Whether all of it is gone through, or nearly: nothing bounds it on both sides. A partial index is bounded by its filter: it holds
   * nothing but what is asked for.
   */
  readonly isWide: boolean;
  /** Whether records that were fetched are looked at again, and may be thrown away. */
  readonly isFiltered: boolean;
}

/** One way in which MongoDB may find what is asked for. */
export interface QueryPlan {
  /** The stages, what gives the result first. */
  readonly stages: readonly string[];
  readonly accesses: readonly PlanAccess[];
  /** Whether what was found is put in order afterwards, in memory. */
  readonly sortsInMemory: boolean;
}

/** The way that MongoDB takes, and others that it has tried. */
export interface QueryPlans {
  readonly winning: QueryPlan;
  readonly candidates: readonly QueryPlan[];
}

/** Stages that put in order what they were given. */
const sorts: ReadonlySet<string> = new Set(['SORT']);

/** Where the stages below a stage stand: https://www.mongodb.com/docs/manual/reference/explain-results/ */
const childKeys = ['queryPlan', 'inputStage', 'outerStage', 'innerStage', 'thenStage', 'elseStage'];
const childListKeys = ['inputStages', 'shards'];

/**
 * Reads what MongoDB says about a query, of `find` or of an aggregation, by either of its two engines, sharded or not.
 *
 * @param explained - the answer to `explain`, at any verbosity
 */
export function readPlans(explained: Document): QueryPlans {
  const { queryPlanner } = plannerOf(explained) as { queryPlanner: Document };
  const { winningPlan, rejectedPlans } = queryPlanner as { winningPlan: Document; rejectedPlans?: readonly Document[] };
  const winning = readPlan(winningPlan);
  return { winning, candidates: [winning, ...(rejectedPlans ?? []).map(readPlan)] };
}

/** The part of an answer to `explain` that speaks of reading: an aggregation may have it in its first stage. */
export function plannerOf(explained: Document): Document {
  if ('queryPlanner' in explained) return explained;
  const [first] = (explained as { stages?: readonly Document[] }).stages ?? [];
  const cursor = (first as { $cursor?: Document } | undefined)?.$cursor;
  if (cursor === undefined) throw new TypeError('MongoDB explained a query without its plan');
  return cursor;
}

function readPlan(root: Document): QueryPlan {
  const stages: string[] = [];
  const accesses: PlanAccess[] = [];
  const visit = (node: Document, isFilteredAbove: boolean): void => {
    const { stage, winningPlan } = node as { stage?: string; winningPlan?: Document };
    if (winningPlan !== undefined) visit(winningPlan, isFilteredAbove);
    if (stage !== undefined) stages.push(stage);
    const isCollection = stage === 'COLLSCAN';
    const isIndex = 'indexName' in node;
    if (isCollection || isIndex) accesses.push(accessOf(node, isFilteredAbove));
    // A filter on the keys of an index throws away keys, not records.
    const isFiltered = isFilteredAbove || (!isIndex && 'filter' in node);
    for (const child of childrenOf(node)) visit(child, isFiltered);
  };
  visit(root, false);
  return { stages, accesses, sortsInMemory: stages.some((stage) => sorts.has(stage)) };
}

function childrenOf(node: Document): Document[] {
  const members = node as Readonly<Record<string, unknown>>;
  return [
    ...childKeys.flatMap((key) => (isDocument(members[key]) ? [members[key]] : [])),
    ...childListKeys.flatMap((key) => (Array.isArray(members[key]) ? members[key].filter(isDocument) : [])),
  ];
}

const isDocument = (value: unknown): value is Document => typeof value === 'object' && value !== null;

function accessOf(node: Document, isFilteredAbove: boolean): PlanAccess {
  const { stage, indexName, indexBounds, isPartial, filter } = node as {
    stage?: string;
    indexName?: string;
    isPartial?: boolean;
    indexBounds?: Readonly<Record<string, unknown>>;
    filter?: unknown;
  };
  if (stage === 'COLLSCAN') {
    return { index: undefined, isWide: true, isFiltered: isFilteredAbove || filter !== undefined };
  }
  // Stages without bounds look something up: one key, a text, what is near.
  const [first] = Object.values(indexBounds ?? {});
  return { index: indexName, isWide: isPartial !== true && isWide(first), isFiltered: isFilteredAbove };
}

/** What stands before all values, or before all of a type; and what stands after them. */
const least = /^[[(](?:MinKey|""|-inf\.0|nan), |, (?:MinKey|""|-inf\.0|nan)[\])]$/;
const greatest = /^[[(](?:MaxKey|\{\}|inf\.0), |, (?:MaxKey|\{\}|inf\.0)[\])]$/;

/**
 * Whether the bounds of an index's first key leave nothing out but single values.
 *
 * @param bounds - intervals as MongoDB prints them, such as `["x", "x"]`, `[MinKey, "x")`; falling where the index is read so
 */
function isWide(bounds: unknown): boolean {
  if (!Array.isArray(bounds)) return false;
  const intervals = bounds.filter((each) => typeof each === 'string');
  return intervals.some((each) => least.test(each)) && intervals.some((each) => greatest.test(each));
}
