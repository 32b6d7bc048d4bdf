import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createForgetMails } from './forget-mails.ts';

const cause = { correlationId: 'c', principal: { type: 'system' } } as const;
const now = () => new Date('2026-02-01T00:00:00Z');

void describe('mails that are over', () => {
  it('are forgotten after a month, and after a day where nobody had the address, and with what the log says of them', async () => {
    let left = Array.from({ length: 25 }, (_each, index) => `mal_${index}`);
    let ofNobody = ['mal_25', 'mal_26'];
    const times: [ofNobody?: Date, all?: Date] = [];
    const steps: string[] = [];
    const note = (what: string) => (ids: readonly string[]) => {
      steps.push(...ids.map((id) => `${what} ${id}`));
      return Promise.resolve();
    };
    const forget = createForgetMails({
      redaction: {
        published: () => Promise.resolve(void steps.push('published')),
        ofForgotten(subjects, { keep }) {
          assert.deepEqual(keep, ['auth.mail.deleted']);
          steps.push(...subjects.map((subject) => `redacted ${subject}`));
          return Promise.resolve(subjects.filter((subject) => subject !== 'mail/mal_3'));
        },
      },
      mails: {
        delete(_cause: unknown, id: string) {
          steps.push(`deleted ${id}`);
          left = left.filter((each) => each !== id);
          ofNobody = ofNobody.filter((each) => each !== id);
          return Promise.resolve(undefined);
        },
      },
      mailbox: { forget: note('emptied') },
      leases: { forget: note('given back') },
      mailQueries: {
        idsOf: () => Promise.resolve([]),
        idsOfLinks: () => Promise.resolve([]),
        endedOfNobodyBefore(time, limit) {
          times[0] ??= time;
          return Promise.resolve(ofNobody.slice(0, limit));
        },
        endedBefore(time, limit, but = []) {
          times[1] ??= time;
          return Promise.resolve(left.filter((id) => !but.includes(id)).slice(0, limit));
        },
      },
      now,
    });
    assert.equal(await forget(cause, AbortSignal.abort()), 0);
    assert.equal(await forget(cause, new AbortController().signal), 26);
    assert.deepEqual([left, ofNobody], [['mal_3'], []], 'one of which an event is parked stays');
    assert.deepEqual(times, [new Date('2026-01-31T00:00:00Z'), new Date('2026-01-02T00:00:00Z')]);
    const ofOne = steps.filter((step) => step.endsWith('mal_25'));
    assert.deepEqual(ofOne, [
      'redacted mail/mal_25',
      'emptied mal_25',
      'given back mal_25',
      'deleted mal_25',
      'emptied mal_25',
    ]);
  });
});
