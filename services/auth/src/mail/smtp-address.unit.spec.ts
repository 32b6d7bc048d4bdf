import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseSender } from './mail-address.ts';
import { parseSmtpAddress } from './smtp-address.ts';

describe('the address of a mail server', () => {
  it('says how it is reached, and who signs in', () => {
    assert.deepEqual(parseSmtpAddress('smtps://ada%40example.com:p%3Aw@smtp.example.com'), {
      ...{ host: 'smtp.example.com', port: 465, encryption: 'always' },
      ...{ user: 'ada@example.com', password: 'p:w' },
    });
    assert.deepEqual(parseSmtpAddress('smtp://smtp.example.com:25/'), {
      ...{ host: 'smtp.example.com', port: 25, encryption: 'demanded' },
    });
  });

  it('demands encryption, but of this machine or where it says otherwise', () => {
    const of = (text: string) => parseSmtpAddress(text)?.encryption;
    assert.equal(of('smtp://smtp.example.com'), 'demanded');
    assert.equal(of('smtp://smtp.example.com?starttls=optional'), 'offered');
    assert.equal(of('smtp://localhost:1025'), 'offered');
    assert.equal(of('smtp://[::1]:1025'), 'offered');
    assert.equal(of('smtp://127.0.0.1.example.com'), 'demanded');
  });

  for (const text of [
    ...['', 'smtp.example.com', 'http://smtp.example.com', 'smtp://', 'smtp://user@host', 'smtp://:password@host'],
    ...['smtp://host/path', 'smtp://host#x', 'smtp://host?secure=false', 'smtps://host?starttls=optional'],
    ...['smtp://us%er:pw@host', 'smtp://host:99999'],
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseSmtpAddress(text), undefined));
  }
});

describe('who mails are from', () => {
  it('is an address, with a name or without', () => {
    assert.deepEqual(parseSender(' Causeway, Inc. <no-reply@Example.com> '), {
      ...{ name: 'Causeway, Inc.', address: 'no-reply@example.com', domain: 'example.com' },
    });
    assert.deepEqual(parseSender('no-reply@münchen.example'), {
      ...{ name: '', address: 'no-reply@münchen.example', domain: 'xn--mnchen-3ya.example' },
    });
  });

  for (const text of [
    '',
    'Causeway',
    'Causeway <nobody>',
    'a\r\nBcc: eve@example.com',
    'A <a@b.example> <c@d.example>',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseSender(text), undefined));
  }
});
