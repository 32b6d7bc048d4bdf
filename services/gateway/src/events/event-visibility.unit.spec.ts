import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { EventEnvelope } from '@causeway/contracts';
import type { AccessClaims } from '@causeway/service';

import { showEffects, showEvent } from './event-visibility.ts';

const member = { sub: 'usr_1', roles: ['member'] } as unknown as AccessClaims;
const admin = { sub: 'usr_2', roles: ['admin'] } as unknown as AccessClaims;

const event = (data: unknown) => ({ id: '1', authtype: 'app_user', authid: 'usr_1', data }) as EventEnvelope;
const fields = { title: 'x', salary: 5, contact: { phone: '1', email: 'a' }, 'a.b': 1, tags: [{ phone: '1' }] };
const updated = {
  recordId: 'rec_1',
  fields,
  before: { ...fields, salary: 4 },
  guarded: ['salary', 'contact.phone', 'tags.phone', 'none.at.all', '__proto__.x'],
};

describe('what somebody sees of an event', () => {
  it('leaves out the fields that were guarded, before and after, and that they were', () => {
    const kept = { title: 'x', contact: { email: 'a' }, 'a.b': 1, tags: [{ phone: '1' }] };
    assert.deepEqual(showEvent(event(updated), member).data, { recordId: 'rec_1', fields: kept, before: kept });
  });

  it('shows administrators all of it', () => {
    assert.deepEqual(showEvent(event(updated), admin).data, updated);
  });

  it('leaves other data as it is', () => {
    for (const data of [{ fields }, { redactedAt: 'x' }, null, 'text', { guarded: 'salary', fields }]) {
      assert.deepEqual(showEvent(event(data), member).data, data);
    }
    // A created record has nothing before.
    assert.deepEqual(showEvent(event({ fields, guarded: ['salary'] }), member).data, {
      fields: { title: 'x', contact: fields.contact, 'a.b': 1, tags: fields.tags },
    });
  });

  it('goes through all that an event has caused', () => {
    const leaf = { event: event(updated), handlers: [], caused: [], complete: true };
    const tree = { ...leaf, event: event({}), caused: [{ ...leaf, caused: [leaf] }] };
    assert.equal(JSON.stringify(showEffects(tree, member)).includes('salary'), false);
    assert.deepEqual(showEffects(tree, admin), tree);
  });
});
