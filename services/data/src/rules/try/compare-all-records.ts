import { Fault } from '@causeway/contracts';

import type { LookTime } from '../../pacing/look-time.ts';
import { lookInTime } from '../../pacing/look-time.ts';
import { compareRecords } from './compare-records.ts';
import type { Comparison } from './comparison.ts';
import type { Surroundings } from './surroundings.ts';

/** How far it was looked at records. */
export interface LookedRecords {
  /** How many, for all callers. */
  readonly looked: number;
  /** Whether there are more. */
  readonly more: boolean;
  /** Those over which a rule takes too long, for some caller: of these nothing is said. */
  readonly tooCostly: number;
}

/**
 * Compares what callers may do with the records there.
 *
 * @returns how far there was time
 */
export async function compareAllRecords(
  { sides, fields, at, turns, recordsIn, holdIn, follow }: Surroundings,
  comparison: Comparison,
  time: LookTime,
): Promise<LookedRecords & { readonly complete: boolean }> {
  const options = { sides, fields, at, time, turns };
  let [looked, tooCostly, more] = [0, 0, true];
  const complete = await lookInTime(async () => {
    const chunks = recordsIn(time);
    for (let next = await chunks.next(); ; next = await chunks.next()) {
      if (next.done === true) {
        more = next.value;
        return;
      }
      const some = next.value;
      const asLeft = await holdIn(time)(some);
      const costly = new Set<string>();
      await comparison.forEach(async (caller, tally) => {
        time.demand();
        try {
          const asking = await follow(caller, some, asLeft);
          for (const id of await compareRecords(options, asking, some, tally)) costly.add(id);
        } catch (error) {
          if (!(error instanceof Fault) || error.code !== 'rule-too-costly') throw error;
          for (const { _id } of some) costly.add(_id);
        }
      });
      looked += some.length;
      tooCostly += costly.size;
    }
  });
  return { complete, looked, more, tooCostly };
}
