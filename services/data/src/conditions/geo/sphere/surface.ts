import type { Bound } from './bound.ts';
import { boundContains, boundContainsPoint, boundsIntersect, goAllAround } from './bound.ts';
import type { Cell } from './cell.ts';
import { boundOfCell } from './cell.ts';
import type { Point } from './point.ts';
import { isSame } from './point.ts';
import { Ring, ringOf } from './ring.ts';

/** What lies within a ring and not within its holes (MongoDB's src/third_party/s2/s2polygon.cc). */
export class Surface {
  readonly #shell: Ring;
  /** The shell, then the holes. */
  readonly rings: readonly Ring[];
  /** Vertices in all. */
  readonly size: number;

  constructor(shell: Ring, holes: readonly Ring[] = []) {
    this.#shell = shell;
    this.rings = [shell, ...holes];
    this.size = this.rings.reduce((sum, ring) => sum + ring.size, 0);
  }

  get bound(): Bound {
    return this.#shell.bound;
  }

  get #hasHoles(): boolean {
    return this.rings.length > 1;
  }

  contains(point: Point): boolean {
    if (!this.#hasHoles) return this.#shell.contains(point);
    if (!boundContainsPoint(this.bound, point)) return false;
    return this.rings.filter((ring) => ring.contains(point)).length % 2 === 1;
  }

  mayIntersect(cell: Cell): boolean {
    if (!this.#hasHoles) return this.#shell.mayIntersect(cell);
    return boundsIntersect(this.bound, boundOfCell(cell)) && this.intersects(new Surface(ringOf(cell)));
  }

  /** Whether a position lies inside, or on an edge, which is to say: about a centimetre from it. */
  holds(point: Point, cell: Cell): boolean {
    return this.contains(point) || this.mayIntersect(cell);
  }

  containsSurface(other: Surface): boolean {
    if (!this.#hasHoles && !other.#hasHoles) return this.#shell.containsRing(other.#shell);
    if (!boundContains(this.bound, other.bound) && !goAllAround(this.bound, other.bound)) return false;
    return (
      this.#relationTo(other.#shell) === 'contains' &&
      this.rings.slice(1).every((hole) => other.#relationTo(hole) === 'other')
    );
  }

  #relationTo(ring: Ring): 'crosses' | 'contains' | 'other' {
    let isInside = false;
    for (const own of this.rings) {
      const relation = own.relationTo(ring);
      if (relation === 'crosses') return relation;
      if (relation === 'contains') isInside = !isInside;
    }
    return isInside ? 'contains' : 'other';
  }

  intersects(other: Surface): boolean {
    if (!this.#hasHoles && !other.#hasHoles) return this.#shell.intersects(other.#shell);
    if (!boundsIntersect(this.bound, other.bound)) return false;
    return this.#intersectsRing(other.#shell) || other.#intersectsRing(this.#shell);
  }

  #intersectsRing(ring: Ring): boolean {
    let isInside = false;
    for (const own of this.rings) {
      if (own.containsRing(ring)) isInside = !isInside;
      else if (!ring.containsRing(own) && own.intersects(ring)) return true;
    }
    return isInside;
  }
}

/**
 * Lays a ring and its holes out.
 *
 * @param chains - each with the first position again at its end
 * @returns undefined where MongoDB would not: rings cross themselves or each other, holes lie outside or within each other, or meet the ring
 *   at more than one vertex
 */
export function surfaceOf(chains: readonly (readonly Point[])[]): Surface | undefined {
  const rings: Ring[] = [];
  for (const chain of chains) {
    const vertices = withoutRepeated(chain).slice(0, -1);
    if (vertices.length < 3) return undefined;
    const ring = new Ring(vertices);
    if (!ring.isSimple()) return undefined;
    rings.push(ring.normalized());
  }
  const [shell, ...holes] = rings;
  if (shell === undefined || !rings.every((ring) => ring.isNormalized())) return undefined;
  const isLaidOut =
    holes.every((hole) => shell.containsRing(hole) && shell.containsNested(hole) && isMetOnce(shell, hole)) &&
    !shareEdges(rings) &&
    rings.every((ring, index) => rings.slice(index + 1).every((other) => ring.relationTo(other) !== 'crosses')) &&
    holes.every((hole) => holes.every((other) => other === hole || !hole.containsNested(other)));
  return isLaidOut ? new Surface(shell, holes) : undefined;
}

/** Without positions that repeat the one before. */
export const withoutRepeated = (chain: readonly Point[]): Point[] =>
  chain.filter((point, index) => {
    const before = chain[index - 1];
    return before === undefined || !isSame(before, point);
  });

const isMetOnce = (shell: Ring, hole: Ring): boolean => hole.vertices.filter((vertex) => shell.has(vertex)).length <= 1;

const nameOf = ({ x, y, z }: Point): string => `${x + 0} ${y + 0} ${z + 0}`;

function shareEdges(rings: readonly Ring[]): boolean {
  if (rings.length < 2) return false;
  const seen = new Set<string>();
  for (const ring of rings) {
    for (const [index, vertex] of ring.vertices.entries()) {
      const [from, to] = [nameOf(vertex), nameOf(ring.vertex(index + 1))];
      if (seen.has(`${from}|${to}`) || seen.has(`${to}|${from}`)) return true;
      seen.add(`${from}|${to}`);
    }
  }
  return false;
}
