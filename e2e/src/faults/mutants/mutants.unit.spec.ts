import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { allFaults } from '@causeway/events/faults';
import { mutatedSource } from './mutated-source.ts';
import { mutants } from './mutants.ts';

const sources = path.resolve(import.meta.dirname, '../../../../packages/events/src');

describe('the mutants', () => {
  for (const mutant of mutants) {
    it(`${mutant.name} fits its source, and is run under a fault that there is`, async () => {
      const text = await readFile(path.join(sources, mutant.file), 'utf8');
      assert.notEqual(mutatedSource(text, mutant), text);
      assert.ok(allFaults.some(({ name }) => name === mutant.fault));
    });
  }

  it('are told of where they no longer fit', () => {
    const mutant = { name: 'm', file: 'f.ts', from: 'a', to: '$&b' };
    assert.equal(mutatedSource('xax', mutant), 'x$&bx');
    assert.throws(() => mutatedSource('xx', mutant), /does not fit f\.ts any more: what it replaces is there 0 times/);
    assert.throws(() => mutatedSource('aa', mutant), /2 times/);
  });
});
