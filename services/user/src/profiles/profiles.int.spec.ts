import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { newId } from '@causeway/contracts';

import { openTestUser } from '../testing/test-user.ts';
import type { TestUser } from '../testing/test-user.ts';

/** A read, as MongoDB's profiler keeps it. */
interface ReadCommand {
  readonly readConcern?: { readonly afterClusterTime?: { readonly t: number; readonly i: number } };
}

describe('profiles', () => {
  let world: TestUser;
  let ada: string;
  const me = (as: string, headers: Record<string, string> = {}) => world.call('GET /v1/users/me', { as, headers });
  const patch = (as: string, body: unknown, headers: Record<string, string> = {}) =>
    world.call('PATCH /v1/users/me', { as, body, headers });
  const eventsOf = (id: string, count: number) =>
    world.published.waitFor((event) => event.subject === `profile/${id}`, count);
  const stored = (id: string) =>
    world.db.collection<{ _id: string; revision: number }>('profiles').findOne({ _id: id });
  const eventually = async <T>(look: () => Promise<T | null>): Promise<T> => {
    const deadline = performance.now() + 60_000;
    while (performance.now() < deadline) {
      const found = await look();
      if (found !== null) return found;
      await delay(10);
    }
    return assert.fail('waited in vain');
  };

  before(async () => {
    world = await openTestUser();
  });
  after(() => world.stop());
  beforeEach(async () => {
    ({ id: ada } = await world.createAccount({ name: 'Ada Lovelace' }));
    await eventually(() => stored(ada));
  });

  describe('create-profile', () => {
    it("makes the profile of an account, in an event that the account's event caused", async () => {
      const { id, event: cause } = await world.createAccount({ email: 'Grace.Hopper@example.com' });
      const [created] = await eventsOf(id, 1);
      assert.equal(created?.type, 'user.profile.created');
      assert.deepEqual(created.data, {
        userId: id,
        name: 'Grace.Hopper',
        email: 'Grace.Hopper@example.com',
        preferences: {},
      });
      assert.equal(created.causationid, cause.id);
      assert.equal(created.correlationid, cause.correlationid);
    });

    it('takes effect once however often the event comes', async () => {
      const { id, event } = await world.createAccount();
      await eventsOf(id, 1);
      for (let times = 0; times < 5; times += 1) await world.republish(event);
      // What comes after them in the same partition shows that they have been handled.
      const last = await world.createAccount();
      await world.republish(last.event);
      await eventsOf(last.id, 1);
      assert.equal((await stored(id))?.revision, 1);
      assert.equal(world.published.all.filter((each) => each.subject === `profile/${id}`).length, 1);
    });
  });

  describe('an account that changes', () => {
    it('takes its profile along to another address, and nothing else', async () => {
      const { id } = await world.createAccount({ name: 'Grace' });
      const email = `${id.toLowerCase()}@navy.example.com`;
      await world.updateAccount(id, `${id.toLowerCase()}@example.com`, ['password']);
      const event = await world.updateAccount(id, email, ['email']);
      const [, updated] = await eventsOf(id, 2);
      assert.equal(updated?.type, 'user.profile.updated');
      assert.deepEqual(updated.data, { userId: id, name: 'Grace', email, preferences: {}, changed: ['email'] });
      assert.equal(updated.causationid, event.id);
      await world.republish(event);
      const last = await world.updateAccount(id, email.toUpperCase(), ['email']);
      const [, , third] = await eventsOf(id, 3);
      assert.equal(third?.causationid, last.id);
      assert.equal((await me(id)).body.email, email.toUpperCase());
    });
  });

  describe('GET /v1/users/me', () => {
    it("gives the caller's profile", async () => {
      const answer = await me(ada);
      assert.equal(answer.status, 200);
      const { createdAt, updatedAt, ...profile } = answer.body;
      assert.deepEqual(profile, {
        id: ada,
        name: 'Ada Lovelace',
        email: `${ada.toLowerCase()}@example.com`,
        preferences: {},
        revision: 1,
      });
      assert.match(String(createdAt), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.equal(updatedAt, createdAt);
      assert.equal(answer.headers.get('etag'), '"1"');
    });

    it('says 304 for the revision that the caller has', async () => {
      const answer = await me(ada, { 'if-none-match': 'W/"9", "1"' });
      assert.equal(answer.status, 304);
      assert.equal(answer.headers.get('etag'), '"1"');
      assert.equal((await me(ada, { 'if-none-match': '"2"' })).status, 200);
      assert.equal((await me(ada, { 'if-none-match': 'nonsense' })).status, 400);
    });

    it('reads nothing older than the caller has seen, of others neither', async () => {
      await world.db.command({ profile: 2 });
      for (const path of ['/v1/users/me', `/v1/users/${ada}`]) {
        const at = (position: string) =>
          world.call(`GET ${path}`, { as: ada, headers: { 'causeway-after': position } });
        const seen = (await me(ada)).headers.get('causeway-position') ?? '';
        assert.equal((await at(seen)).status, 200);
        const [t, i] = seen.split('.').map(Number);
        const reads = await world.db.collection('system.profile').find({ 'command.find': 'profiles' }).toArray();
        const after = reads.map((each) => (each.command as ReadCommand).readConcern?.afterClusterTime);
        assert.ok(
          after.some((each) => each?.t === t && each?.i === i),
          `${path}: MongoDB is told of ${seen}`,
        );
        assert.equal((await at('4294967295.1')).status, 200, 'a position of another database is nothing to wait for');
        const malformed = await at('yesterday');
        assert.equal(malformed.status, 400);
        assert.equal((malformed.body.errors as { parameter: string }[])[0]?.parameter, 'Causeway-After');
      }
      await world.db.command({ profile: 0 });
    });

    it('waits for a profile that is on its way', async () => {
      const answer = await eventually(async () => {
        const id = newId('usr');
        const read = me(id);
        await world.createAccount({ id });
        const answered = await read;
        // A busy machine may take longer than is waited: then another is begun with.
        return answered.status === 503 ? null : answered;
      });
      assert.equal(answer.status, 200);
    });

    it('says 503 with Retry-After, never 404, where it does not come in time', async () => {
      const startedAt = performance.now();
      const answer = await me(newId('usr'));
      assert.equal(answer.status, 503);
      assert.equal(answer.body.code, 'unavailable');
      assert.equal(answer.headers.get('retry-after'), '1');
      const tookMs = performance.now() - startedAt;
      assert.ok(tookMs >= 1900 && tookMs < 8_000, `${tookMs} ms: at most 2 s are promised`);
    });

    it('asks to sign in', async () => {
      const answer = await world.call('GET /v1/users/me');
      assert.equal(answer.status, 401);
      assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer/);
    });
  });

  describe('PATCH /v1/users/me', () => {
    it('changes what it names, and says so in an event with the whole profile', async () => {
      const answer = await patch(ada, { bio: 'Countess', locale: 'en-gb', preferences: { theme: 'dark' } });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('etag'), '"2"');
      assert.deepEqual(
        [answer.body.bio, answer.body.locale, answer.body.preferences, answer.body.revision],
        ['Countess', 'en-GB', { theme: 'dark' }, 2],
      );
      assert.deepEqual((await me(ada)).body, answer.body);
      const [, updated] = await eventsOf(ada, 2);
      assert.equal(updated?.type, 'user.profile.updated');
      assert.deepEqual(updated.data, {
        userId: ada,
        name: 'Ada Lovelace',
        email: `${ada.toLowerCase()}@example.com`,
        bio: 'Countess',
        locale: 'en-GB',
        preferences: { theme: 'dark' },
        changed: ['bio', 'locale', 'preferences'],
      });
      assert.equal(answer.headers.get('causeway-event'), updated.id);
      assert.equal(updated.correlationid, answer.headers.get('x-request-id'));
      assert.deepEqual([updated.authtype, updated.authid], ['app_user', ada]);
    });

    it('removes with null', async () => {
      await patch(ada, { bio: 'Countess', preferences: { a: 1, b: { c: 2, d: 3 } } });
      const answer = await patch(ada, { bio: null, preferences: { a: null, b: { c: null } } });
      assert.equal('bio' in answer.body, false);
      assert.deepEqual(answer.body.preferences, { b: { d: 3 } });
    });

    it('writes nothing where nothing changes', async () => {
      const answer = await patch(ada, { name: 'Ada Lovelace' });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('causeway-event'), null);
      assert.equal(answer.headers.get('etag'), '"1"');
    });

    it('takes If-Match: the current revision, a list, and *', async () => {
      assert.equal((await patch(ada, { bio: 'a' }, { 'if-match': '"1"' })).status, 200);
      assert.equal((await patch(ada, { bio: 'b' }, { 'if-match': '"9", "2"' })).status, 200);
      assert.equal((await patch(ada, { bio: 'c' }, { 'if-match': '*' })).status, 200);
    });

    it('refuses another revision, a weak one and a malformed one, and changes nothing', async () => {
      for (const [header, status, code] of [
        ['"2"', 412, 'precondition-failed'],
        ['W/"1"', 412, 'precondition-failed'],
        ['"one"', 412, 'precondition-failed'],
        ['1', 400, 'invalid-request'],
        ['"1', 400, 'invalid-request'],
      ] as const) {
        const answer = await patch(ada, { bio: 'a' }, { 'if-match': header });
        assert.deepEqual([answer.status, answer.body.code], [status, code], header);
      }
      assert.equal((await stored(ada))?.revision, 1);
    });

    it('lets one of many win who change the same revision at once', async () => {
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, index) => patch(ada, { bio: `writer ${index}` }, { 'if-match': '"1"' })),
      );
      assert.deepEqual(answers.map((each) => each.status).sort(), [200, 412, 412, 412, 412, 412, 412, 412]);
      assert.equal((await stored(ada))?.revision, 2);
    });

    it('loses no change of two who change different things at once', async () => {
      const answers = await Promise.all([patch(ada, { bio: 'a' }), patch(ada, { timeZone: 'Europe/Vienna' })]);
      assert.deepEqual(
        answers.map((each) => each.status),
        [200, 200],
      );
      const { bio, timeZone, revision } = (await me(ada)).body;
      assert.deepEqual([bio, timeZone, revision], ['a', 'Europe/Vienna', 3]);
      const events = await eventsOf(ada, 3);
      assert.deepEqual(
        events.map((event) => Number(event.sequence)),
        [1, 2, 3],
      );
    });

    for (const [what, body, pointer] of [
      ['an operator object as name', { name: { $gt: '' } }, '/name'],
      ['a name that is removed', { name: null }, '/name'],
      ['an address', { email: 'eve@example.com' }, '/email'],
      ['a role', { roles: ['admin'] }, '/roles'],
      ['an id', { id: 'usr_1' }, '/id'],
      ['what MongoDB keeps', { outbox: [] }, '/outbox'],
      ['a picture that is a script', { avatarUrl: 'javascript:alert(1)' }, '/avatarUrl'],
      ['preferences with an operator', { preferences: { $where: '1' } }, '/preferences/$where'],
      ['a list', [], ''],
    ] as const) {
      it(`refuses ${what}`, async () => {
        const answer = await patch(ada, body);
        assert.deepEqual([answer.status, answer.body.code], [400, 'invalid-request']);
        assert.equal((answer.body.errors as { pointer: string }[])[0]?.pointer, pointer);
        assert.equal((await stored(ada))?.revision, 1);
      });
    }

    it('refuses other media types, and says which it takes', async () => {
      const answer = await patch(ada, {}, { 'content-type': 'application/json' });
      assert.equal(answer.status, 415);
      assert.equal(answer.headers.get('accept-patch'), 'application/merge-patch+json');
    });

    it('refuses what is too large', async () => {
      assert.equal((await patch(ada, { bio: 'x'.repeat(70_000) })).status, 413);
      assert.equal((await patch(ada, { preferences: { a: 'x'.repeat(20_000) } })).status, 400);
    });
  });

  describe('GET /v1/users/{id}', () => {
    it('gives name and picture, nothing else', async () => {
      await patch(ada, { avatarUrl: 'https://example.com/ada.png', bio: 'Countess' });
      const answer = await world.call(`GET /v1/users/${ada}`, { as: newId('usr') });
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.body, { id: ada, name: 'Ada Lovelace', avatarUrl: 'https://example.com/ada.png' });
    });

    it('is 404 for an unknown person and for what is no id', async () => {
      for (const id of [newId('usr'), 'nobody', ada.toLowerCase(), '%24ne', newId('ses')]) {
        const answer = await world.call(`GET /v1/users/${id}`, { as: ada });
        assert.deepEqual([answer.status, answer.body.code], [404, 'not-found'], id);
      }
    });

    it('asks to sign in', async () => {
      assert.equal((await world.call(`GET /v1/users/${ada}`)).status, 401);
    });
  });

  it('refuses the tokens of a session once its end is heard of', async () => {
    const { sessionId } = await world.endSession(ada);
    const token = await world.identity.bearer({ sub: ada, sid: sessionId });
    const refused = async () => {
      const response = await world.service.fetch('/v1/users/me', { headers: token });
      await response.body?.cancel();
      return response.status === 401 ? true : null;
    };
    await eventually(refused);
    assert.equal((await me(ada)).status, 200);
  });
});
