import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { raiseAccessVersion } from '../accounts/access-version.ts';
import { accountOf } from '../accounts/account.model.ts';
import { whyOver } from './session-admission.ts';

const at = new Date('2026-05-01T12:00:00.000Z');
const account = accountOf({});

void describe('a session', () => {
  it('goes on while its account is as it was, in rows of an earlier release too', () => {
    assert.equal(whyOver(account, {}), undefined);
    assert.equal(whyOver(account, { accountVersion: 1 }), undefined);
  });

  it('is over once its account ends sessions, and one that is begun after that, or moved, is not', () => {
    const changed = accountOf({ ...account, ...raiseAccessVersion(account, 'sessions', at) });
    assert.deepEqual([changed.accessVersion, changed.sessionsFrom], [2, 2]);
    for (const old of [{}, { accountVersion: 1 }]) assert.equal(whyOver(changed, old), 'revoked');
    assert.equal(whyOver(changed, { accountVersion: 2 }), undefined);
  });

  it('goes on where tokens alone are ended', () => {
    const changed = accountOf({ ...account, ...raiseAccessVersion({}, 'tokens', at) });
    assert.deepEqual([changed.accessVersion, changed.sessionsFrom], [2, 1]);
    assert.equal(whyOver(changed, { accountVersion: 1 }), undefined);
    const again = accountOf({ ...changed, ...raiseAccessVersion(changed, 'sessions', at) });
    assert.deepEqual([again.accessVersion, again.sessionsFrom], [3, 3]);
    assert.equal(whyOver(again, { accountVersion: 2 }), 'revoked');
  });

  it('is over while its account is disabled, however new it is', () => {
    assert.equal(whyOver({ ...account, disabledAt: at }, { accountVersion: 9 }), 'account-disabled');
  });
});
