import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { newEventId } from '@causeway/contracts';
import type { EventEnvelope } from '@causeway/contracts';

import { activityInWords } from '../pages/activity-words.ts';
import { actOf } from './audit-entry.ts';

const whose = { factorId: 'fac_1', accountId: 'usr_1', sessionId: 'ses_1' };
const event = (type: string, data: object): EventEnvelope =>
  ({
    ...{ id: newEventId(), type, source: '/causeway/auth', subject: 'factor/fac_1', sequence: '1' },
    ...{ time: '2026-01-31T09:15:00.000Z', correlationid: 'c', authtype: 'app_user', authid: 'usr_1' },
    data,
  }) as unknown as EventEnvelope;

describe('what the audit keeps of second factors, and their owner reads', () => {
  for (const [type, data, outcome, words] of [
    ['auth.factor.added', { ...whose, kind: 'passkey', status: 'active' }, 'done', 'Added a passkey'],
    ['auth.factor.updated', { ...whose, kind: 'totp', changed: ['status'] }, 'done', 'Turned on an authenticator app'],
    [
      'auth.factor.updated',
      { ...whose, kind: 'recovery-codes', changed: ['codes'], cameWith: 'fac_2' },
      'done',
      'Made new recovery codes',
    ],
    [
      'auth.factor.updated',
      { ...whose, kind: 'passkey', changed: ['suspected'] },
      'refused',
      'A passkey was refused: somebody may have a copy of it',
    ],
    ['auth.factor.removed', { ...whose, kind: 'passkey', reason: 'owner' }, 'done', 'Removed a passkey'],
    ['auth.factor.removed', { ...whose, kind: 'passkey', reason: 'undone' }, 'done', 'Took back a passkey'],
    [
      'auth.factor.removed',
      { ...whose, kind: 'passkey', reason: 'administrator' },
      'done',
      'An administrator removed a passkey',
    ],
    [
      'auth.proof.used',
      { proofId: 'prf_1', kind: 'undo-factor', accountId: 'usr_1' },
      'done',
      'A mailed link was used to take a second factor back',
    ],
  ] as const)
    it(`is ${outcome}: ${words}`, () => {
      const act = actOf(event(type, data));
      assert.deepEqual([act.outcome, act.accountId, act.personal], [outcome, 'usr_1', undefined]);
      assert.deepEqual(act.facts, data);
      assert.equal(activityInWords(act), words);
    });
});
