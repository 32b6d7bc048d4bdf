import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseCondition } from '../conditions/parse-condition.ts';
import { takeRanking } from './take-ranking.ts';

const point = { type: 'Point', coordinates: [13.4, 52.5] };
const near = { $near: { $geometry: point } };

const takenFrom = (filter: unknown) => {
  const taken = takeRanking(filter);
  assert.ok(taken.ok, JSON.stringify(taken));
  return taken.value;
};

const pointersOf = (filter: unknown): string[] => {
  const taken = takeRanking(filter);
  return taken.ok ? [] : taken.faults.map(({ pointer }) => pointer);
};

describe('what ranks records', () => {
  it('is taken out of the top of a filter, and leaves the rest as it is', () => {
    assert.deepEqual(takenFrom(undefined), { rest: undefined, text: undefined, near: undefined });
    assert.deepEqual(takenFrom({ $text: { $search: 'a b' }, kind: 'x', $or: [{ a: 1 }] }), {
      rest: { kind: 'x', $or: [{ a: 1 }] },
      text: 'a b',
      near: undefined,
    });
    const { rest, near: taken } = takenFrom({ 'stop.at': { ...near, $exists: true }, kind: 'x' });
    assert.deepEqual(rest, { 'stop.at': { $exists: true }, kind: 'x' });
    assert.equal(taken?.path.storage, 'fields.stop.at');
    assert.deepEqual(taken.point, point);
    assert.deepEqual(takenFrom({ at: near }).rest, {});
    // As everywhere, the first name says whether these are operators.
    assert.deepEqual(takenFrom({ at: { x: 1, ...near } }).rest, { at: { x: 1, ...near } });
    assert.deepEqual(Object.keys(takenFrom(JSON.parse('{"__proto__": 1}')).rest as object), ['__proto__']);
  });

  it('takes distances in metres', () => {
    const { near: taken } = takenFrom({ at: { $near: { $geometry: point, $minDistance: 5, $maxDistance: 5 } } });
    assert.deepEqual([taken?.minDistance, taken?.maxDistance], [5, 5]);
  });

  const bad: readonly (readonly [object, string])[] = [
    [{}, '/$geometry'],
    [{ $geometry: { type: 'Point', coordinates: [181, 0] } }, '/$geometry/coordinates'],
    [{ $geometry: { type: 'Point', coordinates: [0, -90.5] } }, '/$geometry/coordinates'],
    [
      {
        $geometry: {
          type: 'LineString',
          coordinates: [
            [0, 0],
            [1, 1],
          ],
        },
      },
      '/$geometry/type',
    ],
    [{ $geometry: point, $maxDistance: -1 }, '/$maxDistance'],
    [{ $geometry: point, $maxDistance: '5' }, '/$maxDistance'],
    [{ $geometry: point, $maxDistance: 3e7 }, '/$maxDistance'],
    [{ $geometry: point, $minDistance: null }, '/$minDistance'],
    [{ $geometry: point, $minDistance: 6, $maxDistance: 5 }, '/$minDistance'],
    [{ $geometry: point, $spherical: true }, '/$spherical'],
  ];
  for (const [operand, pointer] of bad) {
    it(`is refused where $near is given ${JSON.stringify(operand)}`, () => {
      assert.deepEqual(pointersOf({ at: { $near: operand } }), [`/at/$near${pointer}`]);
    });
  }

  it('is refused of two fields, beside words, and of what the service keeps', () => {
    assert.deepEqual(pointersOf({ at: near, b: near }), ['/b/$near']);
    assert.deepEqual(pointersOf({ $text: { $search: 'a' }, at: near }), ['/at/$near']);
    for (const path of ['id', 'createdAt', 'a..b', '_id'])
      assert.deepEqual(pointersOf({ [path]: near }), [`/${path}/$near`]);
    for (const operand of [null, [], [13, 52], 'here']) {
      assert.deepEqual(pointersOf({ at: { $near: operand } }), ['/at/$near/$geometry']);
    }
  });

  it('is refused further down, with where it belongs', () => {
    const text = { $text: { $search: 'a' } };
    const places: readonly (readonly [unknown, string])[] = [
      [{ $or: [text, { a: 1 }] }, '/$or/0/$text'],
      [{ $and: [text] }, '/$and/0/$text'],
      [{ a: { $elemMatch: text } }, '/a/$elemMatch/$text'],
      [{ $nor: [{ at: near }] }, '/$nor/0/at/$near'],
      [{ at: { $not: near } }, '/at/$not/$near'],
      [{ a: { $elemMatch: { $geoWithin: {} } } }, '/a/$elemMatch/$geoWithin'],
    ];
    for (const [filter, pointer] of places) {
      const { rest } = takenFrom(filter);
      const parsed = parseCondition(rest, { now: true, geo: true });
      assert.ok(!parsed.ok, JSON.stringify(filter));
      assert.deepEqual(
        parsed.faults.map((each) => [each.pointer, each.code]),
        [[pointer, 'unknown-operator']],
      );
      assert.match(parsed.faults[0]?.message ?? '', /not in (its branches|\$elemMatch)/);
    }
  });
});
