import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { newId } from '@causeway/contracts';
import { altered } from '@causeway/service/testing';

import { administratorSettings, signInAdministrator } from '../../testing/test-administrator.ts';
import { openTestAuth, signUp } from '../../testing/test-auth.ts';
import type { Answered, Person, TestAuth, TestReplica } from '../../testing/test-auth.ts';

interface Item {
  readonly id: string;
  readonly email: string;
  readonly disabledAt: string | null;
}

describe('GET /v1/auth/accounts', () => {
  const suffix = newId('usr').toLowerCase();
  const emails = ['ada', 'bob', 'adam', 'a.da', 'a*da', 'Ädam', 'adb'].map((name) => `${name}.${suffix}@example.com`);
  let world: TestAuth;
  let auth: TestReplica;
  let root: Person;
  let people: Person[];

  const list = (query: Readonly<Record<string, string>> = {}, token = root.accessToken): Promise<Answered> =>
    auth.call(`GET /v1/auth/accounts?${new URLSearchParams(query).toString()}`, { token });
  const items = ({ status, body }: Answered): readonly Item[] => {
    assert.equal(status, 200, JSON.stringify(body));
    return body.items as unknown as readonly Item[];
  };
  const found = async (query: Readonly<Record<string, string>>): Promise<string[]> =>
    items(await list(query)).map(({ email }) => email.split('.example')[0]!.replace(`.${suffix}@example.com`, ''));
  /** Every page of a list, one account each, by its cursors. */
  const pages = async (query: Readonly<Record<string, string>>): Promise<string[]> => {
    const ids: string[] = [];
    let cursor: string | null = null;
    do {
      const answer: Answered = await list({ ...query, limit: '1', ...(cursor !== null && { cursor }) });
      ids.push(...items(answer).map(({ id }) => id));
      cursor = answer.body.nextCursor as unknown as string | null;
      const link = answer.headers.get('link');
      assert.equal(link === null, cursor === null);
      if (cursor !== null) assert.equal(new URL(link!.slice(1), 'http://x').searchParams.get('limit'), '1');
      assert.ok(ids.length < 50);
    } while (cursor !== null);
    return ids;
  };

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica(administratorSettings);
    root = await signInAdministrator(auth);
    people = [];
    for (const email of emails) {
      world.clock.aheadMs += 10;
      people.push(await signUp(auth, email));
    }
    const disabled = { $set: { disabledAt: new Date() } };
    await world.db.collection<{ _id: string }>('accounts').updateOne({ _id: people[1]!.id }, disabled);
  });
  after(() => world.stop());

  it('lists all, the newest first, without a word of how they prove who they are', async () => {
    const answer = await list();
    const all = items(answer);
    assert.deepEqual(
      all.map(({ id }) => id),
      [...people.map(({ id }) => id).reverse(), root.id],
    );
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    assert.equal(answer.body.nextCursor, null);
    for (const each of all) {
      assert.deepEqual(
        Object.keys(each).sort(),
        ['createdAt', 'disabledAt', 'disabledBy', 'email', 'emailVerified', 'hasSecondFactor', 'id', 'revision'].concat(
          ['roles', 'updatedAt'],
        ),
      );
    }
  });

  it('finds an account by its id, and by what its address begins with, by address', async () => {
    assert.deepEqual(
      items(await list({ search: people[2]!.id })).map(({ id }) => id),
      [people[2]!.id],
    );
    assert.deepEqual(await found({ search: 'ada' }), ['ada', 'adam']);
    assert.deepEqual(await found({ search: ' ADA' }), ['ada', 'adam']);
    assert.deepEqual(await found({ search: emails[3]!.toUpperCase() }), ['a.da']);
    assert.deepEqual(await found({ search: 'A\u0308d' }), ['Ädam'], 'composed or not');
    assert.deepEqual(await found({ search: newId('usr') }), []);
  });

  it('takes nothing that is typed for a pattern', async () => {
    for (const search of ['.*', 'a.*da', '^ada', 'ad[a]', '$', '{"$gt":""}', '\\', '%', '\u{10ffff}'])
      assert.deepEqual(await found({ search }), [], search);
    assert.deepEqual(await found({ search: 'a*' }), ['a*da']);
    assert.deepEqual(await found({ search: 'a.' }), ['a.da']);
  });

  it('takes status and role', async () => {
    const disabled = [people[1]!.id];
    assert.deepEqual(
      items(await list({ status: 'disabled' })).map(({ id }) => id),
      disabled,
    );
    assert.equal(items(await list({ status: 'active' })).length, people.length);
    assert.deepEqual(
      items(await list({ role: 'admin' })).map(({ id }) => id),
      [root.id],
    );
    assert.equal(items(await list({ role: 'member' })).length, people.length + 1);
    assert.deepEqual(await found({ search: 'b', status: 'disabled', role: 'member' }), ['bob']);
    assert.deepEqual(await found({ search: 'b', status: 'active' }), []);
  });

  it('gives each account once, page by page, also of those that came at one time', async () => {
    const accounts = world.db.collection<{ _id: string }>('accounts');
    const same = { $set: { createdAt: new Date('2026-01-01T00:00:00Z') } };
    await accounts.updateMany({ _id: { $in: people.slice(2, 5).map(({ id }) => id) } }, same);
    for (const query of [{}, { search: 'a' }, { status: 'active' }, { role: 'member' }] as const) {
      const whole = items(await list(query)).map(({ id }) => id);
      assert.ok(whole.length > 3);
      assert.deepEqual(await pages(query), whole, JSON.stringify(query));
    }
  });

  it('takes a cursor with its own query alone, and tells no address by it', async () => {
    const answer = await list({ search: 'a', limit: '1' });
    const cursor = answer.body.nextCursor as unknown as string;
    assert.ok(!Buffer.from(cursor, 'base64url').toString().includes(suffix));
    for (const query of [
      { search: 'ad', cursor },
      { cursor },
      { search: 'a', status: 'active', cursor },
      { search: 'a', cursor: altered(cursor) },
      { search: 'a', cursor: 'nonsense' },
      { search: 'a', cursor: '' },
    ]) {
      const { status, body } = await list(query);
      const [error] = (body as unknown as { errors: { parameter: string; code: string }[] }).errors;
      assert.deepEqual(
        [status, error?.parameter, error?.code],
        [400, 'cursor', 'invalid-cursor'],
        JSON.stringify(query),
      );
    }
  });

  it('refuses what it does not know', async () => {
    for (const [query, parameter] of [
      [{ search: 'x'.repeat(1_000) }, 'search'],
      [{ search: '  ' }, 'search'],
      [{ status: 'gone' }, 'status'],
      [{ role: 'owner' }, 'role'],
      [{ limit: '0' }, 'limit'],
      [{ limit: '201' }, 'limit'],
      [{ limit: 'all' }, 'limit'],
      [{ cursor: 'x'.repeat(5_000) }, 'cursor'],
      [{ roles: 'admin' }, 'roles'],
      [{ 'search[$gt]': '' }, 'search[$gt]'],
    ] as const) {
      const { status, body } = await list(query);
      const [error] = (body as unknown as { errors: { parameter: string }[] }).errors;
      assert.deepEqual([status, error?.parameter], [400, parameter], JSON.stringify(query).slice(0, 60));
    }
    const twice = await auth.call('GET /v1/auth/accounts?search=a&search=b', { token: root.accessToken });
    assert.equal(twice.status, 400);
  });

  it('is for administrators alone, as is a single account', async () => {
    for (const path of ['/v1/auth/accounts', `/v1/auth/accounts/${people[0]!.id}`]) {
      assert.equal((await auth.call(`GET ${path}`, { token: people[0]!.accessToken })).status, 403, path);
      assert.equal((await auth.call(`GET ${path}`)).status, 401, path);
    }
  });

  it('gives a single account, with its revision, and 404 where there is none', async () => {
    const read = (id: string, headers = {}) =>
      auth.call(`GET /v1/auth/accounts/${id}`, { token: root.accessToken, headers });
    const answer = await read(people[0]!.id);
    const { id, email, roles, disabledAt, revision } = answer.body;
    assert.deepEqual(
      [answer.status, id, email, roles, disabledAt, revision],
      [...[200, people[0]!.id, emails[0], ['member'], null, 1]],
    );
    assert.equal(answer.headers.get('etag'), '"1"');
    assert.equal((await read(people[0]!.id, { 'if-none-match': '"1"' })).status, 304);
    for (const nobody of [newId('usr'), 'nobody', '%24gt', 'x'.repeat(100)])
      assert.equal((await read(nobody)).status, 404, nobody);
  });
});
