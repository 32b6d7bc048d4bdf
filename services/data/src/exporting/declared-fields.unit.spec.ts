import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { declaredFields } from './declared-fields.ts';

describe('the fields that a schema declares', () => {
  it('are its own, then those of its references and parts, each once', () => {
    const schema = {
      $ref: '#/$defs/a~1b',
      properties: { title: {}, n: {} },
      allOf: [{ properties: { n: {}, extra: {} } }, { $ref: '#/$defs/more' }, { $ref: '#' }],
      $defs: { 'a/b': { properties: { base: {} } }, more: { allOf: [{ properties: { deep: {} } }] }, unused: {} },
    };
    assert.deepEqual(declaredFields(schema), ['title', 'n', 'base', 'extra', 'deep']);
  });

  it('are none where it declares none', () => {
    assert.deepEqual(declaredFields({}), []);
    assert.deepEqual(declaredFields({ $ref: '#/nowhere', allOf: [true] }), []);
  });
});
