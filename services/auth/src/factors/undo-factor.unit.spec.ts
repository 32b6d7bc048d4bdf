import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { FactorDocument } from './factor.model.ts';
import { keptBy } from './undo-factor.ts';

const at = (minute: number): Date => new Date(Date.UTC(2026, 0, 1, 0, minute));
const factor = (_id: string, more: Partial<FactorDocument> = {}): FactorDocument =>
  ({ _id, kind: 'passkey', status: 'active', createdAt: at(0), ...more }) as FactorDocument;
const codes = (codesAt?: Date) =>
  factor('codes', { kind: 'recovery-codes', ...(codesAt !== undefined && { codesAt }) });
const goneOf = (...[before, all]: Parameters<typeof keptBy>) => keptBy(before, all).gone.map(({ _id }) => _id);

describe('what an undoing leaves of second factors', () => {
  it('is what was there, and its recovery codes', () => {
    const all = [factor('old'), codes(at(1)), factor('new'), factor('begun', { status: 'pending' })];
    assert.deepEqual(goneOf({ factorIds: ['old'], codesAt: at(1) }, all), ['new', 'begun']);
    assert.equal(keptBy({ factorIds: ['old'] }, all).hasSecondFactor, true);
  });

  it('is without recovery codes that were made since, or that there were not', () => {
    assert.deepEqual(goneOf({ factorIds: ['old'], codesAt: at(1) }, [factor('old'), codes(at(2))]), ['codes']);
    assert.deepEqual(goneOf({ factorIds: ['old'] }, [factor('old'), codes(at(2))]), ['codes']);
    // Rows of an earlier release have no time of their own.
    assert.deepEqual(goneOf({ factorIds: ['old'], codesAt: at(0) }, [factor('old'), codes()]), []);
  });

  it('is nothing where nothing was there, whatever the codes are', () => {
    const all = [factor('new'), codes(at(1))];
    assert.deepEqual(goneOf({ factorIds: [], codesAt: at(1) }, all), ['new', 'codes']);
    assert.equal(keptBy({ factorIds: [] }, all).hasSecondFactor, false);
  });

  it('is never nothing where something was', () => {
    for (const all of [[], [factor('new')], [factor('old', { status: 'pending' })]])
      assert.throws(() => keptBy({ factorIds: ['old'] }, all), { code: 'sole-factor' });
  });
});
