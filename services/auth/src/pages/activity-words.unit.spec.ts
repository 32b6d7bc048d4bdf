import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { auditedEvents } from '../audit/audited-events.ts';
import { activityInWords } from './activity-words.ts';

/** Of no account, or told when it is gone. */
const ofNobodys = [
  'keyring',
  'audit',
  'redrive',
  'discard',
  'replay',
  'rebuild',
  'erasure.stalled',
  'erasure.completed',
];

describe('activityInWords', () => {
  for (const [type, facts, words] of [
    ['auth.session.started', { method: 'password' }, 'Signed in with the password'],
    ['auth.session.started', { method: 'something-new' }, 'Signed in'],
    ['auth.session.ended', { reason: 'refresh-reused' }, 'A session ended: somebody used a copy of it'],
    ['auth.session.ended', {}, 'A session was ended'],
    ['auth.account.updated', { changed: ['emailVerified'] }, 'The e-mail address was verified'],
    ['auth.account.updated', { changed: ['disabled'], disabled: true }, 'The account was disabled'],
    ['auth.account.updated', { changed: ['disabled'], disabled: false }, 'The account was enabled again'],
    ['auth.account.updated', { changed: ['constructor'] }, 'The account was changed'],
    ['auth.proof.used', { kind: 'verify-email' }, 'A mailed link was used to verify the e-mail address'],
    ['auth.proof.used', { kind: 'toString' }, 'A mailed link was used'],
    ['auth.factor.added', { kind: 'totp', status: 'pending' }, 'Began to add an authenticator app'],
    ['auth.factor.updated', { kind: 'totp', changed: ['status'] }, 'Turned on an authenticator app'],
    ['auth.factor.updated', { kind: 'recovery-codes', changed: ['codes'] }, 'Made new recovery codes'],
    [
      'auth.factor.updated',
      { kind: 'passkey', changed: ['suspected'] },
      'A passkey was refused: somebody may have a copy of it',
    ],
    ['auth.factor.removed', { kind: 'passkey', reason: 'undone' }, 'Took back a passkey'],
    ['auth.factor.used', { kind: 'totp' }, 'Proved who it is with an authenticator app'],
    ['auth.guard.failed', { count: 1 }, '1 attempt to sign in failed'],
    ['auth.guard.failed', { count: 12 }, '12 attempts to sign in failed'],
    ['auth.something.new', {}, 'auth.something.new'],
  ] as const) {
    it(`says “${words}” of ${type} ${JSON.stringify(facts)}`, () => {
      assert.equal(activityInWords({ type, facts }), words);
    });
  }

  it('has words for everything that is kept of an account', () => {
    const types = auditedEvents.map(({ contract }) => contract.type);
    const wordless = types.filter((type) => activityInWords({ type, facts: {} }) === type);
    assert.deepEqual(
      wordless.filter((type) => !ofNobodys.some((thing) => type.includes(`.${thing}`))),
      [],
    );
  });
});
