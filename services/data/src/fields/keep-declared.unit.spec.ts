import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { DeclaredField } from './declared-field.ts';
import { keepDeclared } from './keep-declared.ts';

const field = (path: string, options: Partial<DeclaredField> = { writeOnce: true }): DeclaredField => ({
  path,
  segments: path.split('.'),
  ...options,
});

describe('keeping what was not sent', () => {
  for (const [about, declared, sent, current, expected] of [
    ['fills in what is missing', [field('a')], { b: 1 }, { a: 2 }, { b: 1, a: 2 }],
    ['leaves what was sent', [field('a')], { a: 1 }, { a: 2 }, { a: 1 }],
    ['leaves null', [field('a')], { a: null }, { a: 2 }, { a: null }],
    ['makes the objects around it', [field('a.b.c')], {}, { a: { b: { c: 1, d: 2 } } }, { a: { b: { c: 1 } } }],
    ['fills objects that were sent', [field('a.b')], { a: { c: 1 } }, { a: { b: 2 } }, { a: { c: 1, b: 2 } }],
    ['leaves what stands in the way', [field('a.b')], { a: 1 }, { a: { b: 2 } }, { a: 1 }],
    ['leaves an array in the way', [field('a.b')], { a: [1] }, { a: { b: 2 } }, { a: [1] }],
    ['has nothing to fill in', [field('a.b')], {}, { c: 1 }, {}],
    ['takes no other fields', [field('a', { readOnly: true })], {}, { a: 1, b: 2 }, { a: 1 }],
    ['takes none that are declared for something else', [field('a', {})], {}, { a: 1 }, {}],
    ['gives back what is no object', [field('a')], 'text', { a: 1 }, 'text'],
  ] as const) {
    it(about, () => {
      const before = structuredClone(sent);
      assert.deepEqual(keepDeclared(declared, sent, current), expected);
      assert.deepEqual(sent, before);
    });
  }
});
