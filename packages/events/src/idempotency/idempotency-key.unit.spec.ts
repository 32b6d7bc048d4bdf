import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Fault } from '@causeway/contracts';

import { parseIdempotencyKey } from './idempotency-key.ts';

describe('Idempotency-Key', () => {
  it('is 1 to 255 characters', () => {
    assert.equal(parseIdempotencyKey(undefined), undefined);
    for (const key of ['a', 'x'.repeat(255), '8e03978e-40d5-43e8-bc93-6894a57f9324', '"quoted"', 'line 7 of it']) {
      assert.equal(parseIdempotencyKey(key), key);
    }
  });

  it('is refused where it is anything else', () => {
    for (const key of ['', ' ', 'x'.repeat(256), 'Schlüssel', 'a\tb', ['a', 'b']]) {
      assert.throws(
        () => parseIdempotencyKey(key),
        (error) => error instanceof Fault && error.status === 400 && error.errors[0]?.parameter === 'Idempotency-Key',
        JSON.stringify(key),
      );
    }
  });
});
