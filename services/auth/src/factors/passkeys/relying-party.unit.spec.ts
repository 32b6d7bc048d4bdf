import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { checkPasskeySettings } from '../../settings/passkey-settings.ts';
import { relyingPartyOf } from './relying-party.ts';

const of = (publicUrl: string, more: { passkeyRpId?: string; passkeyOrigins?: string[] } = {}) => {
  const { id, origins } = relyingPartyOf({
    ...{ publicUrl, tokenIssuer: 'causeway', passkeyRpId: undefined, passkeyOrigins: [] },
    ...more,
  });
  return [id, ...origins];
};

describe('to whom passkeys belong', () => {
  it('is the host of the public URL, or what the settings say', () => {
    assert.deepEqual(of('https://auth.example.com/'), ['auth.example.com', 'https://auth.example.com']);
    const more = { passkeyRpId: 'example.com', passkeyOrigins: ['https://app.example.com'] };
    const both = ['https://auth.example.com', 'https://app.example.com'];
    assert.deepEqual(of('https://auth.example.com', more), ['example.com', ...both]);
  });

  it('is localhost where that is a loopback address, which is no domain', () => {
    const both = ['http://127.0.0.1:8080', 'http://localhost:8080'];
    assert.deepEqual(of('http://127.0.0.1:8080'), ['localhost', ...both]);
    assert.deepEqual(of('http://[::1]'), ['localhost', 'http://[::1]', 'http://localhost']);
    assert.deepEqual(of('http://localhost:8080'), ['localhost', 'http://localhost:8080']);
  });

  it('is a domain, used at origins', () => {
    const problems = (passkeyRpId: string | undefined, passkeyOrigins: string[] = []) =>
      checkPasskeySettings({ passkeyRpId, passkeyOrigins }).length;
    for (const domain of [undefined, 'localhost', 'example.com', 'a-b.example.com']) assert.equal(problems(domain), 0);
    for (const domain of ['', 'https://example.com', 'Example.com', '127.0.0.1', 'example.com:80', 'a..b']) {
      assert.equal(problems(domain), 1, domain);
    }
    assert.equal(problems(undefined, ['https://example.com', 'https://example.com:8443']), 0);
    for (const origin of ['example.com', 'https://example.com/', 'https://example.com/a', '*']) {
      assert.equal(problems(undefined, [origin]), 1, origin);
    }
  });
});
