import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fault } from '@causeway/contracts';

import { cookieNames, cookieOf, mayHaveCookies, setCookie } from './cookies.ts';

describe('our cookies', () => {
  it('have the prefix that nobody else can set, over TLS', () => {
    const names = cookieNames('https://causeway.example');
    assert.deepEqual(names, {
      access: '__Host-causeway-access',
      refresh: '__Host-causeway-refresh',
      device: '__Host-causeway-device',
      visitor: '__Host-causeway-visitor',
      secure: true,
    });
  });

  it('have none on a machine of one’s own, where not every browser takes it', () => {
    assert.equal(cookieNames('http://localhost:8080').access, 'causeway-access');
    assert.equal(cookieNames('http://127.0.0.1:8080').secure, false);
  });

  for (const [url, may] of [
    ['https://causeway.example', true],
    ['https://10.0.0.1', true],
    ['http://localhost:8080', true],
    ['http://127.0.0.1', true],
    ['http://[::1]:8080', true],
    ['http://causeway.example', false],
    ['http://localhost.evil.example', false],
    ['http://192.168.0.2:8080', false],
    ['ftp://localhost', false],
  ] as const) {
    it(`are ${may ? '' : 'not '}given out at ${url}`, () => assert.equal(mayHaveCookies(url), may));
  }

  it('are read by no script and sent by no other site', () => {
    const given = { name: '__Host-causeway-access', value: 'a.b-c_d', maxAgeS: 300, secure: true };
    assert.equal(
      setCookie(given),
      '__Host-causeway-access=a.b-c_d; Path=/; Max-Age=300; HttpOnly; SameSite=Lax; Secure',
    );
    const plain = { name: 'causeway-access', value: '', maxAgeS: 0, secure: false };
    assert.equal(setCookie(plain), 'causeway-access=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax');
  });

  it('never hold what could end their value', () => {
    for (const value of ['a;b', 'a b', 'a\r\nb', 'a,b', '"a"', 'é'])
      assert.throws(() => setCookie({ name: 'n', value, maxAgeS: 1, secure: true }), /cannot stand/);
  });
});

describe('the cookies of a request', () => {
  const name = '__Host-causeway-access';
  for (const [header, value] of [
    [undefined, undefined],
    ['', undefined],
    ['a=1', undefined],
    [`${name}=x`, 'x'],
    [`a=1; ${name}=x.y-z_; b=2`, 'x.y-z_'],
    [`a=1;${name}=x;b=2`, 'x'],
    [`${name}=`, undefined],
    [`${name}==x=`, '=x='],
    [name, undefined],
    [`X${name}=x`, undefined],
    [`${name}2=x`, undefined],
    [`a=${name}=x`, undefined],
    [`__host-causeway-access=x`, undefined],
  ] as const) {
    it(`${JSON.stringify(header ?? null)} has ${value ?? 'none'} of ours`, () =>
      assert.equal(cookieOf(header, name), value));
  }

  it('are refused where one came twice: only one of them can be ours', () => {
    assert.throws(
      () => cookieOf(`${name}=ours; ${name}=planted`, name),
      (error) => error instanceof Fault && error.status === 400 && !error.message.includes('planted'),
    );
  });

  it('cost little, however many there are', () => {
    const many = Array.from({ length: 5_000 }, (_, n) => `c${n}=1`).join('; ');
    assert.equal(cookieOf(`${many}; ${name}=x`, name), 'x');
  });
});
