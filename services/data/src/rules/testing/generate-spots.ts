import type { Random } from '../../conditions/testing/random.ts';

type Json = Readonly<Record<string, unknown>>;
type Position = readonly [number, number];

/** Positions that lie on no edge of an area, and on no seam of MongoDB's index. */
const positions: readonly Position[] = [
  [10.3, 50.2],
  [11.4, 51.3],
  [12.7, 48.1],
  [20.6, 52.4],
  [-60.3, -20.4],
];

const box = ([west, south]: Position, [east, north]: Position): Json => ({
  type: 'Polygon',
  coordinates: [
    [
      [west, south],
      [east, south],
      [east, north],
      [west, north],
      [west, south],
    ],
  ],
});

const areas: readonly Json[] = [
  { $geoWithin: { $geometry: box([10, 50], [12, 52]) } },
  { $geoWithin: { $centerSphere: [[11.1, 50.6], 0.05] } },
  { $geoIntersects: { $geometry: box([9, 47], [11, 53]) } },
  { $geoIntersects: { $geometry: { type: 'Point', coordinates: positions[0] } } },
];

/** Where something lies: mostly a point. */
export function generateSpot(random: Random): Json {
  const position = random.pick(positions);
  if (random.chance(75)) return { type: 'Point', coordinates: position };
  const [longitude, latitude] = position;
  return random.pick([
    { type: 'LineString', coordinates: [position, [longitude + 1.37, latitude + 0.81]] },
    box(position, [longitude + 1.37, latitude + 0.81]),
  ]);
}

/** What is asked of where a field lies. */
export function generateArea(random: Random, path: string): Json {
  const area = random.pick(areas);
  return random.chance(70) ? { [path]: area } : { [path]: { $not: area } };
}

/** A question for what is nearest. */
export const generateNear = (random: Random, path: string): Json => ({
  [path]: {
    $near: {
      $geometry: { type: 'Point', coordinates: random.pick(positions) },
      ...(random.chance(40) ? { $maxDistance: random.pick([100, 200_000, 2_000_000]) } : {}),
    },
  },
});
