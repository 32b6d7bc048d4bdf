import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { describeIndex } from './describe-index.ts';

describe('an index as MongoDB is told', () => {
  it('has the name that it always had where it is plain', () => {
    const { name, ...index } = describeIndex({ keys: { status: 1, score: -1 } });
    assert.deepEqual(index, { key: { 'fields.status': 1, 'fields.score': -1, _id: -1 } });
    assert.equal(name, 'by_e937f336ba0c5f6c7356c333');
    assert.equal(describeIndex({ keys: { title: 1 }, unique: true }).name, 'by_4d907fe938b99daefcd487e5');
  });

  it('has another name for whatever else it says', () => {
    const all = [
      describeIndex({ keys: { a: 1 } }),
      describeIndex({ keys: { a: 1 }, unique: true }),
      describeIndex({ keys: { a: 1 }, where: { b: 1 } }),
      describeIndex({ keys: { a: 1 }, where: { b: 2 } }),
      describeIndex({ keys: { a: 1 }, where: { b: 1 }, unique: true }),
      describeIndex({ keys: { a: '2dsphere' } }),
      describeIndex({ keys: { a: 'text' } }),
      describeIndex({ keys: { a: 'text' }, weights: { a: 2 } }),
      describeIndex({ keys: { a: 'text' }, language: 'german' }),
    ];
    assert.equal(new Set(all.map(({ name }) => name)).size, all.length);
    const same = describeIndex({ keys: { a: 'text' }, weights: { a: 1 } });
    assert.equal(same.name, describeIndex({ keys: { a: 'text' } }).name);
  });

  it('looks for no language in what users name, and gives no order to words and places', () => {
    const text = describeIndex({ keys: { title: 'text', 'a.b': 'text' }, weights: { title: 3 } });
    assert.deepEqual(text, {
      key: { 'fields.title': 'text', 'fields.a.b': 'text' },
      name: text.name,
      weights: { 'fields.title': 3, 'fields.a.b': 1 },
      default_language: 'none',
      language_override: '_bsontype',
      textIndexVersion: 3,
    });
    const place = describeIndex({ keys: { at: '2dsphere', kind: 1 }, where: { kind: { $in: ['b', 'a'] } } });
    assert.deepEqual(place, {
      key: { 'fields.at': '2dsphere', 'fields.kind': 1 },
      name: place.name,
      partialFilterExpression: { 'fields.kind': { $in: ['a', 'b'] } },
      '2dsphereIndexVersion': 3,
    });
  });
});
