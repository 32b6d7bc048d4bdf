import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkFields } from './check-fields.ts';

function faultsOf(json: string): [string, string][] {
  return checkFields(JSON.parse(json)).map((fault) => [fault.pointer, fault.code]);
}

describe("a record's fields", () => {
  it('may be any JSON that comes back as it was sent', () => {
    assert.deepEqual(faultsOf('{"a": [1, -0.5, "\\u0000é😀", null, {"_b": {"id": true}}], "constructorOf": {}}'), []);
  });

  for (const [json, pointer, code] of [
    ['{"id": "rec_1"}', '/id', 'reserved-name'],
    ['{"deletedAt": null}', '/deletedAt', 'reserved-name'],
    ['{"_id": 1}', '/_id', 'reserved-name'],
    ['{"": 1}', '/', 'reserved-name'],
    ['{"constructor": 1}', '/constructor', 'reserved-name'],
    ['{"__proto__": {"admin": true}}', '/__proto__', 'invalid-name'],
    ['{"a": [{"__proto__": 1}]}', '/a/0/__proto__', 'invalid-name'],
    ['{"a": {"$gt": ""}}', '/a/$gt', 'invalid-name'],
    ['{"a": {"b.c": 1}}', '/a/b.c', 'invalid-name'],
    ['{"a/b": {"x\\u0000": 1}}', '/a~1b/x\0', 'invalid-name'],
    [`{"a": {"${'x'.repeat(257)}": 1}}`, `/a/${'x'.repeat(257)}`, 'invalid-name'],
    ['{"a": 9007199254740992}', '/a', 'integer-out-of-range'],
    ['{"a": [1e999]}', '/a/0', 'number-out-of-range'],
    ['{"a": "\\ud800"}', '/a', 'malformed-string'],
    [`{"a": ${'['.repeat(33)}${']'.repeat(33)}}`, `/a${'/0'.repeat(31)}`, 'too-deep'],
    ['[]', '', 'invalid-record'],
    ['null', '', 'invalid-record'],
  ] as const) {
    it(`may not be ${json.slice(0, 40)}`, () => {
      const faults = faultsOf(json);
      assert.ok(
        faults.some(([at, is]) => at === pointer && is === code),
        JSON.stringify(faults),
      );
    });
  }

  it('are counted, not followed for ever', () => {
    const faults = checkFields({ a: Array.from({ length: 100_001 }, () => 0) });
    assert.deepEqual(
      faults.map((fault) => fault.code),
      ['too-many-values'],
    );
  });
});
