import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ByteFinder } from './byte-finder.ts';
import { writtenOtherwise } from './written-otherwise.ts';

const secret = 'pässword "with" a + and / in it?';
const finder = new ByteFinder(writtenOtherwise({ text: secret, what: 'it' }));

describe('a secret', () => {
  const forms: Record<string, (text: string) => string> = {
    'as it is': (text) => text,
    'in JSON': (text) => JSON.stringify({ text }),
    'in an address': (text) => `/account?password=${encodeURIComponent(text)}`,
    'in a form': (text) => new URLSearchParams({ text }).toString().replaceAll('%7E', '~'),
    'in base64': (text) => Buffer.from(text).toString('base64'),
    'in base64url': (text) => Buffer.from(text).toString('base64url'),
  };
  for (const [where, write] of Object.entries(forms)) {
    it(`is found ${where}`, () => assert.notDeepEqual(finder.find(Buffer.from(`… ${write(secret)} …`)), []));
  }
  for (const before of ['', '{', '{"', '{"a', 'four']) {
    it(`is found in base64 after ${before.length} other bytes`, () => {
      for (const encoding of ['base64', 'base64url'] as const) {
        const text = Buffer.from(`${before}${secret}, and what follows`).toString(encoding);
        assert.notDeepEqual(finder.find(Buffer.from(text)), []);
      }
    });
  }
  it('is not found where another is', () => {
    for (const write of Object.values(forms))
      assert.deepEqual(finder.find(Buffer.from(write(`${secret}!`.slice(4)))), []);
  });
});
