import { checkGeometry } from '../../queries/geo/geo-json.ts';
import type { Spend } from '../pattern/automaton.ts';
import type { Test } from '../values-at.ts';
import type { Area, Geometry, Relation } from './geometry.ts';
import { layOut } from './laid-out.ts';
import { intersects, isWithin, isWithinCap } from './sphere/relations.ts';
import { shapeOf } from './sphere/shape.ts';
import { withWork } from './sphere/work.ts';

/** What the look at a value takes, in units (see {@link Spend}); the rest is told while it is done. */
const valueUnits = 150;

/**
 * Compiles where a value has to lie. What is no GeoJSON geometry lies nowhere: an index has had each record checked that MongoDB would find.
 *
 * @param spend - Is told of the work, which grows with the positions of both.
 */
export function compileLies(relation: Relation, area: Area, spend: Spend): Test {
  const place = layOut(area, spend);
  // The parser has refused what cannot be laid out.
  if (place === undefined) throw new TypeError('an area that nobody can lay out');
  return (value) => {
    if (typeof value !== 'object' || value === null || checkGeometry(value, '').length > 0) return false;
    const geometry = value as Geometry;
    spend(valueUnits);
    return withWork(spend, () => {
      const shape = shapeOf(geometry);
      if (shape === undefined) return false;
      if (place.kind === 'circle') return isWithinCap(shape, place.cap);
      return relation === 'within' ? isWithin(shape, place.shape.surfaces) : intersects(shape, place.shape);
    });
  };
}
