import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mongodbAddressFor, withoutPassword } from './address.ts';

describe('mongodbAddressFor', () => {
  it('puts the database into the path', () => {
    assert.equal(
      mongodbAddressFor('mongodb://127.0.0.1:27117/?replicaSet=causeway&directConnection=true', 'causeway-auth'),
      'mongodb://127.0.0.1:27117/causeway-auth?replicaSet=causeway&directConnection=true',
    );
    assert.equal(mongodbAddressFor('mongodb://a:1,b:2', 'x'), 'mongodb://a:1,b:2/x');
    assert.equal(mongodbAddressFor('mongodb+srv://host.example/old?w=1', 'x'), 'mongodb+srv://host.example/x?w=1');
  });

  it('keeps the database in which the user is looked up', () => {
    assert.equal(mongodbAddressFor('mongodb://u:p@a:1/people', 'x'), 'mongodb://u:p@a:1/x?authSource=people');
    assert.equal(mongodbAddressFor('mongodb://u:p@a:1', 'x'), 'mongodb://u:p@a:1/x?authSource=admin');
    assert.equal(mongodbAddressFor('mongodb://u:p@a:1/y?authSource=z', 'x'), 'mongodb://u:p@a:1/x?authSource=z');
  });
});

describe('withoutPassword', () => {
  it('takes the password out, and nothing else', () => {
    assert.equal(withoutPassword('redis://user:s3cret@host:6379/1'), 'redis://user:***@host:6379/1');
    assert.equal(withoutPassword('redis://:s3cret@host:6379'), 'redis://:***@host:6379');
    assert.equal(withoutPassword('127.0.0.1:9092'), '127.0.0.1:9092');
  });
});
