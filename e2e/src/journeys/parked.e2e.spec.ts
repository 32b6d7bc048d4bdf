import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { newEventId, newId } from '@causeway/contracts';
import { type Answer, call } from '../harness/client.ts';
import { eventually } from '../harness/eventually.ts';
import { expectProblem, expectStatus } from '../harness/expectations.ts';
import { accountEvent, publishAsAuth } from '../harness/foreign-events.ts';
import { admin, signUp } from '../harness/people.ts';

interface Parked {
  readonly id: string;
  readonly service: string;
  readonly handler: string;
  readonly eventId: string;
  readonly subject: string;
  readonly attempts: number;
  readonly error?: string;
}

interface Redrive {
  readonly id: string;
  readonly status: string;
  readonly redriven: number;
  readonly failed: number;
}

describe('parked events', () => {
  const account = newId('usr');
  const wrong = accountEvent(account, 1, { accountId: 7 });
  const right = accountEvent(account, 2, {
    accountId: account,
    email: `${account.toLowerCase()}@example.com`,
    emailVerified: false,
    roles: ['member'],
  });
  let token: string;

  const list = async (
    query: Readonly<Record<string, string>> = {},
  ): Promise<{ items: Parked[]; nextCursor: string | null }> =>
    expectStatus(await call('GET', '/v1/parked', { token, query }), 200).json();
  const own = async (): Promise<Parked[]> => {
    const { items } = await list({ service: 'user', limit: '200' });
    return items.filter(({ subject }) => subject === `account/${account}`);
  };
  const act = (what: string, { id }: Pick<Parked, 'id'>, json: unknown): Promise<Answer> =>
    call('POST', `/v1/parked/${id}/${what}`, { token, json });

  before(async () => {
    token = await admin();
    await publishAsAuth([wrong, right]);
    await eventually(async () => assert.equal((await own()).length, 2));
  });

  it('are listed in order, page by page, to administrators alone', async () => {
    const [first, second] = await own();
    assert.deepEqual(
      [first?.eventId, first?.handler, first?.attempts, second?.eventId, second?.attempts],
      [wrong.id, 'create-profile', 1, right.id, 0],
    );
    assert.match(first?.error ?? '', /^ContractViolation: /);
    // Handlers of other services park the same events, in their own time.
    await eventually(async () => {
      const ids: string[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const page = await list({ limit: '1', ...(cursor !== '' && { cursor }) });
        ids.push(...page.items.map(({ id }) => id));
        cursor = page.nextCursor;
      }
      assert.deepEqual(
        ids,
        (await list({ limit: '200' })).items.map(({ id }) => id),
      );
    });
    const { accessToken } = await signUp();
    await expectProblem(await call('GET', '/v1/parked', { token: accessToken }), 403, 'forbidden');
    await expectProblem(await call('GET', '/v1/parked', {}), 401, 'unauthenticated');
    await expectProblem(await call('GET', '/v1/parked', { token, query: { cursor: 'x' } }), 400, 'invalid-request');
  });

  it('fail again where nothing has changed, and can be given up; what is behind them then has its effect', async () => {
    const [first, second] = await own();
    assert.ok(first && second);
    const extent = expectStatus(await act('redrive', first, { dryRun: true }), 200).json();
    assert.deepEqual(extent, { dryRun: true, events: 2, subjects: 1 });
    const ended = async (answer: Answer): Promise<Redrive> => {
      const location = expectStatus(answer, 202).headers.location ?? '';
      assert.equal(answer.events.length, 1);
      return eventually(async () => {
        const redrive = expectStatus(await call('GET', location, { token }), 200).json<Redrive>();
        assert.equal(redrive.status, 'ended');
        return redrive;
      });
    };
    const vain = await ended(await act('redrive', first, {}));
    assert.deepEqual([vain.redriven, vain.failed], [0, 1]);
    await expectProblem(await act('discard', first, { reason: '' }), 400, 'invalid-request');
    const discarded = expectStatus(await act('discard', first, { reason: 'No such producer.' }), 200);
    await expectProblem(await act('discard', first, { reason: 'No such producer.' }), 409, 'not-parked');
    const event = expectStatus(await call('GET', `/v1/events/${discarded.events[0] ?? ''}`, { token }), 200);
    assert.equal(event.json<{ data: { reason: string } }>().data.reason, 'No such producer.');
    const done = await ended(await act('redrive', second, { scope: 'event' }));
    assert.deepEqual([done.redriven, done.failed], [1, 0]);
    await expectProblem(await act('redrive', second, {}), 409, 'not-parked');
    const profile = await call('GET', `/v1/users/${account}`, { token });
    assert.equal(expectStatus(profile, 200).json().id, account);
    assert.deepEqual(await own(), []);
  });

  it('are parked by each handler for itself', async () => {
    const inAudit = async (): Promise<Parked[]> =>
      (await list({ service: 'auth', handler: 'append-audit', limit: '200' })).items.filter(
        ({ subject }) => subject === `account/${account}`,
      );
    const [first, second] = await eventually(async () => {
      const found = await inAudit();
      assert.deepEqual(
        found.map(({ eventId }) => eventId),
        [wrong.id, right.id],
      );
      return found;
    });
    for (const each of [first, second]) {
      expectStatus(await act('discard', each ?? assert.fail(), { reason: 'Nobody did it.' }), 200);
    }
    assert.deepEqual(await inAudit(), []);
  });

  it('are not found under ids that name none', async () => {
    await expectProblem(await act('redrive', { id: 'nonsense' }, {}), 404, 'not-found');
    const id = Buffer.from(JSON.stringify(['data', 'x', newEventId()])).toString('base64url');
    await expectProblem(await act('discard', { id }, { reason: 'None.' }), 404, 'not-found');
    await expectProblem(await call('GET', '/v1/redrives/rdr_none', { token }), 404, 'not-found');
  });
});
