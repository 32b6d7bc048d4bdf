import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseSearch, parseText } from './parse-text.ts';

const taken = [
  'word',
  'one two -three',
  '"a phrase" and words',
  '-"not this" but this',
  'pre-market',
  'Straße 東京 Ωμέγα 5',
  'a '.repeat(32).trim(),
  `x${'é'.repeat(499)}`,
];

const refused: readonly (readonly [unknown, RegExp])[] = [
  ['', /word to look for/],
  ['   ', /word to look for/],
  ['?!… 🚀', /word to look for/],
  ['-word', /word to look for/],
  ['-"a phrase" -b', /word to look for/],
  ['"open', /Close/],
  ['"a" "b"', /one phrase/],
  ['a '.repeat(33), /32 words/],
  ['x'.repeat(501), /500 characters/],
  ['a\0b', /valid text/],
  ['a\ud800', /valid text/],
  [5, /one text/],
  [null, /one text/],
  [['a'], /one text/],
];

describe('words to look for', () => {
  for (const text of taken) {
    it(`are taken as they are: ${text.slice(0, 30)}`, () => {
      assert.deepEqual(parseSearch(text, ''), { ok: true, value: text });
      assert.deepEqual(parseText({ $search: text }, ''), { ok: true, value: text });
    });
  }

  for (const [text, message] of refused) {
    it(`are refused: ${JSON.stringify(text).slice(0, 30)}`, () => {
      const parsed = parseText({ $search: text }, '/$text');
      assert.ok(!parsed.ok);
      assert.deepEqual(
        parsed.faults.map(({ pointer }) => pointer),
        ['/$text/$search'],
      );
      assert.match(parsed.faults[0]?.message ?? '', message);
    });
  }

  it('are refused with anything beside them, or without a name', () => {
    const pointersOf = (json: unknown): unknown => {
      const parsed = parseText(json, '/$text');
      return parsed.ok ? [] : parsed.faults.map(({ pointer }) => pointer);
    };
    assert.deepEqual(pointersOf({ $search: 'a', $language: 'en' }), ['/$text/$language']);
    assert.deepEqual(pointersOf({ $search: 'a', $caseSensitive: true }), ['/$text/$caseSensitive']);
    for (const json of ['a', {}, null, ['a'], { search: 'a' }]) assert.deepEqual(pointersOf(json), ['/$text']);
  });
});
