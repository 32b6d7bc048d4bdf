import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Timestamp } from 'mongodb';

import { isFresh, reaches } from './freshness.ts';

const at = (t: number): Timestamp => new Timestamp({ t, i: 1 });

describe('a process that follows the commits', () => {
  const stream = { position: at(5), midTransaction: false, ageMs: 0, behindS: 0, ready: true };

  it('has reached what lies at its position or before', () => {
    assert.equal(reaches(stream, at(4)), true);
    assert.equal(reaches(stream, at(5)), true);
    assert.equal(reaches(stream, at(6)), false);
  });

  it('has not reached its position where more of a transaction may follow there', () => {
    const within = { ...stream, midTransaction: true };
    assert.equal(reaches(within, at(5)), false);
    assert.equal(reaches(within, at(4)), true);
  });

  it('has reached nothing where it has heard nothing, or nothing for long, or is late in hearing', () => {
    for (const late of [{ position: undefined }, { ageMs: 2_000 }, { ready: false }]) {
      assert.equal(reaches({ ...stream, ...late }, at(1)), false);
    }
    assert.equal(isFresh({ ...stream, behindS: 2 }), true);
    assert.equal(isFresh({ ...stream, behindS: 3 }), false);
    assert.equal(isFresh({ ...stream, ageMs: 1_999 }), true);
    assert.equal(isFresh({ ...stream, ageMs: 2_000 }), false);
  });
});
