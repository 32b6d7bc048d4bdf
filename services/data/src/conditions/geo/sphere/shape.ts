import type { Geometry } from '../geometry.ts';
import type { Cell } from './cell.ts';
import { cellOf } from './cell.ts';
import type { Line } from './line.ts';
import { lineOf } from './line.ts';
import type { Point, Position } from './point.ts';
import { pointAt } from './point.ts';
import type { Surface } from './surface.ts';
import { surfaceOf } from './surface.ts';
import { worked } from './work.ts';

/** What a position takes that is laid out, as measured. */
const positionUnits = 250;

/** A position, and the cell that it lies in. */
export interface Spot {
  readonly point: Point;
  readonly cell: Cell;
}

/** A geometry that is laid out on the globe; one of several kinds has several of one sort. */
export interface Shape {
  readonly spots: readonly Spot[];
  readonly lines: readonly Line[];
  readonly surfaces: readonly Surface[];
  /** Vertices in all. */
  readonly size: number;
}

/**
 * Lays a geometry out that `checkGeometry` has accepted.
 *
 * @returns undefined where MongoDB would not take it, since edges cross or go half way round the globe
 */
export function shapeOf({ type, coordinates }: Geometry): Shape | undefined {
  switch (type) {
    case 'Point':
      return shaped([spotAt(coordinates as unknown as Position)], [], []);
    case 'MultiPoint':
      return shaped((coordinates as readonly Position[]).map(spotAt), [], []);
    case 'LineString':
      return shaped([], [lineOf(chainAt(coordinates))], []);
    case 'MultiLineString':
      return shaped(
        [],
        coordinates.map((chain) => lineOf(chainAt(chain))),
        [],
      );
    case 'Polygon':
      return shaped([], [], [surfaceOf(coordinates.map(chainAt))]);
    case 'MultiPolygon':
      return shaped(
        [],
        [],
        (coordinates as readonly unknown[][]).map((rings) => surfaceOf(rings.map(chainAt))),
      );
    default:
      return undefined;
  }
}

const laidOutAt = (position: Position): Point => {
  worked(positionUnits);
  return pointAt(position);
};

const spotAt = (position: Position): Spot => {
  const point = laidOutAt(position);
  return { point, cell: cellOf(point) };
};

const chainAt = (positions: unknown): Point[] => (positions as readonly Position[]).map(laidOutAt);

function shaped(
  spots: readonly Spot[],
  lines: readonly (Line | undefined)[],
  surfaces: readonly (Surface | undefined)[],
): Shape | undefined {
  const [laidLines, laidSurfaces] = [lines.filter(isThere), surfaces.filter(isThere)];
  if (laidLines.length < lines.length || laidSurfaces.length < surfaces.length) return undefined;
  const size = [...laidLines, ...laidSurfaces].reduce((sum, each) => sum + each.size, spots.length);
  return { spots, lines: laidLines, surfaces: laidSurfaces, size };
}

const isThere = <T>(value: T | undefined): value is T => value !== undefined;
