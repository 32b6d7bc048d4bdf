import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { assuranceOf, authenticationOf, provenOnceMore } from './authentication.ts';

void describe('how surely somebody is who they say', () => {
  for (const [amr, acr] of [
    [[], 'aal1'],
    [['pwd'], 'aal1'],
    [['link'], 'aal1'],
    [['otp'], 'aal1'],
    [['recovery'], 'aal1'],
    // A passkey that has not verified who holds it is one proof.
    [['swk'], 'aal1'],
    [['hwk'], 'aal1'],
    [['pwd', 'user'], 'aal1'],
    [['swk', 'user'], 'aal2'],
    [['hwk', 'user'], 'aal2'],
    [['pwd', 'otp', 'mfa'], 'aal2'],
    [['link', 'recovery', 'mfa'], 'aal2'],
  ] as const) {
    it(`is ${acr} by ${amr.length === 0 ? 'nothing' : amr.join(' and ')}`, () => assert.equal(assuranceOf(amr), acr));
  }

  it('is what a session says, and by a password at its beginning where one of an earlier release does not', () => {
    const createdAt = new Date('2026-01-01T00:00:00.000Z');
    const authTime = new Date('2026-01-02T00:00:00.000Z');
    assert.deepEqual(authenticationOf({ createdAt }), { amr: ['pwd'], acr: 'aal1', authTime: createdAt });
    const given = { amr: ['swk', 'user'], acr: 'aal2', authTime } as const;
    assert.deepEqual(authenticationOf({ createdAt, ...given }), given);
  });
});

describe('a further proof', () => {
  for (const [before, proof, after] of [
    [['pwd'], ['pwd'], ['pwd']],
    [['pwd', 'otp', 'mfa'], ['pwd'], ['pwd']],
    // A password and a link are what one knows, and what one can have mailed: neither is a second factor.
    [['pwd'], ['link'], ['link']],
    [['link'], ['pwd'], ['pwd']],
    [['pwd', 'otp', 'mfa'], ['link'], ['link']],
    [['pwd'], ['otp'], ['pwd', 'otp', 'mfa']],
    [['link'], ['recovery'], ['link', 'recovery', 'mfa']],
    [['pwd', 'recovery', 'mfa'], ['otp'], ['pwd', 'otp', 'mfa']],
    [
      ['pwd', 'otp', 'mfa'],
      ['swk', 'user'],
      ['pwd', 'swk', 'user', 'mfa'],
    ],
    [
      ['swk', 'user'],
      ['swk', 'user'],
      ['swk', 'user'],
    ],
    [['swk', 'user'], ['otp'], ['swk', 'user', 'otp', 'mfa']],
  ] as const) {
    it(`${proof.join(' ')} after ${before.join(' ')} makes ${after.join(' ')}`, () => {
      assert.deepEqual(provenOnceMore(before, proof), after);
    });
  }
});
