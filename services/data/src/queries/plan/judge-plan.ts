import type { QueryPlan, QueryPlans } from './read-plan.ts';

/**
 * Whether a plan looks at records without anything that leads to those that are asked for: at all of them, or along all of an
 * index, throwing away what does not fit.
 */
export const isScan = ({ accesses }: QueryPlan): boolean =>
  accesses.some(({ index, isWide, isFiltered }) => index === undefined || (isWide && isFiltered));

/** Whether a plan goes along indexes in the order that is asked for, so that it ends once a page is full. */
export const isWalk = ({ accesses, sortsInMemory }: QueryPlan): boolean =>
  !sortsInMemory && accesses.every(({ index }) => index !== undefined);

/**
 * Whether no index serves a query. Where one does, MongoDB may still have found that going through all of it is less work:
 * that is its choice, and none that an index could better.
 */
export const lacksIndex = ({ candidates }: QueryPlans): boolean => candidates.every(isScan);
