import { isEdgeNear, nearestOn } from './edges.ts';
import type { Point } from './point.ts';
import { angleBetween, isSame, vertexAt } from './point.ts';
import { worked } from './work.ts';

/** What a step of theirs takes, and the look at an edge where they may begin, as measured. */
const units = { step: 200, start: 40 };

/** How far two travellers have come, one on each chain, always near each other. */
interface Progress {
  readonly i: number;
  readonly j: number;
  /** Whether the first is somewhere on its edge, and the second at a vertex; else the other way round. */
  readonly isUnderWay: boolean;
}

/**
 * Whether one may go along a chain while another goes along a second one, neither turns back, and both are always near each other.
 *
 * @param tolerance - in radians
 */
export function nearlyCovers(chain: readonly Point[], covered: readonly Point[], tolerance: number): boolean {
  const seen = new Set<number>();
  const pending = startsOf(chain, covered, tolerance);
  for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
    const { i, j, isUnderWay } = state;
    const name = (i * covered.length + j) * 2 + Number(isUnderWay);
    if (seen.has(name)) continue;
    seen.add(name);
    worked(units.step);
    const [nextI, nextJ] = [nextDifferent(chain, i), nextDifferent(covered, j)];
    if (nextJ === covered.length) return true;
    if (nextI === chain.length) continue;
    const [hereI, hereJ, endI, endJ] = [chain[i], covered[j], chain[nextI], covered[nextJ]] as [
      Point,
      Point,
      Point,
      Point,
    ];
    const fromI = isUnderWay ? nearestOn(hereJ, hereI, endI) : hereI;
    const fromJ = isUnderWay ? hereJ : nearestOn(hereI, hereJ, endJ);
    if (isEdgeNear(fromJ, endJ, fromI, endI, tolerance)) pending.push({ i: nextI, j, isUnderWay: false });
    if (isEdgeNear(fromI, endI, fromJ, endJ, tolerance)) pending.push({ i, j: nextJ, isUnderWay: true });
  }
  return false;
}

/** The edges of the chain that begin near the first of what is to be covered. */
function startsOf(chain: readonly Point[], covered: readonly Point[], tolerance: number): Progress[] {
  const [first] = covered as readonly [Point];
  const starts: Progress[] = [];
  for (let i = 0, next = nextDifferent(chain, 0); next < chain.length; i = next, next = nextDifferent(chain, next)) {
    worked(units.start);
    const end = vertexAt(chain, next);
    const nearest = nearestOn(first, vertexAt(chain, i), end);
    if (!isSame(nearest, end) && angleBetween(nearest, first) <= tolerance) starts.push({ i, j: 0, isUnderWay: true });
  }
  return starts;
}

/** Where the next vertex is that is not the same. */
function nextDifferent(chain: readonly Point[], index: number): number {
  const here = vertexAt(chain, index);
  let next = index + 1;
  while (next < chain.length && isSame(vertexAt(chain, next), here)) next += 1;
  return next;
}
