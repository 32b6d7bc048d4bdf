import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { checkGeometry } from './geo-json.ts';

const faultsOf = (value: unknown): string[] =>
  checkGeometry(value, '/at').map(({ pointer, code }) => `${code} ${pointer}`);
const ring = [
  [0, 0],
  [2, 0],
  [2, 2],
  [0, 0],
];
const point = (coordinates: unknown): object => ({ type: 'Point', coordinates });

describe('a GeoJSON geometry', () => {
  for (const [type, coordinates] of [
    ['Point', [13.4, 52.5]],
    ['Point', [-180, -90]],
    ['Point', [180, 90]],
    ['MultiPoint', [[0, 0]]],
    ['LineString', ring.slice(0, 2)],
    ['MultiLineString', [ring.slice(0, 2), ring]],
    ['Polygon', [ring]],
    ['Polygon', [ring, ring]],
    ['MultiPolygon', [[ring], [ring, ring]]],
  ] as const) {
    it(`is a ${type}: ${JSON.stringify(coordinates)}`, () => assert.deepEqual(faultsOf({ type, coordinates }), []));
  }

  for (const [value, ...expected] of [
    [null, 'invalid-geometry /at'],
    ['Point', 'invalid-geometry /at'],
    // Pairs and objects that MongoDB would take, in an order that nobody can see.
    [[13.4, 52.5], 'invalid-geometry /at'],
    [{ lng: 13.4, lat: 52.5 }, 'invalid-geometry /at/type'],
    [{ type: 'point', coordinates: [0, 0] }, 'invalid-geometry /at/type'],
    [{ type: 'GeometryCollection', geometries: [] }, 'invalid-geometry /at/type'],
    [{ type: 'Feature', geometry: point([0, 0]) }, 'invalid-geometry /at/type'],
    [{ ...point([0, 0]), crs: {} }, 'invalid-geometry /at/crs'],
    [point(undefined), 'invalid-geometry /at/coordinates'],
    [point([0]), 'invalid-geometry /at/coordinates'],
    [point([0, 0, 100]), 'invalid-geometry /at/coordinates'],
    [point(['0', '0']), 'invalid-geometry /at/coordinates'],
    [point([[0, 0]]), 'invalid-geometry /at/coordinates'],
    [point([0, 91]), 'off-globe /at/coordinates'],
    [point([0, -90.0001]), 'off-globe /at/coordinates'],
    [point([181, 0]), 'off-globe /at/coordinates'],
    [{ type: 'MultiPoint', coordinates: [] }, 'invalid-geometry /at/coordinates'],
    [
      {
        type: 'MultiPoint',
        coordinates: [
          [0, 0],
          [0, 91],
        ],
      },
      'off-globe /at/coordinates/1',
    ],
    [{ type: 'MultiPoint', coordinates: [[0, 0], [0]] }, 'invalid-geometry /at/coordinates/1'],
    [{ type: 'LineString', coordinates: [[0, 0]] }, 'invalid-geometry /at/coordinates'],
    [
      {
        type: 'LineString',
        coordinates: [
          [0, 0],
          [0, 0],
        ],
      },
      'invalid-geometry /at/coordinates',
    ],
    [{ type: 'Polygon', coordinates: [[0, 0]] }, ...[0, 1].map((at) => `invalid-geometry /at/coordinates/0/${at}`)],
    [{ type: 'Polygon', coordinates: [] }, 'invalid-geometry /at/coordinates'],
    [{ type: 'Polygon', coordinates: [ring.slice(0, 3)] }, 'invalid-geometry /at/coordinates/0'],
    [
      {
        type: 'Polygon',
        coordinates: [
          ring,
          [
            [0, 0],
            [1, 1],
            [0, 0],
          ],
        ],
      },
      'invalid-geometry /at/coordinates/1',
    ],
    [
      {
        type: 'Polygon',
        coordinates: [
          [
            [0, 0],
            [1, 1],
            [1, 1],
            [0, 0],
          ],
        ],
      },
      'invalid-geometry /at/coordinates/0',
    ],
    [{ type: 'MultiPolygon', coordinates: [[ring], [[]]] }, 'invalid-geometry /at/coordinates/1/0'],
  ] as [unknown, ...string[]][]) {
    it(`is not ${JSON.stringify(value)}`, () => assert.deepEqual(faultsOf(value), expected));
  }

  it('has 1,000 positions at most', () => {
    const positions = (count: number): number[][] => Array.from({ length: count }, (_, n) => [n / 100, 0]);
    assert.deepEqual(faultsOf({ type: 'MultiPoint', coordinates: positions(1_000) }), []);
    const many = { type: 'MultiLineString', coordinates: [positions(500), positions(501)] };
    assert.deepEqual(faultsOf(many), ['invalid-geometry /at/coordinates']);
  });
});
