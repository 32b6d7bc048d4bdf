import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { boundFaults } from './record-faults.ts';

describe('the faults of a record, as they are told', () => {
  it('are the first 100, what is long in them cut between characters', () => {
    const long = { pointer: `/${'p'.repeat(100_000)}`, code: 'unknown-field', message: `m${'😀'.repeat(1_000)}` };
    const told = boundFaults(Array.from({ length: 150 }, () => long));
    assert.equal(told.length, 100);
    assert.ok(JSON.stringify(told).length < 200_000);
    assert.equal(told[0]?.pointer.length, 513);
    assert.equal(told[0].message.isWellFormed(), true);
    assert.equal(told[0].message.at(-1), '…');
  });

  it('are told whole where they are short', () => {
    const short = [{ pointer: '/a', code: 'type', message: 'Give text.' }];
    assert.deepEqual(boundFaults(short), short);
  });
});
