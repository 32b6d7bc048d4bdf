import type { Bound } from './bound.ts';
import {
  allAround,
  boundContains,
  boundContainsPoint,
  boundOfChain,
  boundsIntersect,
  coverEverything,
  everywhere,
  isAllAround,
  lengthAround,
} from './bound.ts';
import type { Cell } from './cell.ts';
import { boundOfCell } from './cell.ts';
import type { Wedge } from './edges.ts';
import { EdgeCrosser, wedgeContains, wedgeIntersects, wedgeRelation } from './edges.ts';
import { isOrdered, orientation } from './orientation.ts';
import { nearEdges } from './near-edges.ts';
import type { Point } from './point.ts';
import { angleBetween, isBefore, isSame, orthogonal, robustCross, unit, vertexAt } from './point.ts';
import { worked } from './work.ts';

/** Where every way into a ring begins; a place that is on no edge that anybody draws. */
const outset = unit({ x: 0.00457, y: 1, z: 0.0321 });
const north: Point = { x: 0, y: 0, z: 1 };
const south: Point = { x: 0, y: 0, z: -1 };

/** So few MongoDB holds against each other one by one, and of more those that are near. */
const fewEdges = 100;

/** What two rings take that are held against each other, whatever comes of it, as measured. */
const pairUnits = 20;

/** Of a ring that goes round half the globe, which counts as the smaller half either way. */
const turningError = -1e-14;

/**
 * A closed chain of edges, and what is left of it.
 *
 * Decides as MongoDB's S2 does (src/third_party/s2/s2loop.cc), whose floating point is not exact: the same steps, in the same order.
 */
export class Ring {
  readonly vertices: readonly Point[];
  readonly bound: Bound;
  readonly #outsetInside: boolean;

  /** @param vertices - three or more, without the first again at the end */
  constructor(
    vertices: readonly Point[],
    flipped?: { readonly outsetInside: boolean; readonly bound: Bound | undefined },
  ) {
    this.vertices = vertices;
    this.bound = everywhere;
    this.#outsetInside = false;
    if (flipped === undefined) {
      const second = this.vertex(1);
      const isInside = isOrdered(orthogonal(second), this.vertex(0), this.vertex(2), second);
      this.#outsetInside = isInside !== this.contains(second);
    } else {
      this.#outsetInside = flipped.outsetInside;
    }
    this.bound = flipped?.bound ?? this.#findBound();
  }

