import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { type Answer, call } from '../harness/client.ts';
import { eventually } from '../harness/eventually.ts';
import { expectProblem, expectStatus } from '../harness/expectations.ts';
import { forgetHandled } from '../harness/forget-handled.ts';
import { admin, signUp, type Person } from '../harness/people.ts';

interface Replay {
  readonly id: string;
  readonly service: string;
  readonly handlers: readonly string[];
  readonly status: string;
  readonly events: number;
  readonly seen: number;
  readonly done: number;
  readonly skipped: number;
  readonly failed: number;
}

const handler = 'create-profile';

describe('replays', () => {
  let token: string;
  const replay = (json: Readonly<Record<string, unknown>>, of = token): Promise<Answer> =>
    call('POST', '/v1/replays', { token: of, json: { service: 'user', handler, ...json } });
  const ended = async (answer: Answer): Promise<Replay> => {
    const location = expectStatus(answer, 202).headers.location ?? '';
    assert.equal(answer.events.length, 1);
    return eventually(async () => {
      const found = expectStatus(await call('GET', location, { token }), 200).json<Replay>();
      assert.equal(found.status, 'ended');
      return found;
    });
  };
  const statusOf = async (eventId: string): Promise<string | undefined> => {
    const effects = expectStatus(await call('GET', `/v1/events/${eventId}/effects`, { token }), 200).json<{
      handlers: { handler: string; status: string }[];
    }>();
    return effects.handlers.find((each) => each.handler === handler)?.status;
  };
  /** Somebody whose account's event the service has forgotten. */
  const forgotten = async (): Promise<{ readonly person: Person; readonly event: string; readonly since: string }> => {
    const since = new Date().toISOString();
    const person = await signUp();
    const event = await eventually(async () => {
      for (const id of person.events) if ((await statusOf(id)) === 'done') return id;
      throw new Error('no account has its profile yet');
    });
    assert.equal(await forgetHandled('user', handler, event), true);
    assert.equal(await statusOf(event), 'pending');
    return { person, event, since };
  };

  before(async () => {
    token = await admin();
  });

  it('bring an event to a handler that it has not come to, and nothing to one that has had it', async () => {
    const { event, since } = await forgotten();
    const first = await eventually(async () => {
      // What the service has taken in, it commits a moment later.
      const extent = expectStatus(await replay({ since, dryRun: true }), 200).json<{ events: number }>();
      assert.ok(extent.events > 0);
      assert.equal(await statusOf(event), 'pending', 'a dry run does nothing');
      const end = await ended(await replay({ since, ratePerSecond: 500 }));
      assert.equal(end.done, 1);
      return end;
    });
    assert.deepEqual([first.service, first.handlers, first.failed], ['user', [handler], 0]);
    assert.equal(first.seen, first.events);
    assert.equal(await statusOf(event), 'done');
    const second = await ended(await replay({ since }));
    assert.deepEqual([second.done, second.failed], [0, 0]);
    assert.ok(second.skipped >= 1);
  });

  it('can be stopped, once', async () => {
    const { since } = await forgotten();
    const location = expectStatus(await replay({ since, ratePerSecond: 1 }), 202).headers.location ?? '';
    const stop = (of = token) => call('DELETE', location, { token: of });
    const { accessToken } = await signUp();
    await expectProblem(await stop(accessToken), 403, 'forbidden');
    const answer = await stop();
    // One that had little to do may have ended by itself.
    if (answer.status === 409) await expectProblem(answer, 409, 'replay-ended');
    else assert.equal(expectStatus(answer, 202).json<{ stopped?: boolean }>().stopped, true);
    await eventually(async () => {
      const found = expectStatus(await call('GET', location, { token }), 200).json<Replay>();
      assert.equal(found.status, 'ended');
    });
    await expectProblem(await stop(), 409, 'replay-ended');
    await expectProblem(await call('DELETE', '/v1/replays/rpl_none', { token }), 404, 'not-found');
  });

  it('are refused where they cannot be meant, and to all but administrators', async () => {
    const since = new Date(Date.now() - 60_000).toISOString();
    const future = await replay({ since: new Date(Date.now() + 3_600_000).toISOString() });
    const problem = await expectProblem(future, 400, 'invalid-request');
    assert.deepEqual(
      problem.errors?.map(({ pointer }) => pointer),
      ['/since'],
    );
    for (const wrong of [{ since: 'yesterday' }, { since, ratePerSecond: 0 }, { since, service: 'mail' }, {}])
      await expectProblem(await replay(wrong), 400, 'invalid-request');
    const unknown = await expectProblem(await replay({ since, handler: 'nobody' }), 422, 'unknown-handler');
    assert.match(unknown.detail ?? '', /create-profile/);
    const { accessToken } = await signUp();
    await expectProblem(await replay({ since }, accessToken), 403, 'forbidden');
    await expectProblem(await call('GET', '/v1/replays/rpl_none', { token }), 404, 'not-found');
    await expectProblem(await call('GET', '/v1/replays/rpl_none', { token: accessToken }), 403, 'forbidden');
  });

  it('of a read model need one', async () => {
    const rebuild = (json: unknown, of = token) => call('POST', '/v1/rebuilds', { token: of, json });
    await expectProblem(await rebuild({ service: 'user', handler }), 422, 'no-projection');
    await expectProblem(await rebuild({ service: 'user', handler: 'nobody' }), 422, 'unknown-handler');
    await expectProblem(await rebuild({ service: 'user' }), 400, 'invalid-request');
    for (const what of ['swap', 'drop'])
      await expectProblem(await call('POST', `/v1/rebuilds/rbd_none/${what}`, { token }), 404, 'not-found');
    await expectProblem(await call('GET', '/v1/rebuilds/rbd_none', { token }), 404, 'not-found');
    const { accessToken } = await signUp();
    await expectProblem(await rebuild({ service: 'user', handler }, accessToken), 403, 'forbidden');
  });
});
