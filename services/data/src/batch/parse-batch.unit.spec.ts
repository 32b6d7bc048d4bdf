import { Fault } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { namedBy, withIds } from './named-ids.ts';
import { parseBatch } from './parse-batch.ts';

const faultOf = (operations: readonly unknown[]): Fault => {
  try {
    parseBatch(operations);
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  return assert.fail('it was taken');
};
const create = (change: object = {}) => ({ op: 'create', collection: 'a', fields: {}, ...change });
const named = (op: string, change: object = {}) => ({ op, collection: 'a', id: 'rec_1', ...change });

describe('a batch', () => {
  it('takes each operation', () => {
    const operations = parseBatch([
      create({ as: 'x' }),
      named('update', { merge: { n: 1 }, ifMatch: 3 }),
      named('update', { id: { $id: 'x' }, patch: [{ op: 'remove', path: '/n' }] }),
      named('update', { fields: {} }),
      named('update', { operators: { $inc: { n: 1 }, $push: { made: { $id: 'x' } } } }),
      named('delete'),
      named('check', { ifMatch: 1 }),
    ]);
    assert.deepEqual(
      operations.map(({ op }) => op),
      ['create', 'update', 'update', 'update', 'update', 'delete', 'check'],
    );
  });

  const refused: [string, readonly unknown[], readonly string[]][] = [
    ['has no operations', [], ['/operations nothing-to-write']],
    ['only checks', [named('check', { ifMatch: 1 })], ['/operations nothing-to-write']],
    [
      'holds what is no object',
      [null, 'create'],
      ['/operations/0/op unknown-operation', '/operations/1/op unknown-operation'],
    ],
    ['has an unknown operation', [{ op: 'upsert' }], ['/operations/0/op unknown-operation']],
    ['names an operation of a prototype', [{ op: 'constructor' }], ['/operations/0/op unknown-operation']],
    ['has an unknown member', [create({ id: 'rec_1' })], ['/operations/0/id unknown-field']],
    ['names no collection', [{ op: 'create', fields: {} }], ['/operations/0/collection invalid-collection']],
    ['creates without fields', [create({ fields: undefined })], ['/operations/0/fields invalid-fields']],
    ['creates of an array', [create({ fields: [] })], ['/operations/0/fields invalid-fields']],
    ['has a name twice', [create({ as: 'x' }), create({ as: 'x' })], ['/operations/1/as invalid-as']],
    ['has a name that is none', [create({ as: '__proto__' })], ['/operations/0/as invalid-as']],
    [
      'names a later create',
      [named('delete', { id: { $id: 'x' } }), create({ as: 'x' })],
      ['/operations/0/id invalid-id'],
    ],
    ['has an id that is a number', [named('delete', { id: 7 })], ['/operations/0/id invalid-id']],
    ['has an id with an operator', [named('delete', { id: { $gt: '' } })], ['/operations/0/id invalid-id']],
    [
      'has an operator that is none',
      [named('update', { operators: { $rename: { a: 'b' } } })],
      ['/operations/0/operators/$rename unknown-operator'],
    ],
    ['changes nothing', [named('update')], ['/operations/0 invalid-change']],
    ['changes in two ways', [named('update', { merge: {}, fields: {} })], ['/operations/0 invalid-change']],
    [
      'has a patch that is none',
      [named('update', { patch: [{ op: 'jump' }] })],
      ['/operations/0/patch/0/op invalid-patch'],
    ],
    ['has a revision as a text', [named('delete', { ifMatch: '"7"' })], ['/operations/0/ifMatch invalid-revision']],
    ['has a revision of zero', [named('delete', { ifMatch: 0 })], ['/operations/0/ifMatch invalid-revision']],
    ['checks without a revision', [create(), named('check')], ['/operations/1/ifMatch invalid-revision']],
  ];
  for (const [what, operations, where] of refused) {
    it(`is refused where it ${what}`, () => {
      const { code, errors } = faultOf(operations);
      assert.equal(code, 'invalid-request');
      assert.deepEqual(
        errors.map((each) => `${each.pointer} ${each.code}`),
        where,
      );
    });
  }

  const tooLarge: [string, readonly unknown[], string][] = [
    ['1,001 operations', Array.from({ length: 1_001 }, () => create()), '/operations'],
    ['100,001 operations, whatever they are', Array.from({ length: 100_001 }, () => 0), '/operations'],
    [
      '21 collections',
      Array.from({ length: 22 }, (_, index) => create({ collection: `c${index}` })),
      '/operations/20/collection',
    ],
    ['51 changes of one record', Array.from({ length: 52 }, () => named('update', { merge: {} })), '/operations/50/id'],
  ];
  for (const [what, operations, pointer] of tooLarge) {
    it(`is too large with ${what}, and says where`, () => {
      const fault = faultOf(operations);
      assert.deepEqual([fault.code, fault.status], ['batch-too-large', 413]);
      assert.match(fault.detail ?? '', /at most .* Send it in several/);
      assert.deepEqual(
        fault.errors.map((each) => each.pointer),
        [pointer],
      );
    });
  }
});

describe('names of what a batch creates', () => {
  it('become ids, however deep they stand', () => {
    const value = { a: { $id: 'x' }, b: [1, { c: { $id: 'y' } }], d: { $id: 'x', more: 1 }, e: { $id: 7 } };
    const found = withIds(value, (name) => `rec_${name}`);
    assert.deepEqual(found, { ...value, a: 'rec_x', b: [1, { c: 'rec_y' }] });
    const plain = { a: [1, { b: null }] };
    assert.equal(
      withIds(plain, () => assert.fail()),
      plain,
    );
    assert.equal(namedBy(JSON.parse('{"__proto__": "x"}')), undefined);
  });
});
