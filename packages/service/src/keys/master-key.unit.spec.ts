import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createMasterKey } from './master-key.ts';

const secret = 'a master key of at least 32 characters';

describe('master key', () => {
  it('gives every replica the same key for a purpose, and each purpose its own', () => {
    assert.deepEqual(createMasterKey(secret, 'auth').derive('one'), createMasterKey(secret, 'auth').derive('one'));
    assert.notDeepEqual(createMasterKey(secret, 'auth').derive('one'), createMasterKey(secret, 'auth').derive('two'));
    assert.notDeepEqual(
      createMasterKey(secret, 'auth').derive('one'),
      createMasterKey(`${secret}!`, 'auth').derive('one'),
    );
    assert.notDeepEqual(createMasterKey(secret, 'auth').derive('one'), createMasterKey(secret, 'data').derive('one'));
    assert.equal(createMasterKey(secret, 'auth').derive('one').length, 32);
  });

  it('opens what it has sealed, at its place only', () => {
    const sealed = createMasterKey(secret, 'auth').vault('keys').seal('private', 'key-1');
    assert.equal(createMasterKey(secret, 'auth').vault('keys').open(sealed, 'key-1'), 'private');
    assert.throws(() => createMasterKey(secret, 'auth').vault('keys').open(sealed, 'key-2'));
    assert.throws(() => createMasterKey(secret, 'auth').vault('other').open(sealed, 'key-1'));
    assert.throws(() => createMasterKey(`${secret}!`, 'auth').vault('keys').open(sealed, 'key-1'));
  });

  it('never seals twice into the same bytes, nor leaves them readable', () => {
    const vault = createMasterKey(secret, 'auth').vault('keys');
    assert.notEqual(vault.seal('private', 'key-1'), vault.seal('private', 'key-1'));
    assert.ok(!Buffer.from(vault.seal('private', 'key-1'), 'base64').includes('private'));
  });

  it('notices every changed byte', () => {
    const vault = createMasterKey(secret, 'auth').vault('keys');
    const sealed = Buffer.from(vault.seal('private', 'key-1'), 'base64');
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert.throws(() => vault.open(changed.toString('base64'), 'key-1'), `byte ${at}`);
    }
  });
});
