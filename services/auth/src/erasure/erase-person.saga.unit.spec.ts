import {
  accountDeleted,
  erasureAdvanced,
  erasureCompleted,
  erasureRequested,
  erasureSettled,
  erasureStalled,
  erasureUnanswered,
  removalOf,
  services,
  tokensExpired,
} from '@causeway/contracts';
import type { DataOf, EventContract, EventData, ReadEvent } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { erasePerson } from './erase-person.saga.ts';
import type { Erasure } from './erase-person.saga.ts';

const accountId = 'usr_1';
const saga = erasePerson({ settleMs: 1_000, answerMs: 10_000 });
const event = <Data extends EventData>({ type }: EventContract<Data>, data: Data, time = '2026-01-01T00:00:00.000Z') =>
  ({ type, time, data }) as unknown as ReadEvent;
const completed = (service: string, time: string) =>
  event(removalOf(service).removalCompleted, { accountId, counts: { things: service.length } }, time);
const begun = (): Erasure => saga.decide(undefined, event(accountDeleted, { accountId }))?.state ?? assert.fail();

describe('the erasure of a person', () => {
  it('begins when the account is gone, and waits for tokens and answers', () => {
    const decision = saga.decide(undefined, event(accountDeleted, { accountId }));
    assert.deepEqual(decision?.state, {
      ...{ status: 'removing', accountId, requestedAt: '2026-01-01T00:00:00.000Z', services: {} },
    });
    assert.deepEqual([decision.event.contract, decision.event.data], [erasureRequested, { accountId }]);
    assert.deepEqual(decision.schedule, [
      { name: 'tokens', data: { accountId }, afterMs: 1_000 },
      { name: 'answers', data: { accountId }, afterMs: 11_000 },
    ]);
    assert.equal(saga.decide(decision.state, event(accountDeleted, { accountId })), undefined, 'once');
  });

  it('is gone over again when no token can be valid', () => {
    const decision = saga.decide(begun(), event(tokensExpired, { accountId }));
    assert.equal(decision?.event.contract, erasureSettled);
  });

  it('ends with the certificate when every service has answered, in whatever order', () => {
    const times = ['2026-01-01T00:07:00.000Z', '2026-01-01T00:09:00.000Z', '2026-01-01T00:08:00.000Z'];
    let state = begun();
    for (const [index, service] of [...services].reverse().entries()) {
      const decision = saga.decide(state, completed(service, times[index] ?? ''));
      assert.ok(decision);
      assert.equal(
        saga.decide(decision.state, completed(service, '2026-02-02T00:00:00.000Z')),
        undefined,
        'said twice',
      );
      state = decision.state;
      if (index < 2) {
        const missing = [...services].slice(0, 2 - index);
        assert.deepEqual(decision.event.data, { accountId, service, missing });
        assert.deepEqual([decision.event.contract, decision.ends], [erasureAdvanced, undefined]);
        continue;
      }
      assert.deepEqual([decision.event.contract, decision.ends], [erasureCompleted, true]);
      const data = decision.event.data as DataOf<typeof erasureCompleted>;
      assert.deepEqual(Object.keys(data.services).sort(), [...services].sort());
      assert.deepEqual(data.services.user, { completedAt: times[1], counts: { things: 4 } });
      assert.equal(data.requestedAt, '2026-01-01T00:00:00.000Z');
      // Eight days after the last answer.
      assert.equal(data.kafkaUntil, '2026-01-09T00:09:00.000Z');
      assert.ok(erasureCompleted.schema.safeParse(data).success);
    }
  });

  it('tells the date by which the last topic has dropped what it holds, as each service says', () => {
    const untils = ['2026-01-12T00:00:00.000Z', '2027-01-01T00:00:00.000Z', undefined];
    let state = begun();
    let certificate: unknown;
    for (const [index, service] of services.entries()) {
      const kafkaUntil = untils[index];
      const data = { accountId, counts: {}, ...(kafkaUntil !== undefined && { kafkaUntil }) };
      const decision = saga.decide(state, event(removalOf(service).removalCompleted, data));
      state = decision?.state ?? assert.fail();
      certificate = decision?.event.data;
    }
    assert.equal((certificate as DataOf<typeof erasureCompleted>).kafkaUntil, '2027-01-01T00:00:00.000Z');
  });

  it('says who is missing when the time is up, and goes on waiting', () => {
    let state = begun();
    for (const service of ['auth', 'user'])
      state = saga.decide(state, completed(service, '2026-01-01T00:07:00.000Z'))?.state ?? state;
    const stalled = saga.decide(state, event(erasureUnanswered, { accountId }));
    assert.deepEqual(
      [stalled?.event.contract, stalled?.event.data],
      [erasureStalled, { accountId, missing: ['data'] }],
    );
    assert.equal(stalled?.ends, undefined);
    const end = saga.decide(stalled?.state, completed('data', '2026-01-02T00:00:00.000Z'));
    assert.equal(end?.event.contract, erasureCompleted);
  });

  it('does not begin by an answer', () => {
    assert.equal(saga.decide(undefined, completed('user', '2026-01-01T00:00:00.000Z')), undefined);
  });
});
