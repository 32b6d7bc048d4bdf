import type { Point } from './point.ts';
import { cross, dot, isBefore, isSame, plus, square, times } from './point.ts';

/** 1 where one turns left from one edge into the next, -1 where right, 0 where two of the three points are the same. */
export type Orientation = -1 | 0 | 1;

/** Less than this may be the rounding of a determinant: 14 roundings of half a unit in the last place. */
const largestError = 0.8e-15;

const signOf = (value: number): Orientation => (value > 0 ? 1 : value < 0 ? -1 : 0);

/**
 * Which way a, b and c go round.
 *
 * MongoDB's S2 decides in floating point and not exactly, so that what lies on one great circle is now left of it and now right; the same
 * steps in the same order give the same answers (src/third_party/s2/s2.cc, `S2::RobustCCW`).
 *
 * @param ab - the cross product of a and b, where it is known
 */
export function orientation(a: Point, b: Point, c: Point, ab: Point = cross(a, b)): Orientation {
  const determinant = dot(ab, c);
  if (determinant > largestError) return 1;
  if (determinant < -largestError) return -1;
  return closeOrientation(a, b, c);
}

/** -1 where two points are nearer to each other than to each other's opposite. */
const signBetween = (a: Point, b: Point): number => (dot(a, b) > 0 ? -1 : 1);

/** By the differences of the points, from the one that lies across the longest side. */
function closeOrientation(a: Point, b: Point, c: Point): Orientation {
  if (isSame(a, b) || isSame(b, c) || isSame(c, a)) return 0;
  const [signAB, signBC, signCA] = [signBetween(a, b), signBetween(b, c), signBetween(c, a)];
  const sideAB = plus(a, times(b, signAB));
  const sideBC = plus(b, times(c, signBC));
  const sideCA = plus(c, times(a, signCA));
  const [ab, bc, ca] = [square(sideAB), square(sideBC), square(sideCA)];
  const fromA = (): number => dot(cross(sideAB, sideCA), a) * signAB;
  const fromB = (): number => dot(cross(sideBC, sideAB), b) * signBC;
  const fromC = (): number => dot(cross(sideCA, sideBC), c) * signCA;
  const isLongerThanCA = ca < bc || (ca === bc && isBefore(a, b));
  const value = isLongerThanCA
    ? ab < bc || (ab === bc && isBefore(a, c))
      ? fromA()
      : fromC()
    : ab < ca || (ab === ca && isBefore(b, c))
      ? fromB()
      : fromC();
  return signOf(value) || projectedOrientation(a, b, c);
}

/** What lies on one great circle as far as numbers tell is told apart by its shadows on the planes of the axes. */
const projectedOrientation = (a: Point, b: Point, c: Point): Orientation =>
  flatOrientation(a.y, a.z, b.y, b.z, c.y, c.z) ||
  flatOrientation(a.z, a.x, b.z, b.x, c.z, c.x) ||
  flatOrientation(a.x, a.y, b.x, b.y, c.x, c.y);

function flatOrientation(a0: number, a1: number, b0: number, b1: number, c0: number, c1: number): Orientation {
  return signOf(flatTurn(a0, a1, b0, b1) + flatTurn(b0, b1, c0, c1) + flatTurn(c0, c1, a0, a1));
}

function flatTurn(a0: number, a1: number, b0: number, b1: number): Orientation {
  const sign = a0 * b0 + a1 * b1 > 0 ? -1 : 1;
  const [side0, side1] = [a0 + sign * b0, a1 + sign * b1];
  const [sizeA, sizeB] = [a0 * a0 + a1 * a1, b0 * b0 + b1 * b1];
  const isFirst = sizeA < sizeB || (sizeA === sizeB && (a0 < b0 || (a0 === b0 && a1 < b1)));
  return signOf(isFirst ? (a0 * side1 - a1 * side0) * sign : side0 * b1 - side1 * b0);
}

/** Whether edges from `center` to a, b and c come in this order, turning left. */
export function isOrdered(a: Point, b: Point, c: Point, center: Point): boolean {
  const first = orientation(b, center, a) >= 0 ? 1 : 0;
  const second = orientation(c, center, b) >= 0 ? 1 : 0;
  const third = orientation(a, center, c) > 0 ? 1 : 0;
  return first + second + third >= 2;
}
