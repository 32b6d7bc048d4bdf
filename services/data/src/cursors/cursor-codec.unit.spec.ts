import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';

import { Fault } from '@causeway/contracts';

import { createCursorCodec } from './cursor-codec.ts';

describe('a cursor', () => {
  const codec = createCursorCodec(randomBytes(32));
  const binding = {
    collectionId: 'col_1',
    query: ['list', '{"a":1}', '-score', undefined],
    principal: 'app_user:usr_1',
  };
  const at = { parameter: 'cursor' };
  const place = [null, 1.5, 'ä', true];
  const refused = (status: number, code?: string) => (error: unknown) =>
    error instanceof Fault && error.status === status && error.errors[0]?.code === code;

  it('gives back its place', () => {
    assert.deepEqual(codec(binding).decode(codec(binding).encode(place), at), place);
  });

  it('is good for nothing else', () => {
    const cursor = codec(binding).encode(place);
    const decode = (more: Partial<typeof binding>) => () => codec({ ...binding, ...more }).decode(cursor, at);
    assert.throws(decode({ collectionId: 'col_2' }), refused(400, 'other-query'));
    assert.throws(decode({ query: ['list'] }), refused(400, 'other-query'));
    assert.throws(decode({ principal: 'app_user:usr_2' }), refused(404));
    // Whose it is comes first: what is another person's is not there.
    assert.throws(decode({ principal: 'anonymous', query: [] }), refused(404));
  });

  it('is refused with any bit changed, and under another secret', () => {
    const bytes = Buffer.from(codec(binding).encode(place), 'base64url');
    for (let index = 0; index < bytes.length; index += 1) {
      const forged = Buffer.from(bytes);
      forged[index] = (forged[index] ?? 0) ^ 1;
      assert.throws(() => codec(binding).decode(forged.toString('base64url'), at), refused(400, 'invalid-cursor'));
    }
    const elsewhere = createCursorCodec(randomBytes(32));
    assert.throws(() => elsewhere(binding).decode(bytes.toString('base64url'), at), refused(400, 'invalid-cursor'));
    for (const text of ['', 'x', 'A'.repeat(60), 'A'.repeat(5_000), '../../etc']) {
      assert.throws(() => codec(binding).decode(text, at), refused(400, 'invalid-cursor'));
    }
  });
});