  /** That of all edges, and of the poles that lie inside. Asks with a bound that lets everything through. */
  #findBound(): Bound {
    let { latitude, longitude } = boundOfChain([...this.vertices, this.vertex(0)]);
    if (this.contains(north)) {
      latitude = { low: latitude.low, high: Math.PI / 2 };
      longitude = allAround;
    }
    if (isAllAround(longitude) && this.contains(south)) latitude = { low: -Math.PI / 2, high: latitude.high };
    return { latitude, longitude };
  }

  get size(): number {
    return this.vertices.length;
  }

  /** @param index - below twice the number of vertices: after the last comes the first */
  vertex(index: number): Point {
    return vertexAt(this.vertices, index < this.size ? index : index - this.size);
  }

  /** Before and after a vertex. */
  #wedgeAt(index: number): Wedge {
    return { before: this.vertex(index - 1 + (index === 0 ? this.size : 0)), after: this.vertex(index + 1) };
  }

  has(point: Point): boolean {
    worked(this.size);
    return this.vertices.some((vertex) => isSame(vertex, point));
  }

  /** This ring, or the one that goes the other way round: that of the smaller half of the globe. */
  normalized(): Ring {
    return this.isNormalized() ? this : this.#inverted();
  }

  isNormalized(): boolean {
    return lengthAround(this.bound.longitude) < Math.PI || this.#turningAngle() >= turningError;
  }

  #inverted(): Ring {
    const { low, high } = this.bound.latitude;
    const holdsBothPoles = low > -Math.PI / 2 && high < Math.PI / 2;
    const bound = holdsBothPoles ? everywhere : undefined;
    return new Ring(this.vertices.toReversed(), { outsetInside: !this.#outsetInside, bound });
  }

  /** How far left one turns on the way round, begun where it is always begun, so that roundings add up alike. */
  #turningAngle(): number {
    const { size } = this;
    let first = 0;
    for (const [index, vertex] of this.vertices.entries()) if (isBefore(vertex, this.vertex(first))) first = index;
    const step = isBefore(this.vertex((first + 1) % size), this.vertex((first + size - 1) % size)) ? 1 : -1;
    let sum = 0;
    for (let turn = 0; turn < size; turn += 1) {
      const at = (offset: number): Point => this.vertex((first + (turn + offset) * step + 2 * size) % size);
      sum += turnAngle(at(-1), at(0), at(1));
    }
    return step * sum;
  }

  contains(point: Point): boolean {
    if (this.bound !== everywhere && !boundContainsPoint(this.bound, point)) return false;
    let isInside = this.#outsetInside;
    const crosser = new EdgeCrosser(outset, point, this.vertex(0));
    for (let index = 1; index <= this.size; index += 1) {
      if (crosser.crossesOrMeets(this.vertex(index))) isInside = !isInside;
    }
    return isInside;
  }

  /**
   * How boundaries meet.
   *
   * @param isEnough - asked of each vertex that both have, until it says so
   * @returns whether edges cross, or it was enough at some vertex
   */
  #meets(other: Ring, isEnough: (vertex: Point, own: Wedge, others: Wedge) => boolean): boolean {
    for (let j = 0; j < other.size; j += 1) {
      const crosser = new EdgeCrosser(other.vertex(j), other.vertex(j + 1), this.vertex(0));
      for (let i = 0; i < this.size; i += 1) {
        const found = crosser.crossing(this.vertex(i + 1));
        if (found > 0) return true;
        if (found < 0 || !isSame(this.vertex(i + 1), other.vertex(j + 1))) continue;
        const own = { before: this.vertex(i), after: this.vertex((i + 2) % this.size) };
        const others = { before: other.vertex(j), after: other.vertex((j + 2) % other.size) };
        if (isEnough(this.vertex(i + 1), own, others)) return true;
      }
    }
    return false;
  }

  containsRing(other: Ring): boolean {
    if (!boundContains(this.bound, other.bound)) return false;
    if (!this.contains(other.vertex(0)) && !this.has(other.vertex(0))) return false;
    if (this.#meets(other, (vertex, own, others) => !wedgeContains(vertex, own, others))) return false;
    // Together they may be the whole globe, each with the other's boundary inside.
    const isWhole = coverEverything(this.bound, other.bound);
    return !(isWhole && other.contains(this.vertex(0)) && !other.has(this.vertex(0)));
  }

  intersects(other: Ring): boolean {
    if (other.size > this.size) return other.intersects(this);
    if (!boundsIntersect(this.bound, other.bound)) return false;
    if (this.contains(other.vertex(0)) && !this.has(other.vertex(0))) return true;
    if (this.#meets(other, wedgeIntersects)) return true;
    return boundContains(other.bound, this.bound) && other.contains(this.vertex(0)) && !other.has(this.vertex(0));
  }

  mayIntersect(cell: Cell): boolean {
    return boundsIntersect(this.bound, boundOfCell(cell)) && ringOf(cell).intersects(this);
  }

  /** Whether another ring lies inside, or its boundary crosses this one's. */
  relationTo(other: Ring): 'crosses' | 'contains' | 'other' {
    worked(pairUnits);
    if (!boundsIntersect(this.bound, other.bound)) return 'other';
    const found = new Set<string>();
    const crosses = this.#meets(other, (vertex, own, others) => {
      found.add(wedgeRelation(vertex, own, others));
      return found.has('overlaps') || (found.has('contains') && found.has('contained'));
    });
    if (crosses) return 'crosses';
    if (found.has('apart') || found.has('contained') || !boundContains(this.bound, other.bound)) return 'other';
    return this.contains(other.vertex(0)) || this.has(other.vertex(0)) ? 'contains' : 'other';
  }

  /** Whether another ring lies inside, where it is known that they do not cross. */
  containsNested(other: Ring): boolean {
    worked(pairUnits);
    if (!boundContains(this.bound, other.bound)) return false;
    const vertex = other.vertex(1);
    worked(this.size);
    const index = this.vertices.findIndex((each) => isSame(each, vertex));
    return index < 0
      ? this.contains(vertex)
      : wedgeContains(vertex, this.#wedgeAt(index), { before: other.vertex(0), after: other.vertex(2) });
  }

  /** Whether no vertex comes twice, and no edge crosses another. */
  isSimple(): boolean {
    const names = new Set(this.vertices.map(({ x, y, z }) => `${x + 0} ${y + 0} ${z + 0}`));
    if (this.size < 3 || names.size < this.size) return false;
    if (this.size > fewEdges) {
      for (const [i, j] of nearEdges(this.vertices)) {
        const crosser = new EdgeCrosser(this.vertex(i), this.vertex(i + 1), this.vertex(j));
        if (j > i + 1 && crosser.crossing(this.vertex(j + 1)) > 0) return false;
      }
      return true;
    }
    for (let i = 0; i < this.size; i += 1) {
      let crosser: EdgeCrosser | undefined;
      for (let j = i + 2; j < this.size; j += 1) {
        crosser ??= new EdgeCrosser(this.vertex(i), this.vertex(i + 1), this.vertex(j));
        if (crosser.crossing(this.vertex(j + 1)) > 0) return false;
      }
    }
    return true;
  }
}

/** How far one turns at b, more than 0 to the left. */
function turnAngle(a: Point, b: Point, c: Point): number {
  const angle = angleBetween(robustCross(b, a), robustCross(c, b));
  return orientation(a, b, c) > 0 ? angle : -angle;
}

export const ringOf = ({ vertices }: Cell): Ring => new Ring(vertices);
