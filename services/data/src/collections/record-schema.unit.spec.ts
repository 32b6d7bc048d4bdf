import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RecordSchema } from './record-schema.ts';
import { compileRecordSchema } from './record-schema.ts';

function accepted(json: unknown): RecordSchema {
  const compiled = compileRecordSchema(json, '/schema');
  assert.ok(compiled.ok, JSON.stringify(compiled));
  return compiled.value;
}

function faultsOf(json: unknown): [string, string][] {
  const compiled = compileRecordSchema(json, '/schema');
  assert.ok(!compiled.ok, `${JSON.stringify(json)} was accepted`);
  return compiled.faults.map((fault) => [fault.pointer, fault.code]);
}

function judge(schema: unknown, fields: unknown): [string, string][] {
  return accepted(schema)
    .validate(fields)
    .map((fault) => [fault.pointer, fault.code]);
}

describe('the schema of a collection', () => {
  const article = {
    type: 'object',
    required: ['title'],
    properties: { title: { type: 'string', maxLength: 5 }, tags: { type: 'array', items: { type: 'string' } } },
  };

  it('reports every fault where it is', () => {
    assert.deepEqual(judge(article, { title: 'Hello', tags: [] }), []);
    assert.deepEqual(judge(article, { tags: ['a', 1], extra: 1 }), [
      ['/title', 'required'],
      ['/extra', 'unknown-field'],
      ['/tags/1', 'type'],
    ]);
    assert.deepEqual(judge(article, { title: 'too long' }), [['/title', 'max-length']]);
  });

  it('is closed at the top unless it says otherwise, and open below', () => {
    assert.deepEqual(judge({}, { a: 1 }), [['/a', 'unknown-field']]);
    assert.deepEqual(judge({ additionalProperties: true }, { a: 1 }), []);
    assert.deepEqual(judge({ properties: { a: { type: 'object' } } }, { a: { b: 1 } }), []);
    const composed = { allOf: [{ properties: { a: { type: 'number' } } }], properties: { b: { type: 'number' } } };
    assert.deepEqual(judge(composed, { a: 1, b: 1 }), []);
    assert.deepEqual(judge(composed, { c: 1 }), [['/c', 'unknown-field']]);
  });

  it('asserts formats', () => {
    const schema = { properties: { at: { type: 'string', format: 'date-time' } } };
    assert.deepEqual(judge(schema, { at: '2026-01-31T12:00:00Z' }), []);
    assert.deepEqual(judge(schema, { at: 'noon' }), [['/at', 'format']]);
    assert.deepEqual(faultsOf({ properties: { a: { format: 'regex' } } }), [
      ['/schema/properties/a/format', 'unknown-format'],
    ]);
  });

  it('runs patterns in linear time', () => {
    const schema = { properties: { a: { type: 'string', pattern: '^(a+)+$' } } };
    // A backtracking engine would take 2^5000 steps, and this test for ever.
    assert.deepEqual(judge(schema, { a: `${'a'.repeat(5_000)}!` }), [['/a', 'pattern']]);
    assert.deepEqual(faultsOf({ properties: { a: { pattern: '(?=a)' } } }), [
      ['/schema/properties/a/pattern', 'invalid-pattern'],
    ]);
    assert.deepEqual(faultsOf({ patternProperties: { '(a)\\1': {} } }), [
      ['/schema/patternProperties/(a)\\1', 'invalid-pattern'],
    ]);
  });

  it('demands unique items by their values, whatever the order of members', () => {
    const schema = { properties: { a: { type: 'array', uniqueItems: true, maxItems: 10 } } };
    const distinct = [1, '1', true, 'true', null, 'null', [1], { a: 1 }, { a: '1' }, { a: [1] }];
    assert.deepEqual(judge(schema, { a: distinct }), []);
    for (const [first, second] of [
      [
        { a: 1, b: [{ c: 1, d: 2 }] },
        { b: [{ d: 2, c: 1 }], a: 1 },
      ],
      [
        [1, 2],
        [1, 2],
      ],
      [0, -0],
    ]) {
      assert.deepEqual(judge(schema, { a: ['x', first, second] }), [['/a', 'unique-items']]);
    }
    assert.deepEqual(judge({ properties: { a: { uniqueItems: false } } }, { a: [1, 1] }), []);
  });

  it('looks at each item once for uniqueness, also where there are too many', () => {
    const schema = { properties: { a: { type: 'array', uniqueItems: true, maxItems: 10 } } };
    let reads = 0;
    const items = Array.from({ length: 500 }, (_, index) => ({
      get value() {
        reads += 1;
        return index;
      },
    }));
    assert.deepEqual(judge(schema, { a: items }), [['/a', 'max-items']]);
    assert.equal(reads, items.length);
  });

  it('refuses names that are reserved or out of reach', () => {
    for (const name of [
      'id',
      'revision',
      'createdAt',
      'updatedBy',
      'deletedAt',
      '_x',
      '$x',
      'a.b',
      '',
      'constructor',
    ]) {
      assert.deepEqual(faultsOf({ properties: { [name]: {} } }), [[`/schema/properties/${name}`, 'reserved-name']]);
    }
    assert.deepEqual(judge({ properties: { a: { properties: { id: {} } } } }, { a: { id: 1 } }), []);
    assert.deepEqual(faultsOf({ properties: { a: { properties: { _b: {} } } } }), [
      ['/schema/properties/a/properties/_b', 'reserved-name'],
    ]);
  });

  it('refuses reserved names wherever the record itself is judged', () => {
    const reserved = { properties: { id: {} } };
    assert.deepEqual(faultsOf({ allOf: [reserved] }), [['/schema/allOf/0/properties/id', 'reserved-name']]);
    assert.deepEqual(faultsOf({ if: { not: reserved } }), [['/schema/if/not/properties/id', 'reserved-name']]);
    assert.deepEqual(faultsOf({ $ref: '#/$defs/a', $defs: { a: { anyOf: [reserved] } } }), [
      ['/schema/$defs/a/anyOf/0/properties/id', 'reserved-name'],
    ]);
    accepted({ properties: { a: { allOf: [reserved] }, b: { $ref: '#/$defs/a' } }, $defs: { a: reserved } });
  });

  it('refuses references to elsewhere and to nothing', () => {
    for (const reference of ['https://example.com/schema', 'other.json', '#/$defs/none', '#name', 7]) {
      assert.deepEqual(faultsOf({ properties: { a: { $ref: reference } } }), [
        ['/schema/properties/a/$ref', 'invalid-reference'],
      ]);
    }
  });

  it('follows references within itself, also through members', () => {
    const tree = {
      properties: { node: { $ref: '#/$defs/node' } },
      $defs: { node: { type: 'object', properties: { next: { $ref: '#/$defs/node' }, v: { type: 'number' } } } },
    };
    assert.deepEqual(judge(tree, { node: { next: { next: { v: 'x' } } } }), [['/node/next/next/v', 'type']]);
  });

  it('refuses references without an end, at the one that leads back', () => {
    assert.deepEqual(faultsOf({ $ref: '#' }), [['/schema/$ref', 'endless-reference']]);
    const hidden = { properties: { a: { allOf: [{ $ref: '#/properties/a' }] } } };
    assert.deepEqual(faultsOf(hidden), [['/schema/properties/a/allOf/0/$ref', 'endless-reference']]);
    const twice = { allOf: [{ $ref: '#/$defs/a~1b' }], $defs: { 'a/b': { anyOf: [{ $ref: '#/$defs/a~1b' }] } } };
    assert.deepEqual(faultsOf(twice), [['/schema/$defs/a~1b/anyOf/0/$ref', 'endless-reference']]);
  });

  it('takes 2020-12 and an id at the top, and no other dialect or base', () => {
    accepted({ $schema: 'https://json-schema.org/draft/2020-12/schema', $id: 'https://example.com/article' });
    assert.deepEqual(faultsOf({ $schema: 'http://json-schema.org/draft-07/schema#' }), [
      ['/schema/$schema', 'unsupported-dialect'],
    ]);
    // Together they would be a DBRef in MongoDB.
    const named = { $id: 'https://example.com/article', $defs: { a: { type: 'object' } } };
    assert.deepEqual(faultsOf({ ...named, $ref: '#/$defs/a' }), [['/schema/$id', 'unsupported-keyword']]);
    accepted({ ...named, allOf: [{ $ref: '#/$defs/a' }] });
    assert.deepEqual(faultsOf({ properties: { a: { $id: 'b' } } }), [
      ['/schema/properties/a/$id', 'unsupported-keyword'],
    ]);
  });

  it('refuses what is no schema', () => {
    assert.equal(faultsOf({ type: 'array' })[0]?.[0], '/schema/type');
    assert.equal(faultsOf({ properties: { a: { type: 'text' } } })[0]?.[0], '/schema/properties/a/type');
    assert.equal(faultsOf({ properties: { a: { maxlength: 1 } } })[0]?.[1], 'invalid-schema');
    for (const json of [null, [], true, 'object']) assert.equal(faultsOf(json)[0]?.[1], 'invalid-schema');
  });

  it('is bounded', () => {
    const deep = (levels: number): unknown => (levels === 0 ? {} : { properties: { a: deep(levels - 1) } });
    assert.equal(faultsOf(deep(33))[0]?.[1], 'too-large');
    assert.equal(faultsOf({ description: 'x'.repeat(70_000) })[0]?.[1], 'too-large');
    assert.equal(faultsOf({ properties: { a: { type: 'array', uniqueItems: true } } })[0]?.[1], 'unbounded');
    accepted({ properties: { a: { type: 'array', uniqueItems: true, maxItems: 10 } } });
  });
});
