import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { recordCreated } from '@causeway/contracts';

import { pastCallOf } from './past-calls.ts';
import type { PastEvent } from './read-log.ts';

const creationBy = (principal: object): string => {
  const after = { _id: 'rec_1', fields: {} };
  const event = { type: recordCreated.type, data: {}, ...principal };
  const call = pastCallOf(
    { event, change: { after, time: new Date(), eventId: 'e' } } as unknown as PastEvent,
    new Map(),
    [],
  );
  return typeof call === 'string' ? call : call.who;
};

describe('a call that was made', () => {
  it('is told from those of people who were erased, whom its event names no more', () => {
    assert.equal(creationBy({ authtype: 'app_user', authid: 'usr_1' }), 'usr_1');
    assert.equal(creationBy({ authtype: 'system' }), 'anonymous');
    assert.equal(creationBy({ authtype: 'app_user' }), 'unattributed');
  });
});
