import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { checkPlaces, geoPlacesOf } from './geo-places.ts';

const places = geoPlacesOf([
  { keys: { at: '2dsphere', status: 1 } },
  { keys: { 'stops.at': '2dsphere' }, where: { status: 'open' } },
  { keys: { status: 1, at: '2dsphere' } },
  { keys: { title: 'text' } },
]);
const faultsOf = (fields: unknown): string[] =>
  checkPlaces(places, fields).map(({ pointer, code }) => `${code} ${pointer}`);
const berlin = { type: 'Point', coordinates: [13.4, 52.5] };
const nowhere = { type: 'Point', coordinates: [13.4, 91] };

describe('the places of a record', () => {
  it('are in the fields of 2dsphere indexes, each once', () => assert.deepEqual(places, [['at'], ['stops', 'at']]));

  it('are geometries, or nothing', () => {
    for (const at of [berlin, null, undefined]) assert.deepEqual(faultsOf({ at }), []);
    assert.deepEqual(faultsOf({}), []);
    assert.deepEqual(faultsOf({ at: nowhere }), ['off-globe /at/coordinates']);
    assert.deepEqual(faultsOf({ at: 'Berlin' }), ['invalid-geometry /at']);
    assert.deepEqual(faultsOf({ at: [berlin] }), ['invalid-geometry /at']);
  });

  it('are looked for in the elements of arrays, and where the index leaves the record out', () => {
    assert.deepEqual(faultsOf({ stops: [{ at: berlin }, {}, 'x', [{ at: nowhere }], { at: berlin }] }), []);
    assert.deepEqual(faultsOf({ stops: { at: berlin } }), []);
    assert.deepEqual(faultsOf({ stops: [{ at: berlin }, { at: nowhere }], status: 'closed' }), [
      'off-globe /stops/1/at/coordinates',
    ]);
    // Beside another MongoDB takes no null.
    assert.deepEqual(faultsOf({ stops: [{ at: berlin }, { at: null }] }), ['invalid-geometry /stops/1/at']);
    assert.deepEqual(faultsOf({ stops: 'none' }), []);
  });
});
