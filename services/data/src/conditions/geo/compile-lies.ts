import { checkGeometry } from '../../queries/geo/geo-json.ts';
import type { Spend } from '../pattern/automaton.ts';
import type { Test } from '../values-at.ts';
import type { Area, Geometry, Relation } from './geometry.ts';
import { layOut } from './laid-out.ts';
import { intersects, isWithin, isWithinCap } from './sphere/relations.ts';
import { shapeOf } from './sphere/shape.ts';

/** What work takes, in units (see {@link Spend}), as measured. */
const units = {
  /** A value: a position is held, as the cell that it lies in, against the area. */
  value: 800,
  /** A position of the value, which is laid out. */
  position: 250,
  /** An edge of the area, which the way into it may cross. */
  edge: 8,
  /** An edge of the value and one of the area, held against each other. */
  pair: 2,
};

/**
 * Compiles where a value has to lie. What is no GeoJSON geometry lies nowhere: an index has had each record checked that MongoDB would find.
 *
 * @param spend - Is told of the work, which grows with the positions of both.
 */
export function compileLies(relation: Relation, area: Area, spend: Spend): Test {
  const place = layOut(area);
  // The parser has refused what cannot be laid out.
  if (place === undefined) throw new TypeError('an area that nobody can lay out');
  const size = place.kind === 'geometry' ? place.shape.size : 1;
  return (value) => {
    if (typeof value !== 'object' || value === null || checkGeometry(value, '').length > 0) return false;
    const geometry = value as Geometry;
    const positions = geometry.type === 'Point' ? 1 : geometry.coordinates.flat(3).length / 2;
    spend(units.value + positions * (units.position + units.pair * size) + units.edge * size);
    const shape = shapeOf(geometry);
    if (shape === undefined) return false;
    if (place.kind === 'circle') return isWithinCap(shape, place.cap);
    return relation === 'within' ? isWithin(shape, place.shape.surfaces) : intersects(shape, place.shape);
  };
}
