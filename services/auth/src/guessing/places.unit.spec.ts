import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { forgive, heldBy, heldOf, noPlaces, returnPlace, takePlace } from './places.ts';

describe('places of a budget', () => {
  it('are held that are neither forgiven nor given back', () => {
    assert.equal(heldOf({ taken: 7, cleared: 3, givenBack: 1 }), 3);
    assert.equal(heldOf({ taken: 7, cleared: 7, givenBack: 1 }), 0);
  });

  it('are told by which device they are held', () => {
    const both = ['one', 'other', 'one'].reduce((places, device) => takePlace(places, device), noPlaces);
    assert.deepEqual([heldBy(both, 'one'), heldBy(both, 'other'), heldOf(both)], [2, 1, 3]);
    const returned = returnPlace(both, 1, 'one');
    assert.deepEqual([heldBy(returned, 'one'), heldBy(returned, 'other'), heldOf(returned)], [1, 1, 2]);
    const forgiven = forgive(both, 2);
    assert.deepEqual([heldBy(forgiven, 'one'), heldBy(forgiven, 'other'), heldOf(forgiven)], [1, 0, 1]);
    assert.deepEqual(returnPlace(forgiven, 2, 'other'), forgiven, 'one that is forgiven is not given back too');
    assert.deepEqual(forgive(forgiven, 1), forgiven);
  });

  it('keep nothing of devices that hold none', () => {
    const all = ['one', 'other'].reduce((places, device) => takePlace(places, device), noPlaces);
    assert.deepEqual(forgive(all, Infinity), { taken: 2, cleared: 2, givenBack: 0, devices: {} });
    assert.deepEqual(Object.keys(takePlace(forgive(all, 2), 'one').devices), ['one']);
    assert.deepEqual(takePlace(noPlaces).devices, {});
  });
});
