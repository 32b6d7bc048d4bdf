import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { scalarTypesAt } from './scalar-types.ts';

const schema = {
  properties: {
    title: { type: 'string' },
    score: { type: ['integer', 'null'] },
    status: { enum: ['draft', 'published', null] },
    tags: { type: 'array' },
    any: {},
    mixed: { type: ['string', 'array'] },
    name: { type: 'object', properties: { common: { type: 'string' } } },
    loose: { properties: { a: { type: 'string' } } },
    referred: { $ref: '#/properties/name' },
  },
};

describe('the types of a sort field', () => {
  for (const [path, types] of [
    ['title', ['string']],
    ['score', ['number']],
    ['status', ['string']],
    ['name.common', ['string']],
    ['referred.common', ['string']],
  ] as const) {
    it(`are ${types.join()} at ${path}`, () => {
      assert.deepEqual([...(scalarTypesAt(schema, path.split('.')) ?? [])], types);
    });
  }

  for (const path of ['tags', 'any', 'mixed', 'name', 'loose.a', 'unknown', 'title.x', 'toString']) {
    it(`are not settled at ${path}`, () => {
      assert.equal(scalarTypesAt(schema, path.split('.')), undefined);
    });
  }
});
