import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bar, lineReporter } from './report.ts';

describe('bar', () => {
  it('is as full as the share', () => {
    assert.equal(bar('x', 0, 10), `x [${' '.repeat(24)}]   0 %`);
    assert.equal(bar('x', 5, 10), `x [${'█'.repeat(12)}${' '.repeat(12)}]  50 %`);
    assert.equal(bar('x', 11, 10), `x [${'█'.repeat(24)}] 100 %`);
  });
});

describe('lineReporter', () => {
  it('says a download at each quarter, once', () => {
    const lines: string[] = [];
    const progress = lineReporter((text) => void lines.push(text)).progress('mongod', 40e6);
    for (let done = 0; done <= 40e6; done += 1e6) progress.at(done);
    progress.end();
    assert.deepEqual(
      lines,
      [25, 50, 75, 100].map((share) => `mongod: ${share} % of 40 MB\n`),
    );
  });
});
