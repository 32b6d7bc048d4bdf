import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { faults } from '@causeway/contracts';

import { Tally } from './tally.ts';

const failure = (count: number, message: string) => {
  const errors = Array.from({ length: count }, (_, at) => ({ pointer: `/${at}`, code: 'unknown-field', message }));
  return { kind: 'failed', fault: faults.invalidRequest({ errors }) } as const;
};

describe('the tally of an import', () => {
  const open = (): Tally => new Tally((fault) => ({ code: fault.code, errors: fault.errors }));

  it('tells the first faults of the first lines, and counts the others', () => {
    const tally = open();
    for (let line = 1; line <= 150; line += 1) tally.add(line, failure(20, 'x'));
    const { failed, errors } = tally.result();
    assert.equal(failed, 150);
    assert.equal(errors.length, 100);
    assert.equal((errors[0]?.problem as { errors: unknown[] }).errors.length, 5);
  });

  it('tells no more than 64 KiB, and the line at which it gets there', () => {
    const tally = open();
    for (let line = 1; line <= 100; line += 1) tally.add(line, failure(1, 'x'.repeat(10_000)));
    assert.equal(tally.result().failed, 100);
    assert.equal(tally.result().errors.length, 7);
  });
});
