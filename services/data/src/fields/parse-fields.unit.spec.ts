import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseFields } from './parse-fields.ts';

const schema = {
  $defs: { address: { type: 'object', properties: { city: { type: 'string' } } } },
  properties: {
    title: { type: 'string' },
    any: true,
    tags: { type: 'array', items: { type: 'object', properties: { name: { type: 'string' } } } },
    name: { type: 'object', properties: { common: { type: 'string' } } },
    loose: { properties: { a: { type: 'string' } } },
    either: { type: ['object', 'array'], properties: { a: { type: 'string' } } },
    address: { $ref: '#/$defs/address' },
  },
};

const parse = (json: unknown) => parseFields(json, schema, '/fields');

function faultsOf(json: unknown): string[] {
  const parsed = parse(json);
  assert.ok(!parsed.ok, `taken: ${JSON.stringify(json)}`);
  return parsed.faults.map(({ pointer, code }) => `${code} ${pointer}`);
}

describe('the fields of a definition', () => {
  it('are said by their paths', () => {
    const json = {
      title: { writeOnce: true },
      any: { readOnly: true },
      tags: { readOnly: true },
      'name.common': { readOnly: true, writeOnce: true },
      'address.city': { writeOnce: true },
    };
    assert.deepEqual(parse(json), {
      ok: true,
      value: [
        { path: 'title', segments: ['title'], writeOnce: true },
        { path: 'any', segments: ['any'], readOnly: true },
        { path: 'tags', segments: ['tags'], readOnly: true },
        { path: 'name.common', segments: ['name', 'common'], readOnly: true, writeOnce: true },
        { path: 'address.city', segments: ['address', 'city'], writeOnce: true },
      ],
    });
    assert.deepEqual(parse(undefined), { ok: true, value: [] });
    assert.deepEqual(parse({}), { ok: true, value: [] });
  });

  for (const path of [
    ...['a..b', '', '$x', 'name.$x', '_x', '__proto__', 'name.constructor', 'x\0', Array(17).fill('a').join('.')],
    ...['id', 'createdAt', 'deletedAt', 'outbox', 'fields.title'],
    ...['unknown', 'name.unknown', 'title.x', 'tags.name', 'tags.0.name', 'loose.a', 'either.a', 'toString'],
  ]) {
    it(`have no path such as ${JSON.stringify(path)}`, () => {
      // A literal would set the prototype.
      const json = JSON.parse(`{${JSON.stringify(path)}: {"writeOnce": true}}`) as unknown;
      assert.deepEqual(faultsOf(json), [`invalid-path /fields/${path}`]);
    });
  }

  it('have options that are known', () => {
    assert.deepEqual(faultsOf({ title: { readonly: true } }), ['unknown-field /fields/title/readonly']);
    assert.deepEqual(faultsOf({ title: {} }), ['invalid-fields /fields/title']);
    assert.deepEqual(faultsOf({ title: true }), ['invalid-fields /fields/title']);
    assert.deepEqual(faultsOf({ title: null }), ['invalid-fields /fields/title']);
    for (const value of [false, 1, 'true', null]) {
      assert.deepEqual(faultsOf({ title: { writeOnce: value } }), ['invalid-option /fields/title/writeOnce']);
    }
  });

  it('have defaults: a value, something of the caller’s, or the time', () => {
    const defaultsOf = (json: unknown): unknown => {
      const parsed = parse({ any: { default: json } });
      return parsed.ok ? parsed.value[0]?.default : parsed.faults.map(({ pointer, code }) => `${code} ${pointer}`);
    };
    for (const value of [null, false, 0, 'text', [], {}, { a: [1] }]) {
      assert.deepEqual(defaultsOf(value), { kind: 'value', value });
    }
    assert.deepEqual(defaultsOf({ $auth: 'sub' }), { kind: 'auth', name: 'sub' });
    assert.deepEqual(defaultsOf({ $now: true }), { kind: 'now' });
    for (const json of [{ $now: '-1h' }, { $now: false }, { $auth: 'password' }, { $auth: null }]) {
      assert.deepEqual(defaultsOf(json), ['invalid-option /fields/any/default']);
    }
    assert.deepEqual(defaultsOf({ $auth: 'sub', x: 1 }), ['invalid-name /fields/any/default/$auth']);
    assert.deepEqual(defaultsOf({ $rand: {} }), ['invalid-name /fields/any/default/$rand']);
    assert.deepEqual(defaultsOf([2 ** 53]), ['integer-out-of-range /fields/any/default/0']);
  });

  it('are an object, and not too many', () => {
    for (const json of [[], 'title', 1]) assert.deepEqual(faultsOf(json), ['invalid-fields /fields']);
    const many = Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`f${index}`, { readOnly: true }]));
    assert.deepEqual(faultsOf(many), ['invalid-fields /fields']);
  });

  it('are told of all that is wrong at once', () => {
    assert.deepEqual(faultsOf({ 'a..b': { x: 1 }, title: { y: 1 } }), [
      'invalid-path /fields/a..b',
      'unknown-field /fields/a..b/x',
      'unknown-field /fields/title/y',
    ]);
  });
});
