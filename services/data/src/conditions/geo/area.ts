import { checkGeometry } from '../../queries/geo/geo-json.ts';
import type { LocatedFault, Parsed } from '../located-fault.ts';
import { pointerTo } from '../located-fault.ts';
import { isObject } from '../plain-value.ts';
import { TooCostly } from '../evaluation-budget.ts';
import type { Area, Geometry, Relation } from './geometry.ts';
import { positionsOf } from './geometry.ts';
import { layOut } from './laid-out.ts';
import type { PlaceBudget } from './place-budget.ts';
import { placeLimits } from './place-budget.ts';

/** The operators that ask where something lies. */
export const areaOperators: ReadonlyMap<string, Relation> = new Map([
  ['$geoWithin', 'within'],
  ['$geoIntersects', 'intersects'],
]);

/** Those that have an inside. */
const surfaces: ReadonlySet<unknown> = new Set(['Polygon', 'MultiPolygon']);

/**
 * Parses what `$geoWithin` or `$geoIntersects` is given.
 *
 * @param json - as `JSON.parse` gave it
 * @param pointer - where it stands, for the faults
 * @param budget - of the condition that it is part of
 */
export function parseArea(json: unknown, relation: Relation, pointer: string, budget: PlaceBudget): Parsed<Area> {
  const entries = isObject(json) ? Object.entries(json) : [];
  const [name, operand] = entries[0] ?? ['', undefined];
  const isOnly = entries.length === 1;
  if (isOnly && name === '$geometry') return parseGeometry(operand, relation, pointerTo(pointer, name), budget);
  if (isOnly && name === '$centerSphere' && relation === 'within')
    return parseCircle(operand, pointerTo(pointer, name));
  const message =
    relation === 'within'
      ? 'Give $geoWithin either {"$geometry": …}, a Polygon or MultiPolygon, or {"$centerSphere": [[longitude, latitude], radians]}.'
      : 'Give $geoIntersects {"$geometry": …}, a GeoJSON geometry.';
  return refused([fault(pointer, message)]);
}

function parseGeometry(json: unknown, relation: Relation, pointer: string, budget: PlaceBudget): Parsed<Area> {
  const faults = checkGeometry(json, pointer);
  if (faults.length > 0) return refused(faults);
  const geometry = json as Geometry;
  if (relation === 'within' && !surfaces.has(geometry.type)) {
    const message = 'Give a Polygon or a MultiPolygon: nothing lies within a point or a line.';
    return refused([fault(pointerTo(pointer, 'type'), message)]);
  }
  const at = pointerTo(pointer, 'coordinates');
  if (!budget.count(positionsOf(geometry))) return refused([tooLarge(at, tooMany)]);
  const area: Area = { kind: 'geometry', geometry };
  try {
    return layOut(area, budget.spend) === undefined ? refused([notLaidOut(at)]) : { ok: true, value: area };
  } catch (error) {
    if (!(error instanceof TooCostly)) throw error;
    return refused([tooLarge(at, tooSlow)]);
  }
}

const tooMany = `Use at most ${placeLimits.positions} positions in all areas of one condition.`;
const tooSlow =
  'Give areas with fewer positions, or with edges that lie less beside each other: to lay those of this condition out takes too long.';

const tooLarge = (pointer: string, message: string): LocatedFault => ({ pointer, code: 'too-large', message });

const notLaidOut = (pointer: string): LocatedFault => ({
  pointer,
  code: 'invalid-geometry',
  message:
    'Give a geometry that can be laid out on the globe: rings cross neither themselves nor each other, holes lie inside the first ring, and no edge goes half way round.',
});

function parseCircle(json: unknown, pointer: string): Parsed<Area> {
  if (!Array.isArray(json) || json.length !== 2) {
    return refused([fault(pointer, 'Give $centerSphere [[longitude, latitude], radians].')]);
  }
  const [center, radians] = json as readonly unknown[];
  // As a point, whose check says what is wrong with a position.
  const faults = checkGeometry({ type: 'Point', coordinates: center }, pointer);
  if (faults.length > 0) return refused(faults.map((each) => ({ ...each, pointer: pointerTo(pointer, 0) })));
  if (typeof radians !== 'number' || !(radians >= 0 && radians <= Math.PI)) {
    const message = 'Give the radius in radians, from 0 to π: metres divided by 6,378,100.';
    return refused([fault(pointerTo(pointer, 1), message)]);
  }
  return { ok: true, value: { kind: 'circle', center: center as [number, number], radians } };
}

const fault = (pointer: string, message: string): LocatedFault => ({ pointer, code: 'invalid-operand', message });

const refused = (faults: LocatedFault[]): { ok: false; faults: LocatedFault[] } => ({ ok: false, faults });
