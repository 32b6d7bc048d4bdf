import type { Spend } from '../../pattern/automaton.ts';

/** Who is told, while something is being worked on. */
let tell: Spend | undefined;
/** What has been done, and not been told. */
let untold = 0;

/** So much is told at a time: some tens of microseconds. */
const chunk = 4_000;

/**
 * Does something on the globe, and tells what it takes while it is done: most steps take what the shapes make them take, which nobody knows before.
 *
 * @param spend - what it throws ends the work
 */
export function withWork<T>(spend: Spend, work: () => T): T {
  const [outer, outerUntold] = [tell, untold];
  [tell, untold] = [spend, 0];
  try {
    const done = work();
    if (untold > 0) spend(untold);
    return done;
  } finally {
    [tell, untold] = [outer, outerUntold];
  }
}

/** Counts work that is being done. @param units - see {@link Spend} */
export function worked(units: number): void {
  untold += units;
  if (untold < chunk) return;
  const spent = untold;
  untold = 0;
  tell?.(spent);
}
