import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createBudget, TooCostly } from '../evaluation-budget.ts';
import { compileLies } from './compile-lies.ts';
import type { Area, Relation } from './geometry.ts';

const star = (corners: number, radius: number): number[][] => {
  const ring = Array.from({ length: corners }, (_, index) => {
    const angle = (2 * Math.PI * index) / corners;
    return [10 + radius * Math.cos(angle), 20 + radius * Math.sin(angle)];
  });
  return [...ring, ring[0]!];
};
const polygon = (corners: number, radius: number) => ({ type: 'Polygon', coordinates: [star(corners, radius)] });
const area: Area = { kind: 'geometry', geometry: polygon(999, 5) };
const point = { type: 'Point', coordinates: [10, 20] };

describe('where a value lies', () => {
  it('is nowhere, where it is no geometry on the globe', () => {
    const lies = compileLies('intersects', area, () => undefined);
    assert.ok(lies(point));
    const others = [
      ...[undefined, null, 1, 'Point', [10, 20], [point], { x: 10, y: 20 }, { type: 'Point' }, { ...point, crs: {} }],
      { type: 'Point', coordinates: [10, 91] },
      { type: 'GeometryCollection', geometries: [point] },
      { type: 'Polygon', coordinates: [[...star(4, 1).slice(0, 2), ...star(4, 1).slice(2).toReversed()]] },
    ];
    for (const value of others) assert.ok(!lies(value), JSON.stringify(value));
  });

  it('is told with what it costs, while it is done, by the positions of both', () => {
    const costOf = (value: object, of: Area = area): number => {
      // It is laid out once.
      compileLies('within', of, () => undefined);
      let cost = 0;
      compileLies('within', of, (units) => (cost += units))(value);
      return cost;
    };
    const small: Area = { kind: 'geometry', geometry: polygon(4, 5) };
    assert.ok(costOf(point) > 3 * costOf(point, small));
    assert.ok(costOf(polygon(999, 1)) > 20 * costOf(polygon(30, 1)));
    const lies = compileLies('within', area, createBudget(1_000_000));
    assert.ok(lies(polygon(100, 1)));
    assert.throws(() => lies(polygon(999, 1)), TooCostly);
  });

  it('costs what shapes make it cost, and not their positions alone', () => {
    const square: Area = {
      kind: 'geometry',
      geometry: {
        type: 'Polygon',
        coordinates: [[5, 5, 25, 25, 5].map((x, index) => [x, [10, 30, 30, 10, 10][index]])],
      },
    };
    const spentOn = (relation: Relation, value: object, of: Area): number => {
      let spent = 0;
      assert.throws(() => {
        compileLies(relation, of, (units) => {
          spent += units;
          if (spent > 4_000_000) throw new TooCostly('enough');
        })(value);
      }, TooCostly);
      return spent;
    };
    // To and fro, and out at the end: whether the part inside is all of it is asked of each two edges.
    const toAndFro = Array.from({ length: 999 }, (_, index) => (index % 2 === 0 ? [14, 14.5] : [15, 15]));
    const line = { type: 'LineString', coordinates: [...toAndFro, [40, 15]] };
    // Every edge lies beside every other in the middle.
    const spikes = star(998, 5).map(([x = 0, y = 0], index) =>
      index % 2 === 0 ? [x, y] : [10 + (x - 10) / 100, 20 + (y - 20) / 100],
    );
    const spots = Array.from({ length: 1_000 }, (_, index) => [index % 2 === 0 ? 5.2 : 14.8, 24.9 - index / 10_000]);
    for (const [relation, value, of] of [
      ['within', line, square],
      ['within', { type: 'Polygon', coordinates: [spikes] }, square],
      ['intersects', { type: 'MultiPoint', coordinates: spots.map(([x = 0, y = 0]) => [x, y]) }, area],
    ] as const) {
      // It ends soon after it is told to.
      assert.ok(spentOn(relation, value, of) < 4_100_000);
    }
  });

  it('lies in a ring whichever way it goes round, across the antimeridian, and over a pole', () => {
    const ring = [
      [170, -10],
      [-170, -10],
      [-170, 10],
      [170, 10],
      [170, -10],
    ];
    const polar = [-180, -90, 0, 90, -180].map((longitude) => [longitude, 80]);
    const isWithin = (coordinates: number[][][], position: number[]): boolean =>
      compileLies(
        'within',
        { kind: 'geometry', geometry: { type: 'Polygon', coordinates } },
        () => undefined,
      )({
        type: 'Point',
        coordinates: position,
      });
    for (const each of [ring, ring.toReversed()]) {
      assert.deepEqual(
        [
          [180, 0],
          [-175, 9],
          [175, -9.9],
          [165, 0],
          [0, 0],
        ].map((position) => isWithin([each], position)),
        [true, true, true, false, false],
      );
    }
    for (const each of [polar, polar.toReversed()]) {
      assert.deepEqual(
        [
          [0, 90],
          [45, 89],
          [45, 79],
          [0, -90],
        ].map((position) => isWithin([each], position)),
        [true, true, false, false],
      );
    }
  });
});
