import { fieldsKey, parseFieldPath } from '../conditions/field-path.ts';
import type { LocatedFault } from '../conditions/located-fault.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import { isContainer } from '../conditions/values-at.ts';
import { checkGeometry } from '../queries/geo/geo-json.ts';
import type { IndexDefinition } from './collection.model.ts';
import { geoPathsOf } from './parse-index.ts';

/** The fields in which 2dsphere indexes want places, as paths below a record's fields. */
export type GeoPlaces = readonly (readonly string[])[];

/** The fields of a definition that hold places, in each record: in one that an index leaves out, too. */
export function geoPlacesOf(indexes: readonly IndexDefinition[]): GeoPlaces {
  const paths = new Set(indexes.flatMap(geoPathsOf));
  return [...paths].flatMap((text) => {
    const path = parseFieldPath(text, 'record', '');
    return path.ok && path.value.segments[0] === fieldsKey ? [path.value.segments.slice(1)] : [];
  });
}

/**
 * Checks that a record has a place wherever an index wants one, or nothing. MongoDB would take pairs of numbers as well, in
 * either order, and would refuse other things with a text that quotes the whole record.
 *
 * @returns all faults, by JSON pointer into the fields
 */
export const checkPlaces = (places: GeoPlaces, fields: unknown): LocatedFault[] =>
  places.flatMap((segments) => checkBelow(fields, segments, '', false));

function checkBelow(value: unknown, segments: readonly string[], pointer: string, isElement: boolean): LocatedFault[] {
  const [name, ...rest] = segments;
  if (name === undefined) {
    // Where several stand beside each other MongoDB takes null for one of them.
    return value === undefined || (value === null && !isElement) ? [] : checkGeometry(value, pointer);
  }
  if (Array.isArray(value)) {
    // An array within an array is not entered by an index.
    return value.flatMap((each: unknown, index) =>
      isContainer(each) ? checkBelow(each, segments, pointerTo(pointer, index), true) : [],
    );
  }
  if (!isContainer(value) || !Object.hasOwn(value, name)) return [];
  return checkBelow(value[name], rest, pointerTo(pointer, name), isElement);
}
