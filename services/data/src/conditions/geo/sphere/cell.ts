import type { Bound } from './bound.ts';
import { allAround, aroundBetween, expandedAround, latitudeOf, longitudeOf } from './bound.ts';
import type { Point } from './point.ts';
import { largestAxis, unit } from './point.ts';

/**
 * The square of about a centimetre, of a grid laid over the six faces of a cube around the globe, that a position lies in. MongoDB takes
 * a position for all of it (S2's leaf cells), which is why positions on an edge, and some beside it, lie within a surface.
 */
export interface Cell {
  readonly face: number;
  readonly column: number;
  readonly row: number;
  /** The four corners, turning left. */
  readonly vertices: readonly Point[];
  /** Where the sides lie on the face, from -1 to 1. */
  readonly u: Sides;
  readonly v: Sides;
}

type Sides = readonly [low: number, high: number];

/** Cells on each side of a face. */
const cellsAcross = 2 ** 30;

/** To the nearest whole number, and to the even one from the middle. */
function rounded(value: number): number {
  const nearest = Math.round(value);
  return nearest - value === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
}

/** The quadratic projection of S2, which makes cells about as large everywhere. */
function placeOf(side: number): number {
  const share = side >= 0 ? 0.5 * Math.sqrt(1 + 3 * side) : 1 - 0.5 * Math.sqrt(1 - 3 * side);
  return Math.max(0, Math.min(cellsAcross - 1, rounded(cellsAcross * share - 0.5)));
}

/** The inverse of the projection. */
function sideAt(place: number): number {
  const share = place / cellsAcross;
  return share >= 0.5 ? (1 / 3) * (4 * share * share - 1) : (1 / 3) * (1 - 4 * (1 - share) * (1 - share));
}

function directionAt(face: number, u: number, v: number): Point {
  switch (face) {
    case 0:
      return { x: 1, y: u, z: v };
    case 1:
      return { x: -u, y: 1, z: v };
    case 2:
      return { x: -u, y: -v, z: 1 };
    case 3:
      return { x: -1, y: -v, z: -u };
    case 4:
      return { x: v, y: -1, z: -u };
    default:
      return { x: v, y: u, z: -1 };
  }
}

function sidesOn(face: number, { x, y, z }: Point): readonly [u: number, v: number] {
  switch (face) {
    case 0:
      return [y / x, z / x];
    case 1:
      return [-x / y, z / y];
    case 2:
      return [-x / z, -y / z];
    case 3:
      return [z / x, y / x];
    case 4:
      return [z / y, -x / y];
    default:
      return [-y / z, -x / z];
  }
}

const coordinateOf = ({ x, y, z }: Point, axis: number): number => (axis === 0 ? x : axis === 1 ? y : z);

export function cellOf(point: Point): Cell {
  const axis = largestAxis(point);
  const face = coordinateOf(point, axis) < 0 ? axis + 3 : axis;
  const [across, up] = sidesOn(face, point);
  const [column, row] = [placeOf(across), placeOf(up)];
  const u: Sides = [sideAt(column), sideAt(column + 1)];
  const v: Sides = [sideAt(row), sideAt(row + 1)];
  const vertices = [
    directionAt(face, u[0], v[0]),
    directionAt(face, u[1], v[0]),
    directionAt(face, u[1], v[1]),
    directionAt(face, u[0], v[1]),
  ].map(unit);
  return { face, column, row, vertices, u, v };
}

export const isSameCell = (a: Cell, b: Cell): boolean => a.face === b.face && a.column === b.column && a.row === b.row;

/** Sides included, so that what lies between two faces lies in cells of both. */
export function cellContains({ face, u, v }: Cell, point: Point): boolean {
  const towards = coordinateOf(point, face % 3);
  if (face < 3 ? towards <= 0 : towards >= 0) return false;
  const [across, up] = sidesOn(face, point);
  return across >= u[0] && across <= u[1] && up >= v[0] && up <= v[1];
}

/** A corner, made of one side of each kind. */
type Corner = 0 | 1;

const opposite = (corner: Corner): Corner => (corner === 0 ? 1 : 0);

/** Corners are brought to length 1, which moves them by so much. */
const moved = 2 ** -51;

export function boundOfCell({ face, u, v }: Cell): Bound {
  const at = (i: Corner, j: Corner): Point => directionAt(face, u[i], v[j]);
  // The corner that is nearest to a pole, by the quarter of the face: a side either rises towards it or stands beside it.
  const i: Corner = (face === 3 || face === 4 ? u[0] + u[1] > 0 : u[0] + u[1] < 0) ? 1 : 0;
  const j: Corner = (face === 0 || face === 1 ? v[0] + v[1] > 0 : v[0] + v[1] < 0) ? 1 : 0;
  const [one, other] = [latitudeOf(at(i, j)), latitudeOf(at(opposite(i), opposite(j)))];
  const pole = Math.PI / 2;
  const latitude = {
    low: Math.max(-pole, Math.min(one, other) - moved),
    high: Math.min(pole, Math.max(one, other) + moved),
  };
  if (latitude.low === -pole || latitude.high === pole) return { latitude, longitude: allAround };
  const between = aroundBetween(longitudeOf(at(i, opposite(j))), longitudeOf(at(opposite(i), j)));
  return { latitude, longitude: expandedAround(between, moved) };
}

/** For each corner the direction, into the cell, at right angles to the side from it to the next one. */
export function normalsOf({ face, u, v }: Cell): readonly Point[] {
  const inverse = ({ x, y, z }: Point): Point => ({ x: -x, y: -y, z: -z });
  return [
    normalOfRow(face, v[0]),
    normalOfColumn(face, u[1]),
    inverse(normalOfRow(face, v[1])),
    inverse(normalOfColumn(face, u[0])),
  ];
}

function normalOfColumn(face: number, u: number): Point {
  switch (face) {
    case 0:
      return { x: u, y: -1, z: 0 };
    case 1:
      return { x: 1, y: u, z: 0 };
    case 2:
      return { x: 1, y: 0, z: u };
    case 3:
      return { x: -u, y: 0, z: 1 };
    case 4:
      return { x: 0, y: -u, z: 1 };
    default:
      return { x: 0, y: -1, z: -u };
  }
}

function normalOfRow(face: number, v: number): Point {
  switch (face) {
    case 0:
      return { x: -v, y: 0, z: 1 };
    case 1:
      return { x: 0, y: -v, z: 1 };
    case 2:
      return { x: 0, y: -1, z: -v };
    case 3:
      return { x: v, y: -1, z: 0 };
    case 4:
      return { x: 1, y: v, z: 0 };
    default:
      return { x: 1, y: 0, z: v };
  }
}
