import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { secondMethodsOf } from './second-methods.ts';

describe('second proofs of an account', () => {
  const used = { hash: 'one', usedAt: new Date() };

  it('are what it has, each once', () => {
    assert.deepEqual(secondMethodsOf([]), []);
    assert.deepEqual(secondMethodsOf([{ kind: 'passkey' }, { kind: 'totp' }, { kind: 'passkey' }]), [
      'passkey',
      'totp',
    ]);
  });

  it('are recovery codes only as long as there is one', () => {
    assert.deepEqual(secondMethodsOf([{ kind: 'recovery-codes', codes: [used, { hash: 'other' }] }]), [
      'recovery-codes',
    ]);
    for (const codes of [[], [used, used]])
      assert.deepEqual(secondMethodsOf([{ kind: 'totp' }, { kind: 'recovery-codes', codes }]), ['totp']);
  });
});
