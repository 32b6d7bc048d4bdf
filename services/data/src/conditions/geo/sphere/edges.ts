import type { Orientation } from './orientation.ts';
import { isOrdered, orientation } from './orientation.ts';
import type { Point } from './point.ts';
import {
  angleBetween,
  cross,
  dot,
  isBefore,
  isSame,
  length,
  minus,
  orthogonal,
  plus,
  robustCross,
  square,
  times,
  unit,
} from './point.ts';
import { worked } from './work.ts';

/** What it takes to hold an edge against another, as measured, what is around it included. */
const crossingUnits = 2;

/** Whether two edges cross: 1 where inside both, 0 where they have an end in common, -1 where not. */
export type Crossing = -1 | 0 | 1;

/** Holds one edge against those of a chain, one after the other. */
export class EdgeCrosser {
  readonly #a: Point;
  readonly #b: Point;
  readonly #ab: Point;
  #c: Point;
  #acb: number;

  /** @param c - where the chain begins */
  constructor(a: Point, b: Point, c: Point) {
    this.#a = a;
    this.#b = b;
    this.#ab = cross(a, b);
    this.#c = c;
    this.#acb = -orientation(a, b, c, this.#ab);
  }

  /** Goes on elsewhere. */
  restartAt(c: Point): void {
    this.#c = c;
    this.#acb = -orientation(this.#a, this.#b, c, this.#ab);
  }

