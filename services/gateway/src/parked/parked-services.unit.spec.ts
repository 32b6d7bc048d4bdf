import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fault, type ServiceName } from '@causeway/contracts';

import { ServiceAway, type Question, type ServiceClient } from '../services/service-client.ts';
import { listParked, parkedIn, type ParkedAfter, type ParkedQuestion } from './parked-services.ts';

type Answer = { readonly status: number; readonly json: unknown } | 'away';

const row = (eventId: string) => ({
  ...{ handler: 'h', eventId, subject: 'note/1', sequence: '1', attempts: 1 },
  parkedAt: '2026-01-01T00:00:00.000Z',
});
const rows = (...ids: string[]): Answer => ({ status: 200, json: { items: ids.map(row) } });
const knowsNot: Answer = { status: 422, json: { code: 'unknown-handler', detail: 'It has h.' } };
const handlesNothing: Answer = { status: 404, json: { code: 'not-found' } };

const listed = async (
  answers: Readonly<Record<ServiceName, Answer>>,
  question: Partial<ParkedQuestion> = {},
  asked: Question[] = [],
) => {
  const client: ServiceClient = {
    ask(service, each) {
      asked.push(each);
      const answer = answers[service];
      return answer === 'away' ? Promise.reject(new ServiceAway(service, 'gone')) : Promise.resolve(answer);
    },
    position: () => undefined,
    close: () => Promise.resolve(),
  };
  const whole = { service: undefined, handler: undefined, eventId: undefined, after: undefined, limit: 10 };
  const found = await listParked(parkedIn(client), { ...whole, ...question }, { requestId: 'r' });
  return [found.items.map(({ service, eventId }) => `${service} ${eventId}`), found.unavailable];
};
const isUnknown = (detail: string) => (error: unknown) =>
  error instanceof Fault && error.code === 'unknown-handler' && error.status === 422 && error.detail === detail;

describe('the list of what is parked', () => {
  it('has what is parked in the others where one service is away, and names it', async () => {
    const answers = { auth: rows('1'), user: 'away', data: rows('2') } as const;
    assert.deepEqual(await listed(answers), [['auth 1', 'data 2'], ['user']]);
    assert.deepEqual(await listed(answers, { service: 'user' }), [[], ['user']]);
    const after: ParkedAfter = { service: 'user', ...row('9') };
    assert.deepEqual(await listed(answers, { after }), [['data 2'], ['user']]);
  });

  it('is of one event where that is asked for', async () => {
    const asked: Question[] = [];
    await listed({ auth: rows(), user: rows('1'), data: rows() }, { eventId: '1' }, asked);
    assert.deepEqual(
      asked.map(({ query }) => query?.eventId),
      ['1', '1', '1'],
    );
  });

  it('is refused for a handler that no service knows, and only then', async () => {
    const handler = 'nobody';
    const all = { auth: knowsNot, user: knowsNot, data: handlesNothing };
    await assert.rejects(
      listed(all, { handler }),
      isUnknown('auth: It has h. user: It has h. data: It handles no events.'),
    );
    await assert.rejects(listed(all, { handler, service: 'user' }), isUnknown('user: It has h.'));
    assert.deepEqual(await listed({ ...all, user: rows() }, { handler }), [[], []], 'it has nothing parked');
    assert.deepEqual(await listed({ ...all, user: 'away' }, { handler }), [[], ['user']], 'nobody can tell');
  });
});
