import type { LocatedFault } from '../../conditions/located-fault.ts';
import { pointerTo } from '../../conditions/located-fault.ts';
import { isContainer } from '../../conditions/values-at.ts';

/** Of one geometry: each costs time to lay out, here and in MongoDB, and a polygon's edges are compared with each other. */
const maxPositions = 1_000;

/** So many are told at a time of one geometry, and some more. */
const mostFaults = 100;

/** What stands in `coordinates`, in levels of arrays above a position; what is asked of the lowest of these. */
interface Shape {
  readonly levels: number;
  readonly check: (positions: readonly Position[], pointer: string) => LocatedFault[];
}

type Position = readonly [longitude: number, latitude: number];

const anything = (): LocatedFault[] => [];

/** The geometries of RFC 7946 §3.1, but for collections. */
const shapes: ReadonlyMap<unknown, Shape> = new Map<unknown, Shape>([
  ['Point', { levels: 0, check: anything }],
  ['MultiPoint', { levels: 1, check: anything }],
  ['LineString', { levels: 1, check: checkLine }],
  ['MultiLineString', { levels: 2, check: checkLine }],
  ['Polygon', { levels: 2, check: checkRing }],
  ['MultiPolygon', { levels: 3, check: checkRing }],
]);

/**
 * Checks that a value is a GeoJSON geometry on the globe (RFC 7946), as strictly as no reader would misunderstand: a position is
 * a longitude and a latitude in degrees, nothing stands beside `type` and `coordinates`. Whether edges cross is told by who lays it out.
 *
 * @param value - as `JSON.parse` gave it
 * @param pointer - where it stands, for the faults
 */
export function checkGeometry(value: unknown, pointer: string): LocatedFault[] {
  if (!isContainer(value)) return [notGeometry(pointer)];
  const { type, coordinates, ...rest } = value;
  const shape = shapes.get(type);
  if (shape === undefined) return [notGeometry(pointerTo(pointer, 'type'))];
  const [other] = Object.keys(rest);
  if (other !== undefined) {
    return [fault(pointerTo(pointer, other), 'A geometry has `type` and `coordinates`: leave this out.')];
  }
  let positions = 0;
  const at = pointerTo(pointer, 'coordinates');
  const count = (): boolean => (positions += 1) <= maxPositions;
  const faults = checkLevel(coordinates, shape.levels, shape, at, count);
  return positions > maxPositions ? [fault(at, `Use at most ${maxPositions} positions.`)] : faults;
}

/** @param count - whether one more position is to be looked at */
function checkLevel(
  value: unknown,
  levels: number,
  shape: Shape,
  pointer: string,
  count: () => boolean,
): LocatedFault[] {
  if (levels === 0) return count() ? checkPosition(value, pointer) : [];
  if (!Array.isArray(value) || value.length === 0) {
    return [fault(pointer, 'Give an array that is not empty, as RFC 7946 has it for this type.')];
  }
  const faults: LocatedFault[] = [];
  for (const [index, each] of value.entries()) {
    if (faults.length >= mostFaults) break;
    for (const one of checkLevel(each, levels - 1, shape, pointerTo(pointer, index), count)) faults.push(one);
  }
  return faults.length > 0 || levels > 1 ? faults : shape.check(value as Position[], pointer);
}

function checkPosition(value: unknown, pointer: string): LocatedFault[] {
  const isPair = Array.isArray(value) && value.length === 2 && value.every((each) => typeof each === 'number');
  if (!isPair) return [fault(pointer, 'Give a position as [longitude, latitude] in degrees.')];
  const [longitude = 0, latitude = 0] = value;
  const isOnGlobe = Math.abs(longitude) <= 180 && Math.abs(latitude) <= 90;
  return isOnGlobe
    ? []
    : [fault(pointer, 'Give a longitude from -180 to 180 and a latitude from -90 to 90, in this order.', 'off-globe')];
}

function checkLine(positions: readonly Position[], pointer: string): LocatedFault[] {
  return differing(positions) >= 2 ? [] : [fault(pointer, 'Give a line at least two different positions.')];
}

/** RFC 7946 §3.1.6: closed, of four positions or more. */
function checkRing(positions: readonly Position[], pointer: string): LocatedFault[] {
  const [first, last] = [positions[0], positions.at(-1)];
  if (first?.join() !== last?.join()) return [fault(pointer, 'Close the ring: its last position is its first.')];
  return positions.length >= 4 && differing(positions) >= 3
    ? []
    : [fault(pointer, 'Give a ring at least three different positions, and the first again at its end.')];
}

const differing = (positions: readonly Position[]): number => new Set(positions.map((each) => each.join())).size;

const notGeometry = (pointer: string): LocatedFault =>
  fault(pointer, 'Give a GeoJSON geometry: a Point, LineString, Polygon, MultiPoint, MultiLineString or MultiPolygon.');

const fault = (pointer: string, message: string, code = 'invalid-geometry'): LocatedFault => ({
  pointer,
  code,
  message,
});
