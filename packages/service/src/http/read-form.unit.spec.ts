import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fault } from '@causeway/contracts';

import { largestFormBytes, parseForm } from './read-form.ts';

const parse = (text: string | Buffer) => ({ ...parseForm(Buffer.from(text as string)) });

const refusal = (text: string | Buffer): string => {
  try {
    parse(text);
  } catch (error) {
    assert.ok(error instanceof Fault);
    assert.doesNotMatch(JSON.stringify([error.detail, error.errors]), /secret/, 'a value was told');
    return error.errors[0]?.code ?? error.code;
  }
  return assert.fail('it was taken');
};

describe('a form', () => {
  it('is texts by name', () => {
    assert.deepEqual(parse(''), {});
    assert.deepEqual(parse('a=1&b=&c&&d=x=y&e+f=g%2B+h'), { a: '1', b: '', c: '', d: 'x=y', 'e f': 'g+ h' });
    assert.deepEqual(parse('password=%C3%A9%F0%9F%94%91'), { password: 'é🔑' });
    assert.deepEqual(parse('name=é'), { name: 'é' });
  });

  it('makes no lists and no objects of brackets', () => {
    assert.deepEqual(parse('a[]=1&a[$gt]=2&a.b=3'), { 'a[]': '1', 'a[$gt]': '2', 'a.b': '3' });
  });

  for (const [what, text, code] of [
    ['a name that comes twice', 'a=secret&a=secret2', 'repeated'],
    ['a name that comes twice in other letters', 'a=secret&%61=secret', 'repeated'],
    ['a percent sign with nothing behind it', 'a=secret%', 'malformed-form'],
    ['bytes that are no UTF-8, encoded', 'a=secret%ff', 'malformed-form'],
    ['bytes that are no UTF-8', Buffer.from([0x61, 0x3d, 0xff]), 'not-utf-8'],
    ['an overlong encoding', 'a=secret%c0%af', 'malformed-form'],
    ['a way to the prototype', '__proto__=secret', 'forbidden-name'],
    ['more than fifty fields', Array.from({ length: 51 }, (_, n) => `f${n}=secret`).join('&'), 'too-many'],
    ['more bytes than a form has', `a=${'x'.repeat(largestFormBytes)}`, 'payload-too-large'],
  ] as const) {
    it(`with ${what} is refused`, () => assert.equal(refusal(text), code));
  }

  it('names the field that comes twice', () => {
    assert.throws(
      () => parse('a%2Fb=1&a%2Fb=2'),
      (error) => error instanceof Fault && error.errors[0]?.pointer === '/a~1b',
    );
  });
});
