import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { newId } from '@causeway/contracts';
import type { EventEnvelope } from '@causeway/contracts';
import type { PublishedEvents } from '@causeway/events/testing';

import { administratorSettings, signInAdministrator } from '../../testing/test-administrator.ts';
import { claimsOf, openTestAuth, password, signIn, signUp } from '../../testing/test-auth.ts';
import type { Answered, Person, TestAuth, TestCall, TestReplica } from '../../testing/test-auth.ts';

describe('an administrator', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let published: PublishedEvents;
  let root: Person;
  let ada: Person;

  const accounts = () => world.db.collection<{ _id: string; roles: string[]; revision: number }>('accounts');
  const sessions = () => world.db.collection<{ _id: string; accountId: string; status: string }>('sessions');
  const of = (methodAndPath: string, id: string, options: TestCall = {}): Promise<Answered> => {
    const [method = '', path = ''] = methodAndPath.split(' ');
    return auth.call(`${method} /v1/auth/accounts/${id}${path}`, { token: root.accessToken, ...options });
  };
  const disable = (id: string, body: unknown = {}, options: TestCall = {}) =>
    of('POST /disable', id, { body, ...options });
  const enable = (id: string, options: TestCall = {}) => of('POST /enable', id, options);
  const putRoles = (id: string, roles: unknown, options: TestCall = {}) =>
    of('PUT /roles', id, { body: { roles }, ...options });
  const done = (answer: Answered): Answered => {
    assert.ok([200, 204].includes(answer.status), JSON.stringify(answer.body));
    return answer;
  };
  const code = ({ status, body }: Answered): string => `${status} ${String(body.code)}`;
  const isRefused = async (token: string, replica = auth): Promise<boolean> =>
    (await replica.call('GET /v1/auth/account', { token })).status === 401;
  const refusedSoon = async (token: string, replica = auth): Promise<void> => {
    // Within a second, as is promised; four, for the machine may be busy.
    const deadline = performance.now() + 4_000;
    while (!(await isRefused(token, replica))) {
      assert.ok(performance.now() < deadline, 'the token is still taken');
      await delay(5);
    }
  };
  const signInAgain = (email: string, word = password) =>
    auth.call('POST /v1/auth/sign-in', { body: { email, password: word } });
  const refresh = ({ refreshToken }: Person) => auth.call('POST /v1/auth/refresh', { body: { refreshToken } });
  const eventOf = async (answer: Answered): Promise<EventEnvelope> => {
    const id = answer.headers.get('causeway-event') ?? assert.fail('it names no event');
    const [event] = await published.waitFor((each) => each.id === id);
    return event!;
  };
  const endOf = async ({ sessionId }: Person): Promise<EventEnvelope> => {
    const [event] = await published.waitFor(
      ({ subject, type }) => subject === `session/${sessionId}` && type === 'auth.session.ended',
    );
    return event!;
  };
  /** Which mails somebody is sent, by the events that they follow from. */
  const mailsTo = async (accountId: string, count: number): Promise<ReadonlyMap<string | undefined, string>> => {
    const mails = await published.waitFor(({ type, data }) => {
      const { accountId: whose, template = '' } = data as { accountId?: string; template?: string };
      // Not those about a new address.
      return type === 'auth.mail.queued' && whose === accountId && template.startsWith('account-');
    }, count);
    return new Map(mails.map(({ data, causationid }) => [causationid, (data as { template: string }).template]));
  };

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica(administratorSettings);
    published = await world.published();
    root = await signInAdministrator(auth);
  });
  after(() => world.stop());
  beforeEach(async () => {
    ada = await signUp(auth);
  });

  describe('who disables an account', () => {
    it('ends its sessions and tokens at once, in every replica, and lets nobody sign in', async () => {
      const other = await world.replica();
      const second = await signIn(auth, ada.email);
      const answer = done(await disable(ada.id, { reason: 'They have left.' }));
      assert.deepEqual([answer.body.disabledBy, answer.body.revision], [root.id, 2]);
      assert.ok(Date.parse(String(answer.body.disabledAt)) > 0);
      assert.equal(answer.headers.get('etag'), '"2"');
      for (const { accessToken } of [ada, second]) {
        assert.equal(await isRefused(accessToken), true);
        await refusedSoon(accessToken, other);
      }
      for (const each of [ada, second]) assert.equal(code(await refresh(each)), '401 invalid-refresh-token');
      assert.equal(code(await signInAgain(ada.email)), '403 account-disabled');
      assert.equal(code(await signInAgain(ada.email, 'not the password')), '401 invalid-credentials');
      await other.stop();
    });

    it('records it with who, why and what ends with it; each session ends because of it', async () => {
      const second = await signIn(auth, ada.email);
      const event = await eventOf(done(await disable(ada.id, { reason: ' They have left. ' })));
      assert.deepEqual(event.data, {
        ...{ accountId: ada.id, email: ada.email, emailVerified: false, roles: ['member'], changed: ['disabled'] },
        ...{ accessVersion: 2, sessionsFrom: 2, disabled: true, reason: 'They have left.', by: root.id },
      });
      assert.deepEqual([event.authtype, event.authid], ['app_user', root.id]);
      for (const each of [ada, second]) {
        const end = await endOf(each);
        assert.deepEqual([(end.data as { reason: string }).reason, end.causationid], ['account-disabled', event.id]);
      }
    });

    it('does it once, and tells the person by mail that they are disabled, and that they are enabled again', async () => {
      const answers = await Promise.all(Array.from({ length: 4 }, () => disable(ada.id)));
      const named = answers.map((each) => done(each).headers.get('causeway-event')).filter((each) => each !== null);
      assert.equal(named.length, 1);
      const enabled = done(await enable(ada.id));
      assert.equal(enabled.body.disabledAt, null);
      assert.equal(done(await enable(ada.id)).headers.get('causeway-event'), null);
      const mails = await mailsTo(ada.id, 2);
      assert.equal(mails.get(named[0]), 'account-disabled');
      assert.equal(mails.get(enabled.headers.get('causeway-event') ?? ''), 'account-enabled');
      const [mail] = await world.db.collection('mails').find({ accountId: ada.id }).toArray();
      assert.equal(mail?.to, ada.email);
    });

    it('and enables it again gives back the door, but no session', async () => {
      done(await disable(ada.id));
      const event = await eventOf(done(await enable(ada.id)));
      assert.deepEqual(event.data, {
        ...{ accountId: ada.id, email: ada.email, emailVerified: false, roles: ['member'], changed: ['disabled'] },
        ...{ disabled: false, by: root.id },
      });
      assert.equal(code(await refresh(ada)), '401 invalid-refresh-token');
      assert.equal(await isRefused(ada.accessToken), true);
      const again = await signIn(auth, ada.email);
      assert.equal(await isRefused(again.accessToken), false);
      assert.equal(claimsOf(again.accessToken).av, 2);
    });

    it('gets the better of sign-ins and refreshes at the same moment', async () => {
      for (let round = 0; round < 3; round += 1) {
        const person = await signUp(auth);
        const [answer, ...others] = await Promise.all([
          disable(person.id),
          refresh(person),
          ...Array.from({ length: 3 }, () => signInAgain(person.email)),
        ]);
        done(answer);
        for (const { status, body } of others) {
          assert.ok([200, 401, 403].includes(status), String(status));
          if (status !== 200) continue;
          const pair = body as unknown as Person;
          await refusedSoon(pair.accessToken);
          assert.equal(code(await refresh(pair)), '401 invalid-refresh-token');
        }
        assert.equal(code(await signInAgain(person.email)), '403 account-disabled');
      }
    });

    it('ends more sessions than fit into a transaction, those of an earlier release too', async () => {
      const [{ _id: _id, ...session } = assert.fail()] = await sessions().find({ accountId: ada.id }).toArray();
      const { accountVersion: _version, ...old } = session as typeof session & { accountVersion?: number };
      const copies = Array.from({ length: 130 }, (_each, index) => ({
        ...(index % 2 === 0 ? session : old),
        ...{ _id: newId('ses'), outbox: [] },
      }));
      await sessions().insertMany(copies);
      done(await disable(ada.id));
      const isEnd = ({ type, data }: EventEnvelope): boolean =>
        type === 'auth.session.ended' && (data as { accountId: string }).accountId === ada.id;
      await published.waitFor(isEnd, 131);
      assert.equal(await sessions().countDocuments({ accountId: ada.id, status: 'live' }), 0);
    });
  });

  describe('who says what an account may do', () => {
    it('gives a role, which is in the next token, and ends none', async () => {
      const answer = done(await putRoles(ada.id, ['member', 'admin', 'member']));
      assert.deepEqual(answer.body.roles, ['admin', 'member']);
      const { data } = await eventOf(answer);
      assert.deepEqual(data, {
        ...{ accountId: ada.id, email: ada.email, emailVerified: false, roles: ['admin', 'member'] },
        ...{ changed: ['roles'], by: root.id },
      });
      assert.equal(await isRefused(ada.accessToken), false);
      const next = done(await refresh(ada)).body as unknown as Person;
      const listed = await auth.call('GET /v1/auth/accounts', { token: next.accessToken });
      assert.equal(listed.status, 200);
    });

    it('takes one away: tokens that say it are over at once, sessions go on without it', async () => {
      done(await putRoles(ada.id, ['admin', 'member']));
      const before = await signIn(auth, ada.email);
      const { data } = await eventOf(done(await putRoles(ada.id, ['member'])));
      assert.equal((data as { accessVersion?: number }).accessVersion, 2);
      assert.equal((data as { sessionsFrom?: number }).sessionsFrom, undefined);
      await refusedSoon(before.accessToken);
      const next = done(await refresh(before)).body as unknown as Person;
      assert.deepEqual(claimsOf(next.accessToken).roles, ['member']);
      assert.equal((await auth.call('GET /v1/auth/accounts', { token: next.accessToken })).status, 403);
    });

    it('who has them already changes nothing', async () => {
      const answer = done(await putRoles(ada.id, ['member']));
      assert.deepEqual([answer.headers.get('causeway-event'), answer.headers.get('etag')], [null, '"1"']);
    });
  });

  describe('of which there has to be one', () => {
    beforeEach(() => accounts().updateMany({ _id: { $ne: root.id } }, { $set: { roles: ['member'] } }));

    it('is refused to disable or demote the last one, oneself too', async () => {
      const answers = [await disable(root.id), await putRoles(root.id, ['member'])];
      assert.deepEqual(answers.map(code), ['409 last-administrator', '409 last-administrator']);
      done(await putRoles(ada.id, ['admin', 'member']));
      done(await disable(ada.id));
      assert.equal(code(await putRoles(root.id, ['member'])), '409 last-administrator', 'the other is disabled');
      assert.equal((await accounts().findOne({ _id: root.id }))?.revision, 1);
      // Who does not count takes nothing away.
      done(await putRoles(ada.id, ['member']));
    });

    it('stays, where the last two disable or demote each other at once', async () => {
      for (let round = 0; round < 6; round += 1) {
        const other = await signUp(auth);
        done(await putRoles(other.id, ['admin', 'member']));
        const { accessToken: token } = await signIn(auth, other.email);
        const answers = await Promise.all(
          round % 2 === 0
            ? [putRoles(other.id, ['member']), putRoles(root.id, ['member'], { token })]
            : [disable(other.id), disable(root.id, {}, { token })],
        );
        // Whoever is second may be refused as no administrator any more.
        assert.equal(answers.filter(({ status }) => status === 200).length, 1, answers.map(code).join());
        const active = { roles: 'admin', disabledAt: { $exists: false } };
        assert.equal(await accounts().countDocuments(active), 1);
        await accounts().updateOne(
          { _id: root.id },
          { $set: { roles: ['admin', 'member'] }, $unset: { disabledAt: '' } },
        );
        await accounts().updateOne({ _id: other.id }, { $set: { roles: ['member'] } });
        root = await signInAdministrator(auth);
      }
    });
  });

  describe('who looks after sessions of others', () => {
    const list = async (id: string) => done(await of('GET /sessions', id)).body.items as unknown as { id: string }[];

    it('lists them, and ends one', async () => {
      const second = await signIn(auth, ada.email);
      assert.deepEqual((await list(ada.id)).map(({ id }) => id).sort(), [ada.sessionId, second.sessionId].sort());
      const own = (await list(root.id)) as unknown as { id: string; current: boolean }[];
      assert.deepEqual(
        own.filter(({ current }) => current).map(({ id }) => id),
        [root.sessionId],
      );
      const event = await eventOf(done(await of(`DELETE /sessions/${second.sessionId}`, ada.id)));
      const { data, authid } = event;
      assert.deepEqual(
        [data, authid],
        [...[{ sessionId: second.sessionId, accountId: ada.id, reason: 'administrator' }, root.id]],
      );
      assert.equal(await isRefused(second.accessToken), true);
      assert.equal(await isRefused(ada.accessToken), false);
      assert.equal(code(await of(`DELETE /sessions/${second.sessionId}`, ada.id)), '404 not-found');
      assert.equal(code(await of(`DELETE /sessions/${ada.sessionId}`, root.id)), '404 not-found', "another's");
      assert.equal(await isRefused(ada.accessToken), false);
    });

    it('ends all of them, and none that begins after it', async () => {
      const second = await signIn(auth, ada.email);
      const event = await eventOf(done(await of('DELETE /sessions', ada.id)));
      assert.deepEqual((event.data as { changed: string[] }).changed, ['sessions']);
      assert.deepEqual(await list(ada.id), [], 'although their rows may not have been ended yet');
      for (const each of [ada, second]) {
        await refusedSoon(each.accessToken);
        assert.equal(code(await refresh(each)), '401 invalid-refresh-token');
        assert.ok(['administrator', 'revoked'].includes(((await endOf(each)).data as { reason: string }).reason));
      }
      const later = await signIn(auth, ada.email);
      assert.deepEqual(
        (await list(ada.id)).map(({ id }) => id),
        [later.sessionId],
      );
      done(await refresh(later));
    });
  });

  it('changes an account at the revision that If-Match names alone', async () => {
    const headers = { 'if-match': '"7"' };
    for (const answer of [
      await disable(ada.id, {}, { headers }),
      await enable(ada.id, { headers }),
      await putRoles(ada.id, ['admin', 'member'], { headers }),
    ])
      assert.equal(code(answer), '412 precondition-failed');
    assert.equal(code(await disable(ada.id, {}, { headers: { 'if-match': '7' } })), '400 invalid-request');
    done(await disable(ada.id, {}, { headers: { 'if-match': '"1"' } }));
  });

  it('is refused what makes no sense, and finds nobody who is not there', async () => {
    for (const body of [{ reason: '' }, { reason: 'x'.repeat(501) }, { reason: { $gt: '' } }, { disabled: true }, []])
      assert.equal(code(await disable(ada.id, body)), '400 invalid-request', JSON.stringify(body).slice(0, 60));
    assert.equal((await of('POST /disable', ada.id)).status, 415);
    assert.equal((await disable(ada.id, { reason: 'x'.repeat(20_000) })).status, 413);
    for (const roles of [[], ['admin'], ['owner', 'member'], 'member', { $gt: '' }, null, Array(100).fill('member')])
      assert.equal(code(await putRoles(ada.id, roles)), '400 invalid-request', JSON.stringify(roles).slice(0, 60));
    assert.equal((await of('PUT /roles', ada.id, { body: { roles: ['member'], id: root.id } })).status, 400);
    assert.equal((await enable(ada.id, { body: { disabled: true } })).status, 400);
    for (const nobody of [newId('usr'), '%24gt', 'x'.repeat(100)]) {
      for (const answer of [
        ...[await disable(nobody), await enable(nobody), await putRoles(nobody, ['member'])],
        ...[await of('GET /sessions', nobody), await of('DELETE /sessions', nobody)],
        await of(`DELETE /sessions/${ada.sessionId}`, nobody),
      ])
        assert.equal(code(answer), '404 not-found', nobody);
    }
    assert.equal((await accounts().findOne({ _id: ada.id }))?.revision, 1);
  });

  it('is who alone may do all of this', async () => {
    for (const [token, expected] of [
      [ada.accessToken, 403],
      ['nonsense', 401],
    ] as const) {
      const options = { token };
      for (const { status } of [
        await disable(root.id, {}, options),
        await enable(root.id, options),
        await putRoles(ada.id, ['admin', 'member'], options),
        await of('GET /sessions', ada.id, options),
        await of('DELETE /sessions', root.id, options),
        await of(`DELETE /sessions/${root.sessionId}`, root.id, options),
      ])
        assert.equal(status, expected);
    }
    assert.equal(await isRefused(root.accessToken), false);
  });
});
