import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { call } from '../harness/client.ts';
import { eventually } from '../harness/eventually.ts';
import { expectProblem, expectStatus } from '../harness/expectations.ts';
import { admin, profileOf, signUp } from '../harness/people.ts';
import { addressOf } from '../harness/platform.ts';
import { startSubscriber, type Subscriber } from '../harness/subscriber.ts';

interface CloudEvent {
  readonly specversion: string;
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly subject: string;
  readonly sequence: string;
  readonly correlationid: string;
  readonly causationid?: string;
  readonly authtype: string;
  readonly authid?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

interface Effects {
  readonly event: CloudEvent;
  readonly handlers: readonly { service: string; handler: string; status: string; attempts: number; error?: string }[];
  readonly caused: readonly Effects[];
  readonly complete: boolean;
}

describe('events and effects', () => {
  let subscriber: Subscriber;
  let administrator: string;

  before(async () => {
    subscriber = startSubscriber(addressOf('kafka'), ['causeway.auth', 'causeway.user']);
    administrator = await admin();
  });
  after(() => subscriber.stop());

  /** The account's event among those of a sign-up. */
  async function accountEventOf(events: readonly string[], token: string): Promise<CloudEvent> {
    const found = await Promise.all(events.map((id) => call('GET', `/v1/events/${id}`, { token })));
    const event = found.map((each) => each.json<CloudEvent>()).find((each) => each.type === 'auth.account.created');
    assert.ok(event, found.map((each) => each.text).join('\n'));
    return event;
  }

  it('of a sign-up lead from the request to the profile, and are complete', async () => {
    const person = await signUp({ name: 'Ada' });
    const event = await accountEventOf(person.events, person.accessToken);
    assert.equal(event.specversion, '1.0');
    assert.equal(event.source, '/causeway/auth');
    assert.equal(event.subject, `account/${person.id}`);
    assert.equal(Number(event.sequence), 1);
    const answer = await call('GET', `/v1/events/${event.id}/effects`, {
      token: person.accessToken,
      query: { wait: '10s' },
    });
    const effects = expectStatus(answer, 200).json<Effects>();
    assert.equal(effects.complete, true, answer.text);
    const handler = effects.handlers.find((each) => each.service === 'user' && each.handler === 'create-profile');
    assert.equal(handler?.status, 'done', answer.text);
    const caused = effects.caused.find((each) => each.event.type === 'user.profile.created');
    assert.ok(caused, answer.text);
    assert.equal(caused.event.subject, `profile/${person.id}`);
    assert.equal(caused.event.causationid, event.id);
    assert.equal(caused.event.correlationid, event.correlationid);
    // Whoever was told of the effect reads it, in the service that made it, whichever replica answers.
    const after = answer.headers['causeway-position'] ?? '';
    const profile = await call('GET', `/v1/users/${person.id}`, {
      token: person.accessToken,
      headers: { 'causeway-after': after },
    });
    assert.equal(expectStatus(profile, 200).json().name, 'Ada');
    await subscriber.sees([...person.events, caused.event.id]);
  });

  it('are found by the request that they go back to', async () => {
    const person = await signUp();
    const { correlationid, id } = await accountEventOf(person.events, person.accessToken);
    const options = { token: administrator, query: { correlationId: correlationid } };
    const list = await eventually(async () => {
      const { items } = expectStatus(await call('GET', '/v1/events', options), 200).json<{ items: CloudEvent[] }>();
      assert.equal(items.length, person.events.length + 4, 'the events of the profile and the mail have not come yet');
      return items;
    });
    assert.deepEqual(list.map((each) => each.type).sort(), [
      'auth.account.created',
      ...['auth.mail.queued', 'auth.mail.sent', 'auth.proof.requested'],
      'auth.session.started',
      'user.profile.created',
    ]);
    assert.ok(list.some((each) => each.id === id));
    assert.ok(list.every((each) => each.correlationid === correlationid));
  });

  it('are for administrators and whoever caused them', async () => {
    const [one, other] = await Promise.all([signUp(), signUp()]);
    const event = await accountEventOf(one.events, one.accessToken);
    for (const path of [`/v1/events/${event.id}`, `/v1/events/${event.id}/effects`]) {
      expectStatus(await call('GET', path, { token: administrator }), 200);
      await expectProblem(await call('GET', path, { token: other.accessToken }), 404, 'not-found');
      await expectProblem(await call('GET', path), 401, 'unauthenticated');
    }
    const strangers = await call('GET', '/v1/events', {
      token: other.accessToken,
      query: { correlationId: event.correlationid },
    });
    assert.deepEqual(expectStatus(strangers, 200).json<{ items: unknown[] }>().items, []);
  });

  it('hold no secret', async () => {
    const person = await signUp();
    for (const id of person.events) {
      const { text } = expectStatus(await call('GET', `/v1/events/${id}`, { token: administrator }), 200);
      for (const secret of [person.password, person.accessToken, person.refreshToken]) {
        assert.ok(!text.includes(secret));
      }
    }
  });

  it('reach an outside subscriber in order for each subject', async () => {
    const person = await signUp();
    await profileOf(person);
    const { accessToken: token, id } = person;
    const ids: string[] = [];
    for (let round = 0; round < 20; round += 1) {
      const type = 'application/merge-patch+json';
      const answer = await call('PATCH', '/v1/users/me', { token, type, json: { bio: `Round ${round}` } });
      ids.push(...expectStatus(answer, 200).events);
    }
    await subscriber.sees(ids);
    const sequences = subscriber.of(`profile/${id}`).map((each) => Number(each.sequence));
    assert.deepEqual(
      sequences,
      Array.from({ length: 21 }, (_, index) => index + 1),
    );
  });
});
