import type { Cap } from './cap.ts';
import { isSameCell } from './cell.ts';
import { nearlyCovers } from './covers.ts';
import type { Line } from './line.ts';
import { partsWithin } from './line.ts';
import type { Shape } from './shape.ts';
import type { Surface } from './surface.ts';

/** Whether some of a stored shape lies on some of another: within a centimetre, where the one or the other is a position. */
export function intersects(stored: Shape, { spots, lines, surfaces }: Shape): boolean {
  return (
    stored.spots.some(
      ({ cell }) =>
        spots.some((spot) => isSameCell(spot.cell, cell)) ||
        lines.some((line) => line.mayIntersect(cell)) ||
        surfaces.some((surface) => surface.mayIntersect(cell)),
    ) ||
    stored.lines.some(
      (line) =>
        spots.some((spot) => line.mayIntersect(spot.cell)) ||
        lines.some((other) => line.intersects(other)) ||
        surfaces.some((surface) => meetsLine(surface, line)),
    ) ||
    stored.surfaces.some(
      (surface) =>
        spots.some((spot) => surface.mayIntersect(spot.cell)) ||
        lines.some((line) => meetsLine(surface, line)) ||
        surfaces.some((other) => surface.intersects(other)),
    )
  );
}

const meetsLine = (surface: Surface, line: Line): boolean => partsWithin(surface, line).length > 0;

/** Whether all of a stored shape lies within surfaces, each of its parts within one. */
export const isWithin = ({ spots, lines, surfaces }: Shape, areas: readonly Surface[]): boolean =>
  spots.every(({ point, cell }) => areas.some((area) => area.holds(point, cell))) &&
  lines.every((line) => areas.some((area) => holdsLine(area, line))) &&
  surfaces.every((surface) => areas.some((area) => area.containsSurface(surface)));

/** What may be between a line and its part within, in radians. */
const clippingError = 1e-10 * (Math.PI / 180);

function holdsLine(area: Surface, line: Line): boolean {
  const [part, ...more] = partsWithin(area, line);
  return part !== undefined && more.length === 0 && nearlyCovers(part, line.vertices, clippingError);
}

export const isWithinCap = ({ spots, lines, surfaces }: Shape, cap: Cap): boolean =>
  spots.every(({ cell }) => cap.mayIntersect(cell)) &&
  lines.every((line) => cap.holds(line)) &&
  surfaces.every((surface) => cap.holds(surface));
