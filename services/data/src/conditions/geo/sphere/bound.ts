import type { Point } from './point.ts';
import { cross, dot, length, robustCross } from './point.ts';
import { acos, atan2 } from './trigonometry.ts';
import { worked } from './work.ts';

/** What a vertex of a chain takes, as measured. */
const vertexUnits = 150;

/** From `low` to `high`; on the circle of longitudes `low` is the greater one where ±π lies between them. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** What lies between two latitudes and two longitudes, in radians, ends included. */
export interface Bound {
  readonly latitude: Interval;
  readonly longitude: Interval;
}

const { PI: pi } = Math;
export const allAround: Interval = { low: -pi, high: pi };
const nowhereAround: Interval = { low: pi, high: -pi };
export const everywhere: Bound = { latitude: { low: -pi / 2, high: pi / 2 }, longitude: allAround };

export const latitudeOf = ({ x, y, z }: Point): number => atan2(z, Math.sqrt(x * x + y * y));
export const longitudeOf = ({ x, y }: Point): number => atan2(y, x);

export const isAllAround = ({ low, high }: Interval): boolean => high - low === 2 * pi;
const isNowhere = ({ low, high }: Interval): boolean => low - high === 2 * pi;
const isInverted = ({ low, high }: Interval): boolean => low > high;
const isEverywhere = ({ latitude, longitude }: Bound): boolean =>
  latitude.low === -pi / 2 && latitude.high === pi / 2 && isAllAround(longitude);

/** How far round an interval goes. */
export function lengthAround({ low, high }: Interval): number {
  const span = high - low;
  if (span >= 0) return span;
  return span + 2 * pi > 0 ? span + 2 * pi : -1;
}

const liesAround = (interval: Interval, angle: number): boolean =>
  isInverted(interval)
    ? (angle >= interval.low || angle <= interval.high) && !isNowhere(interval)
    : angle >= interval.low && angle <= interval.high;

/** π, where an angle is -π. */
const normal = (angle: number): number => (angle === -pi ? pi : angle);

function containsAround(a: Interval, b: Interval): boolean {
  if (isInverted(a)) {
    if (isInverted(b)) return b.low >= a.low && b.high <= a.high;
    return (b.low >= a.low || b.high <= a.high) && !isNowhere(a);
  }
  if (isInverted(b)) return isAllAround(a) || isNowhere(b);
  return b.low >= a.low && b.high <= a.high;
}

function intersectsAround(a: Interval, b: Interval): boolean {
  if (isNowhere(a) || isNowhere(b)) return false;
  if (isInverted(a)) return isInverted(b) || b.low <= a.high || b.high >= a.low;
  if (isInverted(b)) return b.low <= a.high || b.high >= a.low;
  return b.low <= a.high && b.high >= a.low;
}

/** How far it is from a to b, going east. */
const eastward = (a: number, b: number): number => (b - a >= 0 ? b - a : b + pi - (a - pi));

/** The shorter way round between two longitudes. */
export function aroundBetween(a: number, b: number): Interval {
  const [from, to] = [normal(a), normal(b)];
  return eastward(from, to) <= pi ? { low: from, high: to } : { low: to, high: from };
}

function unionAround(a: Interval, b: Interval): Interval {
  if (isNowhere(b)) return a;
  if (liesAround(a, b.low)) {
    if (!liesAround(a, b.high)) return { low: a.low, high: b.high };
    return containsAround(a, b) ? a : allAround;
  }
  if (liesAround(a, b.high)) return { low: b.low, high: a.high };
  if (isNowhere(a) || liesAround(b, a.low)) return b;
  return eastward(b.high, a.low) < eastward(a.high, b.low)
    ? { low: b.low, high: a.high }
    : { low: a.low, high: b.high };
}

/** Beyond ±π one goes on from the other side. */
const wrapped = (angle: number): number => (angle > pi ? angle - 2 * pi : angle < -pi ? angle + 2 * pi : angle);

/** An interval of longitudes that is wider by so much on both sides. */
export function expandedAround(interval: Interval, by: number): Interval {
  if (lengthAround(interval) + 2 * by >= 2 * pi - 1e-15) return allAround;
  const low = wrapped(interval.low - by);
  return { low: low <= -pi ? pi : low, high: normal(wrapped(interval.high + by)) };
}

export function boundContainsPoint({ latitude, longitude }: Bound, point: Point): boolean {
  const up = latitudeOf(point);
  return up >= latitude.low && up <= latitude.high && liesAround(longitude, normal(longitudeOf(point)));
}

export const boundContains = (a: Bound, b: Bound): boolean =>
  b.latitude.low >= a.latitude.low && b.latitude.high <= a.latitude.high && containsAround(a.longitude, b.longitude);

export const boundsIntersect = (a: Bound, b: Bound): boolean =>
  a.latitude.low <= b.latitude.high && b.latitude.low <= a.latitude.high && intersectsAround(a.longitude, b.longitude);

/** Whether the bound of two bounds is the whole globe. */
export const coverEverything = (a: Bound, b: Bound): boolean => isEverywhere(unionOf(a, b));

/** Whether two bounds together go all the way round. */
export const goAllAround = (a: Bound, b: Bound): boolean => isAllAround(unionAround(a.longitude, b.longitude));

const unionOf = (a: Bound, b: Bound): Bound => ({
  latitude: {
    low: Math.min(a.latitude.low, b.latitude.low),
    high: Math.max(a.latitude.high, b.latitude.high),
  },
  longitude: unionAround(a.longitude, b.longitude),
});

/** So near to a pole nobody knows on which side an edge goes past it. */
const nearPole = pi / 2 - 1e-15;

/** The bound of the edges from each vertex to the next. An edge goes farther north or south than its ends do. */
export function boundOfChain(vertices: Iterable<Point>): Bound {
  let bound: Bound = { latitude: { low: Infinity, high: -Infinity }, longitude: nowhereAround };
  let before: { readonly point: Point; readonly up: number; readonly across: number } | undefined;
  for (const point of vertices) {
    worked(vertexUnits);
    const here = { point, up: latitudeOf(point), across: longitudeOf(point) };
    const last = before ?? here;
    const ends: Bound = {
      latitude: { low: Math.min(last.up, here.up), high: Math.max(last.up, here.up) },
      longitude: aroundBetween(last.across, here.across),
    };
    bound = unionOf(bound, ends);
    if (before !== undefined) bound = withExtremes(bound, before.point, point);
    before = here;
  }
  return bound;
}

function withExtremes(bound: Bound, a: Point, b: Point): Bound {
  const ab = robustCross(a, b);
  const toEquator = cross(ab, { x: 0, y: 0, z: 1 });
  const [fromA, fromB] = [dot(toEquator, a), dot(toEquator, b)];
  if (!(fromA * fromB < 0)) return bound;
  const extreme = acos(Math.abs(ab.z / length(ab)));
  const { low, high } = bound.latitude;
  const latitude = fromA < 0 ? { low, high: Math.max(extreme, high) } : { low: Math.min(-extreme, low), high };
  return { latitude, longitude: extreme >= nearPole ? allAround : bound.longitude };
}
