import type { FieldPath } from '../../conditions/field-path.ts';
import { fieldsKey, parseFieldPath } from '../../conditions/field-path.ts';
import type { Geometry } from '../../conditions/geo/geometry.ts';
import type { LocatedFault, Parsed } from '../../conditions/located-fault.ts';
import { pointerTo } from '../../conditions/located-fault.ts';
import { isObject } from '../../conditions/plain-value.ts';
import { checkGeometry } from './geo-json.ts';

/** What is near a point, the nearest first. */
export interface Near {
  readonly path: FieldPath;
  readonly point: Geometry;
  /** In metres. */
  readonly minDistance: number | undefined;
  readonly maxDistance: number | undefined;
}

/** Half way round the globe, as MongoDB has it: π × 6,378,100 m. */
const farthest = 20_037_392;

/**
 * Parses what `$near` is given: `{"$geometry": a Point, "$minDistance"?: metres, "$maxDistance"?: metres}`.
 *
 * @param field - the path, as it was written
 * @param json - as `JSON.parse` gave it
 * @param pointer - where it stands, for the faults
 */
export function parseNear(field: string, json: unknown, pointer: string): Parsed<Near> {
  const path = parseFieldPath(field, 'record', pointer);
  if (!path.ok) return path;
  if (path.value.segments[0] !== fieldsKey) {
    return refused([fault(pointer, `\`${field}\` is kept by the service, and holds no place.`)]);
  }
  const given: Readonly<Record<string, unknown>> = isObject(json) ? json : {};
  const { $geometry, $minDistance, $maxDistance, ...rest } = given;
  const faults = [
    ...Object.keys(rest).map((other) =>
      fault(pointerTo(pointer, other), 'Leave it out: $near takes $geometry, $minDistance and $maxDistance.'),
    ),
    ...checkPoint($geometry, pointerTo(pointer, '$geometry')),
    ...checkDistance($minDistance, pointerTo(pointer, '$minDistance')),
    ...checkDistance($maxDistance, pointerTo(pointer, '$maxDistance')),
  ];
  if (faults.length > 0) return refused(faults);
  const [minDistance, maxDistance] = [$minDistance, $maxDistance] as (number | undefined)[];
  if (minDistance !== undefined && maxDistance !== undefined && minDistance > maxDistance) {
    return refused([fault(pointerTo(pointer, '$minDistance'), 'Give a distance that is no more than $maxDistance.')]);
  }
  return { ok: true, value: { path: path.value, point: $geometry as Geometry, minDistance, maxDistance } };
}

function checkPoint(json: unknown, pointer: string): LocatedFault[] {
  const faults = checkGeometry(json, pointer);
  if (faults.length > 0) return faults;
  const message = 'Give a Point: distances are measured from one.';
  return (json as Geometry).type === 'Point' ? [] : [fault(pointerTo(pointer, 'type'), message)];
}

function checkDistance(json: unknown, pointer: string): LocatedFault[] {
  if (json === undefined || (typeof json === 'number' && json >= 0 && json <= farthest)) return [];
  return [fault(pointer, `Give metres, from 0 to ${farthest.toLocaleString('en')}, half way round the globe.`)];
}

const fault = (pointer: string, message: string): LocatedFault => ({ pointer, code: 'invalid-operand', message });

const refused = (faults: LocatedFault[]): { ok: false; faults: LocatedFault[] } => ({ ok: false, faults });
