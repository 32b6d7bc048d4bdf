import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Fault } from '@causeway/contracts';

import { applyJsonPatch, jsonPatch } from './json-patch.ts';
import { mergePatch } from './merge-patch.ts';

/** RFC 7396, appendix A. */
const merges: readonly (readonly [target: unknown, patch: unknown, expected: unknown])[] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];

describe('a merge patch', () => {
  for (const [target, patch, expected] of merges) {
    it(`makes ${JSON.stringify(expected)} of ${JSON.stringify(target)} by ${JSON.stringify(patch)}`, () => {
      const before = structuredClone(target);
      assert.deepEqual(mergePatch(target, patch), expected);
      assert.deepEqual(target, before);
    });
  }
});

/** After RFC 6902, appendix A. */
const patches: readonly (readonly [target: unknown, patch: unknown, expected: unknown])[] = [
  [{ foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux' }], { foo: 'bar', baz: 'qux' }],
  [{ foo: ['bar', 'baz'] }, [{ op: 'add', path: '/foo/1', value: 'qux' }], { foo: ['bar', 'qux', 'baz'] }],
  [{ foo: ['bar'] }, [{ op: 'add', path: '/foo/-', value: ['abc'] }], { foo: ['bar', ['abc']] }],
  [{ baz: 'qux', foo: 'bar' }, [{ op: 'remove', path: '/baz' }], { foo: 'bar' }],
  [{ foo: ['bar', 'qux'] }, [{ op: 'remove', path: '/foo/1' }], { foo: ['bar'] }],
  [{ a: 1, b: 2 }, [{ op: 'replace', path: '/a', value: 3 }], { a: 3, b: 2 }],
  [{ a: [1, 2] }, [{ op: 'replace', path: '/a/0', value: 3 }], { a: [3, 2] }],
  [
    { foo: { bar: 'baz', waldo: 'fred' }, qux: { corge: 'grault' } },
    [{ op: 'move', from: '/foo/waldo', path: '/qux/thud' }],
    { foo: { bar: 'baz' }, qux: { corge: 'grault', thud: 'fred' } },
  ],
  [
    { foo: ['all', 'grass', 'cows', 'eat'] },
    [{ op: 'move', from: '/foo/1', path: '/foo/3' }],
    { foo: ['all', 'cows', 'eat', 'grass'] },
  ],
  [
    { a: { b: 1 } },
    [
      { op: 'copy', from: '/a', path: '/c' },
      { op: 'add', path: '/c/b', value: 2 },
    ],
    { a: { b: 1 }, c: { b: 2 } },
  ],
  [{ baz: 'qux', foo: ['a', 2] }, [{ op: 'test', path: '/foo/1', value: 2 }], { baz: 'qux', foo: ['a', 2] }],
  [{ '/': 9, '~1': 10 }, [{ op: 'test', path: '/~01', value: 10 }], { '/': 9, '~1': 10 }],
  [{ a: 1 }, [{ op: 'replace', path: '', value: { b: 1 } }], { b: 1 }],
  [{ foo: null }, [{ op: 'test', path: '/foo', value: null }], { foo: null }],
  [
    { foo: 'bar' },
    [{ op: 'add', path: '/child', value: { grandchild: {} }, xyz: 1 }],
    { foo: 'bar', child: { grandchild: {} } },
  ],
];

describe('a JSON patch', () => {
  const apply = (target: unknown, patch: unknown): unknown => applyJsonPatch(target, jsonPatch.parse(patch));

  for (const [target, patch, expected] of patches) {
    it(`makes ${JSON.stringify(expected)} by ${JSON.stringify(patch)}`, () => {
      const before = structuredClone(target);
      assert.deepEqual(apply(target, patch), expected);
      assert.deepEqual(target, before);
    });
  }

  it('keeps the order of what it replaces', () => {
    const replaced = apply({ a: 1, b: 2 }, [{ op: 'replace', path: '/a', value: 3 }]) as object;
    assert.deepEqual(Object.keys(replaced), ['a', 'b']);
  });

  for (const patch of [
    [{ op: 'remove', path: '/nothing' }],
    [{ op: 'replace', path: '/nothing', value: 1 }],
    [{ op: 'add', path: '/nothing/deep', value: 1 }],
    [{ op: 'add', path: '/list/5', value: 1 }],
    [{ op: 'add', path: '/list/01', value: 1 }],
    [{ op: 'add', path: '/text/0', value: 1 }],
    [{ op: 'remove', path: '/list/-' }],
    [{ op: 'test', path: '/text', value: 'other' }],
    [{ op: 'test', path: '/text', value: ['text'] }],
    [{ op: 'move', from: '/object', path: '/object/inner' }],
    [{ op: 'copy', from: '/toString', path: '/a' }],
    [{ op: 'add', path: '/__proto__', value: {} }],
    [{ op: 'add', path: '/constructor/prototype/polluted', value: true }],
  ]) {
    it(`does not fit: ${JSON.stringify(patch)}`, () => {
      assert.throws(
        () => apply({ list: [1], text: 'text', object: {} }, patch),
        (error) => error instanceof Fault && error.code === 'patch-failed' && error.errors[0]?.pointer === '/0',
      );
      assert.equal(({} as Record<string, unknown>).polluted, undefined);
    });
  }

  it('does not grow a record without bound', () => {
    const double = { op: 'copy', from: '/a', path: '/a/-' };
    assert.throws(
      () =>
        apply(
          { a: ['x'] },
          Array.from({ length: 200 }, () => double),
        ),
      (error) => error instanceof Fault && error.status === 413,
    );
  });

  it('copies no more in all than a record may hold, though the record does not grow', () => {
    const copy = { op: 'copy', from: '/a', path: '/b' };
    const copies = (count: number): object[] => Array.from({ length: count }, () => copy);
    const record = { a: 'x'.repeat(100_000) };
    assert.deepEqual(apply(record, copies(5)), { a: record.a, b: record.a });
    assert.throws(
      () => apply(record, copies(6)),
      (error) => error instanceof Fault && error.status === 413,
    );
  });

  it('is one', () => {
    for (const patch of [
      {},
      [{ op: 'add', path: '/a' }],
      [{ op: 'add', path: 'a', value: 1 }],
      [{ op: 'x', path: '' }],
    ]) {
      assert.equal(jsonPatch.safeParse(patch).success, false, JSON.stringify(patch));
    }
  });
});
