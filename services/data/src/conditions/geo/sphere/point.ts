import { atan2, cos, sin } from './trigonometry.ts';

/** A direction from the middle of the globe; of length 1 where nothing else is said. */
export interface Point {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

/** In degrees, as GeoJSON has it. */
export type Position = readonly [longitude: number, latitude: number];

const radiansInDegree = Math.PI / 180;

export function pointAt([longitude, latitude]: Position): Point {
  const [across, up] = [longitude * radiansInDegree, latitude * radiansInDegree];
  const radius = cos(up);
  return { x: cos(across) * radius, y: sin(across) * radius, z: sin(up) };
}

export const isSame = (a: Point, b: Point): boolean => a.x === b.x && a.y === b.y && a.z === b.z;

/** One of a chain, which has it. */
export function vertexAt(chain: readonly Point[], index: number): Point {
  const vertex = chain[index];
  if (vertex === undefined) throw new RangeError(`a chain of ${chain.length} has no vertex ${index}`);
  return vertex;
}

/** The order of their coordinates. */
export function isBefore(a: Point, b: Point): boolean {
  if (a.x !== b.x) return a.x < b.x;
  return a.y === b.y ? a.z < b.z : a.y < b.y;
}

export const plus = (a: Point, b: Point): Point => ({ x: a.x + b.x, y: a.y + b.y, z: a.z + b.z });
export const minus = (a: Point, b: Point): Point => ({ x: a.x - b.x, y: a.y - b.y, z: a.z - b.z });
export const times = (a: Point, by: number): Point => ({ x: a.x * by, y: a.y * by, z: a.z * by });
export const dot = (a: Point, b: Point): number => a.x * b.x + a.y * b.y + a.z * b.z;
export const cross = (a: Point, b: Point): Point => ({
  x: a.y * b.z - a.z * b.y,
  y: a.z * b.x - a.x * b.z,
  z: a.x * b.y - a.y * b.x,
});
export const square = (a: Point): number => dot(a, a);
export const length = (a: Point): number => Math.sqrt(square(a));

/** The direction of a vector, of length 1. */
export function unit(a: Point): Point {
  const size = length(a);
  return size === 0 ? a : times(a, 1 / size);
}

/** In radians, from 0 to π. */
export const angleBetween = (a: Point, b: Point): number => atan2(length(cross(a, b)), dot(a, b));

/** Which coordinate is the largest, with any sign: 0, 1 or 2. */
export function largestAxis({ x, y, z }: Point): 0 | 1 | 2 {
  const [sizeX, sizeY, sizeZ] = [Math.abs(x), Math.abs(y), Math.abs(z)];
  if (sizeX > sizeY) return sizeX > sizeZ ? 0 : 2;
  return sizeY > sizeZ ? 1 : 2;
}

/** A direction at right angles to another, always the same one. */
export function orthogonal(a: Point): Point {
  const axis = largestAxis(a);
  const other = { x: 0.012, y: 0.0053, z: 0.00457 };
  if (axis === 0) other.z = 1;
  else if (axis === 1) other.x = 1;
  else other.y = 1;
  return unit(cross(a, other));
}

/** At right angles to both, precise also where these are close to each other, or opposite. */
export function robustCross(a: Point, b: Point): Point {
  const found = cross(plus(b, a), minus(b, a));
  return found.x === 0 && found.y === 0 && found.z === 0 ? orthogonal(a) : found;
}
