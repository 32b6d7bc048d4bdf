import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { faultOfAuthentication, type RecentAuthentication } from './recent-authentication.ts';

const nowMs = Date.UTC(2030, 0, 1);
const maxAgeMs = 900_000;
const secondsAgo = (seconds: number): number => nowMs / 1000 - seconds;

const judge = (
  claims: { readonly acr?: string; readonly authTime?: number },
  acr?: RecentAuthentication['acr'],
  hasSecondFactor = false,
) => faultOfAuthentication(claims, { maxAgeMs, ...(acr !== undefined && { acr }) }, { nowMs, hasSecondFactor });

describe('a recent authentication', () => {
  for (const [what, authTime, enough] of [
    ['just now', secondsAgo(0), true],
    ['15 minutes ago', secondsAgo(900), true],
    ['15 minutes and a second ago', secondsAgo(901), false],
    ['at a time that is not said', undefined, false],
    ['in a moment, by a clock that is a little ahead', secondsAgo(-5), true],
    ['in an hour', secondsAgo(-3_600), false],
    ['at the beginning', 0, false],
    ['at no time', Number.NaN, false],
  ] as const) {
    it(`is ${enough ? '' : 'not '}one that was ${what}`, () => {
      const fault = judge({ acr: 'aal1', ...(authTime !== undefined && { authTime }) });
      assert.equal(fault?.code, enough ? undefined : 'insufficient-authentication');
    });
  }

  for (const [acr, asked, hasSecondFactor, enough] of [
    ['aal1', undefined, true, true],
    [undefined, undefined, false, true],
    ['aal1', 'aal2', false, false],
    ['aal1', 'aal2', true, false],
    [undefined, 'aal2', false, false],
    ['aal2', 'aal2', false, true],
    ['aal3', 'aal2', false, false],
    ['AAL2', 'aal2', false, false],
    ['aal1', 'enrolled', false, true],
    ['aal1', 'enrolled', true, false],
    [undefined, 'enrolled', true, false],
    ['aal2', 'enrolled', true, true],
    ['aal2', 'enrolled', false, true],
  ] as const) {
    const words = `${acr ?? 'none'} where ${asked ?? 'any'} is asked for, ${hasSecondFactor ? 'with' : 'without'} a second factor`;
    it(`${words}, is ${enough ? '' : 'not '}enough`, () => {
      const recent = { authTime: secondsAgo(60), ...(acr !== undefined && { acr }) };
      assert.equal(judge(recent, asked, hasSecondFactor) === undefined, enough);
      // However surely, it must also be recent.
      assert.notEqual(judge({ ...recent, authTime: secondsAgo(901) }, asked, hasSecondFactor), undefined);
    });
  }

  it('is asked for as RFC 9470 has it', () => {
    assert.equal(
      judge({ acr: 'aal1', authTime: secondsAgo(901) })?.headers['WWW-Authenticate'],
      'Bearer error="insufficient_user_authentication", error_description="A more recent authentication is required", max_age="900"',
    );
    assert.equal(
      judge({ acr: 'aal1', authTime: secondsAgo(0) }, 'aal2')?.headers['WWW-Authenticate'],
      'Bearer error="insufficient_user_authentication", error_description="A second factor is required", max_age="900", acr_values="aal2"',
    );
  });
});