  /** Whether the edge crosses that from where the chain is to `d`, where it is then. */
  crossing(d: Point): Crossing {
    worked(crossingUnits);
    const bda = orientation(this.#a, this.#b, d, this.#ab);
    const found = this.#crossing(d, bda);
    this.#c = d;
    this.#acb = -bda;
    return found;
  }

  #crossing(d: Point, bda: Orientation): Crossing {
    if (bda === 0 || this.#acb === 0) return 0;
    if (bda !== this.#acb) return -1;
    const cd = cross(this.#c, d);
    if (-orientation(this.#c, d, this.#b, cd) !== this.#acb) return -1;
    return orientation(this.#c, d, this.#a, cd) === this.#acb ? 1 : -1;
  }

  /** As {@link crossing}; edges with an end in common cross so that a way into a ring crosses it once. */
  crossesOrMeets(d: Point): boolean {
    const c = this.#c;
    const found = this.crossing(d);
    return found === 0 ? crossesAtVertex(this.#a, this.#b, c, d) : found > 0;
  }
}

/** Whether two edges with an end in common count as crossing there: whether the one comes after the other, turning left from a fixed direction. */
export function crossesAtVertex(a: Point, b: Point, c: Point, d: Point): boolean {
  if (isSame(a, b) || isSame(c, d)) return false;
  if (isSame(a, d)) return isOrdered(orthogonal(a), c, b, a);
  if (isSame(b, c)) return isOrdered(orthogonal(b), d, a, b);
  if (isSame(a, c)) return isOrdered(orthogonal(a), d, b, a);
  if (isSame(b, d)) return isOrdered(orthogonal(b), c, a, b);
  return false;
}

/** Two edges after each other, and what is left of them. */
export interface Wedge {
  readonly before: Point;
  readonly after: Point;
}

export const wedgeContains = (vertex: Point, a: Wedge, b: Wedge): boolean =>
  isOrdered(a.after, b.after, b.before, vertex) && isOrdered(b.before, a.before, a.after, vertex);

export const wedgeIntersects = (vertex: Point, a: Wedge, b: Wedge): boolean =>
  !(isOrdered(a.before, b.after, b.before, vertex) && isOrdered(b.before, a.after, a.before, vertex));

/** How one wedge lies to another at the same vertex. */
export function wedgeRelation(
  vertex: Point,
  a: Wedge,
  b: Wedge,
): 'same' | 'contains' | 'contained' | 'overlaps' | 'apart' {
  if (isSame(a.before, b.before) && isSame(a.after, b.after)) return 'same';
  if (isOrdered(a.before, a.after, b.after, vertex)) {
    if (isOrdered(b.after, b.before, a.before, vertex)) return 'contains';
    return isSame(a.after, b.after) ? 'contained' : 'overlaps';
  }
  if (isOrdered(a.before, b.before, b.after, vertex)) return 'contained';
  return isOrdered(a.before, b.before, a.after, vertex) ? 'apart' : 'overlaps';
}

/** Where two edges that cross do so. */
export function intersectionOf(a0: Point, a1: Point, b0: Point, b1: Point): Point {
  const normalA = unit(robustCross(a0, a1));
  const normalB = unit(robustCross(b0, b1));
  let found = unit(robustCross(normalA, normalB));
  if (dot(found, plus(plus(a0, a1), plus(b0, b1))) < 0) found = times(found, -1);
  if (isOrdered(a0, found, a1, normalA) && isOrdered(b0, found, b1, normalB)) return found;
  // The edges are almost parallel: the nearest of the ends that lies on the other one.
  const ends = [
    ...[a0, a1].filter((end) => isOrdered(b0, end, b1, normalB)),
    ...[b0, b1].filter((end) => isOrdered(a0, end, a1, normalA)),
  ];
  let [nearest, distance] = [found, 10];
  for (const end of ends) {
    const away = square(minus(found, end));
    if (away < distance || (away === distance && isBefore(end, nearest))) [nearest, distance] = [end, away];
  }
  return nearest;
}

/** Which part of the way from a0 to a1 lies before a point of it. */
export function fractionAt(point: Point, a0: Point, a1: Point): number {
  const before = angleBetween(point, a0);
  return before / (before + angleBetween(point, a1));
}

const isLeft = (a: Point, b: Point, c: Point): boolean => dot(cross(c, a), b) > 0;

/** The point of an edge that is nearest to another. */
export function nearestOn(point: Point, a: Point, b: Point, normal: Point = robustCross(a, b)): Point {
  const found = minus(point, times(normal, dot(point, normal) / square(normal)));
  if (isLeft(normal, a, found) && isLeft(found, b, normal)) return unit(found);
  return square(minus(point, a)) <= square(minus(point, b)) ? a : b;
}

/** How far a point is from an edge, in radians. */
export function distanceTo(point: Point, a: Point, b: Point): number {
  const normal = robustCross(a, b);
  if (isLeft(normal, a, point) && isLeft(point, b, normal)) {
    return Math.asin(Math.min(1, Math.abs(dot(point, normal)) / length(normal)));
  }
  const away = Math.min(square(minus(point, a)), square(minus(point, b)));
  return 2 * Math.asin(Math.min(1, 0.5 * Math.sqrt(away)));
}

/**
 * Whether all of edge b is near edge a.
 *
 * @param tolerance - in radians
 */
export function isEdgeNear(a0: Point, a1: Point, b0: Point, b1: Point, tolerance: number): boolean {
  let normalA = unit(robustCross(a0, a1));
  const [near0, near1] = [nearestOn(b0, a0, a1, normalA), nearestOn(b1, a0, a1, normalA)];
  if (orientation(normalA, near0, near1) < 0) normalA = times(normalA, -1);
  if (angleBetween(b0, near0) > tolerance || angleBetween(b1, near1) > tolerance) return false;
  const normalB = unit(robustCross(b0, b1));
  const between = angleBetween(normalA, normalB);
  if (between <= tolerance) return true;
  if (between >= Math.PI - 0.01) {
    return angleBetween(b0, a0) < angleBetween(b0, a1) === angleBetween(b1, a0) < angleBetween(b1, a1);
  }
  // The two points of b's great circle that are farthest from a's must not lie on b.
  const farthest = unit(minus(normalA, times(normalB, dot(normalA, normalB))));
  return ![farthest, times(farthest, -1)].some(
    (point) => orientation(normalB, b0, point) > 0 && orientation(point, b1, normalB) > 0,
  );
}
