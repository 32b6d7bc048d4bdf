import type { LoadResult } from './load-order.ts';

/** How often something is done. */
export interface Speed {
  readonly perSecond: number;
}

/** Measures both in turns, so that a loud neighbour is loud for both. @returns the means */
export async function inTurns(
  turns: number,
  one: () => Promise<Speed>,
  other: () => Promise<Speed>,
): Promise<[number, number]> {
  let [ones, others] = [0, 0];
  for (let turn = 0; turn < turns; turn += 1) {
    ones += (await one()).perSecond / turns;
    others += (await other()).perSecond / turns;
  }
  return [ones, others];
}

/** As {@link inTurns}, of one that is loaded. @returns its other figures too: the mean of its p99, and the rest of its first turn */
export async function loadInTurns(
  turns: number,
  one: () => Promise<Speed>,
  other: () => Promise<LoadResult>,
): Promise<[Speed, LoadResult]> {
  const loads: LoadResult[] = [];
  const [ones, others] = await inTurns(turns, one, async () => {
    const result = await other();
    loads.push(result);
    return result;
  });
  const [first] = loads;
  if (first === undefined) throw new Error('nothing was measured');
  const p99Ms = loads.reduce((sum, each) => sum + each.p99Ms, 0) / loads.length;
  return [{ perSecond: ones }, { ...first, perSecond: others, p99Ms }];
}
