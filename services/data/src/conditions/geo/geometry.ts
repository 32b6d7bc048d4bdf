/** A GeoJSON geometry that `checkGeometry` has accepted. */
export interface Geometry {
  readonly type: string;
  readonly coordinates: readonly unknown[];
}

/** How many positions a geometry has. */
export const positionsOf = ({ coordinates }: Geometry): number =>
  typeof coordinates[0] === 'number' ? 1 : coordinates.flat(3).length / 2;

/** A part of the globe. Of the two sides of a polygon's ring the smaller one is meant, whichever way it goes round. */
export type Area =
  | { readonly kind: 'geometry'; readonly geometry: Geometry }
  /** All that is no farther from a place than so many radians. */
  | { readonly kind: 'circle'; readonly center: readonly [number, number]; readonly radians: number };

/** How a value has to lie to an area: all of it inside, or some of it. */
export type Relation = 'within' | 'intersects';
