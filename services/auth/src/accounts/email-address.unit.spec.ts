import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { emailAddress, parseEmailAddress } from './email-address.ts';

const key = (text: string) => parseEmailAddress(text)?.key;

describe('e-mail address', () => {
  it('keeps the local part as written and lowers the domain', () => {
    assert.deepEqual(parseEmailAddress('Ada.Lovelace+news@Example.COM'), {
      address: 'Ada.Lovelace+news@example.com',
      key: 'ada.lovelace+news@example.com',
    });
  });

  it('takes twins in case, composition, width and IDNA form for one', () => {
    assert.equal(key('ADA@EXAMPLE.COM'), key('ada@example.com'));
    assert.equal(key('jose\u0301@example.com'), key('jos\u00e9@example.com'));
    assert.equal(key('ａｄａ@example.com'), key('ada@example.com'));
    assert.equal(key('\u212Aate@example.com'), key('kate@example.com'));
    assert.equal(key('ada@münchen.example'), key('ada@xn--mnchen-3ya.example'));
    assert.equal(key('ada@MÜNCHEN.example'), key('ada@mu\u0308nchen.example'));
  });

  it('keeps different addresses apart', () => {
    assert.notEqual(key('a.da@example.com'), key('ada@example.com'));
    assert.notEqual(key('ada+x@example.com'), key('ada@example.com'));
    assert.notEqual(key('аda@example.com'), key('ada@example.com'));
  });

  it('gives a key that is a fixed point', () => {
    for (const text of ['Ada@Example.com', 'ﬁ@example.com', 'ẞ@straße.example', 'ǅ@example.com', 'İ@example.com']) {
      const first = key(text);
      assert.ok(first !== undefined, text);
      assert.equal(key(first), first, text);
    }
  });

  for (const text of [
    '',
    'ada',
    '@example.com',
    'ada@',
    'ada@localhost',
    'ada@example..com',
    'ada@-example.com',
    'ada@192.168.0.1',
    'ada@[127.0.0.1]',
    'a b@example.com',
    '.ada@example.com',
    'ada.@example.com',
    'ada@exa mple.com',
    'ada@example.com\r\nBcc: eve@example.com',
    'ada@exam\tple.com',
    'ada@example%2ecom',
    'ada@example.com/x',
    'ada@eve@example.com',
    '"ada"@example.com',
    'ada\u0000@example.com',
    'ada\u200b@example.com',
    '\ud800@example.com',
    `${'a'.repeat(65)}@example.com`,
    `ada@${'a'.repeat(64)}.com`,
    `ada@${'a.'.repeat(130)}com`,
  ]) {
    it(`refuses ${JSON.stringify(text.slice(0, 40))}`, () => {
      assert.equal(parseEmailAddress(text), undefined);
      assert.equal(emailAddress.safeParse(text).success, false);
    });
  }

  it('takes no operator object or array where a string belongs', () => {
    for (const value of [{ $gt: '' }, ['ada@example.com'], null, 7]) {
      assert.equal(emailAddress.safeParse(value).success, false);
    }
  });
});
