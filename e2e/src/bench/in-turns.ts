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
