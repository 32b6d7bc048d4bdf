import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { bindCondition } from '../bind-condition.ts';
import { compileFilter } from '../compile-filter.ts';
import { parseCondition } from '../parse-condition.ts';

const ring = [
  [0, 0],
  [2, 0],
  [2, 2],
  [0, 0],
];
const polygon = { type: 'Polygon', coordinates: [ring] };
const line = { type: 'LineString', coordinates: ring.slice(0, 2) };

const crossing = [
  [0, 0],
  [2, 2],
  [2, 0],
  [0, 2],
  [0, 0],
];

const compiled = (json: unknown): unknown => {
  const parsed = parseCondition(json, { geo: true });
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return compileFilter(bindCondition(parsed.value, {}));
};

describe('where something lies', () => {
  it('is asked of MongoDB as it was given', () => {
    assert.deepEqual(compiled({ at: { $geoWithin: { $geometry: polygon } } }), {
      'fields.at': { $geoWithin: { $geometry: polygon } },
    });
    assert.deepEqual(compiled({ at: { $geoIntersects: { $geometry: line } } }), {
      'fields.at': { $geoIntersects: { $geometry: line } },
    });
    assert.deepEqual(compiled({ $or: [{ at: { $not: { $geoWithin: { $centerSphere: [[5, 6], 0.1] } } } }] }), {
      $or: [{ $nor: [{ $and: [{ 'fields.at': { $geoWithin: { $centerSphere: [[5, 6], 0.1] } } }] }] }],
    });
  });

  const bad: readonly (readonly [object, string])[] = [
    [{ $geoWithin: { $geometry: line } }, '/at/$geoWithin/$geometry/type'],
    [{ $geoWithin: { $geometry: { type: 'Point', coordinates: [1, 1] } } }, '/at/$geoWithin/$geometry/type'],
    [{ $geoWithin: polygon }, '/at/$geoWithin'],
    [{ $geoWithin: { $geometry: polygon, $crs: 1 } }, '/at/$geoWithin'],
    [
      {
        $geoWithin: {
          $box: [
            [0, 0],
            [1, 1],
          ],
        },
      },
      '/at/$geoWithin',
    ],
    [{ $geoWithin: { $centerSphere: [[0, 0]] } }, '/at/$geoWithin/$centerSphere'],
    [{ $geoWithin: { $centerSphere: [[0, 91], 1] } }, '/at/$geoWithin/$centerSphere/0'],
    [{ $geoWithin: { $centerSphere: [[0, 0], -1] } }, '/at/$geoWithin/$centerSphere/1'],
    [{ $geoWithin: { $centerSphere: [[0, 0], 4] } }, '/at/$geoWithin/$centerSphere/1'],
    [{ $geoIntersects: { $centerSphere: [[0, 0], 1] } }, '/at/$geoIntersects'],
    [{ $geoIntersects: { $geometry: { ...line, crs: {} } } }, '/at/$geoIntersects/$geometry/crs'],
    [
      { $geoWithin: { $geometry: { type: 'Polygon', coordinates: [ring.slice(1)] } } },
      '/at/$geoWithin/$geometry/coordinates/0',
    ],
    [
      { $geoIntersects: { $geometry: { type: 'Polygon', coordinates: [crossing] } } },
      '/at/$geoIntersects/$geometry/coordinates',
    ],
    [
      { $geoWithin: { $geometry: { type: 'Polygon', coordinates: [ring, ring] } } },
      '/at/$geoWithin/$geometry/coordinates',
    ],
  ];
  for (const [operators, pointer] of bad) {
    it(`is refused: ${JSON.stringify(operators)}`, () => {
      const parsed = parseCondition({ at: operators }, { geo: true });
      assert.ok(!parsed.ok);
      assert.deepEqual(
        parsed.faults.map((each) => each.pointer),
        [pointer],
      );
    });
  }

  it('is asked of fields of records alone, and not of too many at once', () => {
    const within = { $geoWithin: { $geometry: polygon } };
    for (const path of ['id', 'createdAt', 'createdBy']) {
      const parsed = parseCondition({ [path]: within }, { geo: true });
      assert.equal(parsed.ok ? undefined : parsed.faults[0]?.code, 'invalid-operator', path);
    }
    const many = (count: number) =>
      parseCondition({ $or: Array.from({ length: count }, () => ({ at: within })) }, { geo: true });
    assert.ok(many(9).ok);
    assert.ok(!many(10).ok);
  });

  it('is asked of a whole array, and not of one in it by its number', () => {
    const parsed = parseCondition({ 'places.0.at': { $geoIntersects: { $geometry: line } } }, { geo: true });
    assert.ok(!parsed.ok);
    assert.deepEqual(
      [parsed.faults[0]?.code, parsed.faults[0]?.pointer],
      ['invalid-operator', '/places.0.at/$geoIntersects'],
    );
  });

  it('takes no more positions, and no more time to be laid out, than one condition may', () => {
    const star = (corners: number, inner: number) => {
      const around = Array.from({ length: corners }, (_, index) => {
        const [angle, radius] = [(2 * Math.PI * index) / corners, index % 2 === 0 ? 5 : 5 * inner];
        return [10 + radius * Math.cos(angle), 20 + radius * Math.sin(angle)];
      });
      return { at: { $geoWithin: { $geometry: { type: 'Polygon', coordinates: [[...around, around[0]]] } } } };
    };
    const ask = (...areas: readonly object[]) => parseCondition({ $or: areas }, { geo: true });
    assert.ok(ask(star(900, 0.5), star(900, 0.5)).ok);
    const [three, spiky] = [ask(...[1, 2, 3].map(() => star(900, 0.9))), ask(star(998, 0.01))];
    for (const [parsed, at, message] of [
      [three, '/$or/2', /at most 2000 positions/],
      [spiky, '/$or/0', /takes too long/],
    ] as const) {
      assert.ok(!parsed.ok);
      const [fault] = parsed.faults;
      assert.deepEqual(
        [parsed.faults.length, fault?.code, fault?.pointer],
        [1, 'too-large', `${at}/at/$geoWithin/$geometry/coordinates`],
      );
      assert.match(fault?.message ?? '', message);
    }
  });

  it('is refused where nobody makes sure that the values have been checked', () => {
    const within = { at: { $geoWithin: { $geometry: polygon } } };
    const places = [
      parseCondition(within, {}),
      parseCondition({ list: { $elemMatch: within } }, { geo: true }),
      parseCondition({ other: { $follow: within } }, { auth: true, follow: true, geo: true }),
    ];
    for (const parsed of places) {
      assert.ok(!parsed.ok);
      assert.match(parsed.faults[0]?.message ?? '', /not in \$elemMatch, in \$follow, behind other stages/);
    }
  });
});
