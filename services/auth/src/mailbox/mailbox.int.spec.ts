import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { derivedId } from '@causeway/contracts';

import { loadRootKey } from '../keys/root-key.ts';
import { administratorSettings, signInAdministrator, tokenOfOldSession } from '../testing/test-administrator.ts';
import { openTestAuth, signUp } from '../testing/test-auth.ts';
import type { Person, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { openTestMailbox } from '../testing/test-mailbox.ts';
import { createMailbox } from './mailbox.ts';
import type { Mailbox } from './mailbox.ts';

describe('the mailbox', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let root: Person;
  let mailbox: Mailbox;
  const put = (name: string, to = `${name}@example.com`) =>
    mailbox.put({
      ...{ id: derivedId('mal', name), to, subject: `To ${name}`, html: `<a href="https://x.example/l">${name}</a>` },
      text: `Dear ${name}: https://x.example/${name}?a=1&b=2 or http://y.example/.`,
    });
  const list = (query = '', token = root.accessToken) => auth.call(`GET /v1/auth/mailbox${query}`, { token });
  const subjectsOf = ({ body }: { body: unknown }) =>
    (body as { items: { subject: string }[] }).items.map(({ subject }) => subject);

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica(administratorSettings);
    root = await signInAdministrator(auth);
    const now = () => new Date(Date.now() + world.clock.aheadMs);
    const { vault: vaultOf } = await loadRootKey(world.db, world.environment.CAUSEWAY_MASTER_KEY ?? '');
    const vault = vaultOf('mailbox');
    mailbox = createMailbox({ db: world.db, vault, now });
    for (const name of ['ada', 'bob', 'eve']) {
      world.clock.aheadMs += 10;
      await put(name);
    }
    world.clock.aheadMs += 10;
    await put('second', 'Ada@Example.com');
  });
  after(() => world.stop());

  it('lists the newest first, of all or of one address, however it is written', async () => {
    const answer = await list();
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    assert.deepEqual(subjectsOf(answer), ['To second', 'To eve', 'To bob', 'To ada']);
    assert.deepEqual(subjectsOf(await list('?limit=2')), ['To second', 'To eve']);
    assert.deepEqual(subjectsOf(await list('?to=ADA%40example.com')), ['To second', 'To ada']);
    assert.deepEqual(subjectsOf(await list('?to=nobody%40example.com')), []);
    assert.ok(!JSON.stringify(answer.body).includes('Dear'));
  });

  it('gives a mail with what it says, and its links', async () => {
    const answer = await auth.call(`GET /v1/auth/mailbox/${derivedId('mal', 'ada')}`, { token: root.accessToken });
    assert.equal(answer.status, 200);
    const { at, ...mail } = answer.body as Record<string, unknown>;
    assert.ok(!Number.isNaN(Date.parse(String(at))));
    assert.deepEqual(mail, {
      ...{ id: derivedId('mal', 'ada'), to: 'ada@example.com', subject: 'To ada' },
      ...{ html: '<a href="https://x.example/l">ada</a>' },
      text: 'Dear ada: https://x.example/ada?a=1&b=2 or http://y.example/.',
      links: ['https://x.example/ada?a=1&b=2', 'http://y.example/.'],
    });
  });

  it('is for administrators alone', async () => {
    const ada = await signUp(auth);
    const path = `GET /v1/auth/mailbox/${derivedId('mal', 'ada')}`;
    assert.equal((await list('', ada.accessToken)).status, 403);
    assert.equal((await auth.call(path, { token: ada.accessToken })).status, 403);
    assert.equal((await auth.call('GET /v1/auth/mailbox')).status, 401);
    assert.equal((await auth.call(path)).status, 401);
    // What signing up has brought.
    const mails = await (await openTestMailbox(world)).mailsTo(ada.email);
    await mailbox.forget(mails.map(({ id }) => id));
  });

  it('is read by whoever has authenticated recently, and that is in the audit before it is told', async () => {
    const old = await tokenOfOldSession(world, auth);
    const path = `/v1/auth/mailbox/${derivedId('mal', 'ada')}`;
    for (const each of ['/v1/auth/mailbox', path])
      assert.equal((await auth.call(`GET ${each}`, { token: old })).body.code, 'insufficient-authentication');
    const published = await world.published();
    const listed = await list();
    const readOne = await auth.call(`GET ${path}`, { token: root.accessToken });
    for (const [answer, data] of [
      [listed, { what: 'mailbox' }],
      [readOne, { what: 'mail', about: derivedId('mal', 'ada') }],
    ] as const) {
      const id = answer.headers.get('causeway-event');
      const [event] = await published.waitFor((each) => each.id === id);
      assert.deepEqual([event?.type, event?.authid, event?.data], ['auth.audit.read', root.id, data]);
    }
  });

  it('refuses what is no address, number or id', async () => {
    for (const query of [
      '?to=ada',
      '?to=',
      '?limit=0',
      '?limit=201',
      '?limit=x',
      '?limit=1&limit=2',
      '?from=x',
      '?to[$gt]=',
    ])
      assert.equal((await list(query)).status, 400, query);
    for (const id of ['mal_1', derivedId('usr', 'ada'), derivedId('mal', 'nobody'), '%24gt'])
      assert.equal((await auth.call(`GET /v1/auth/mailbox/${id}`, { token: root.accessToken })).status, 404, id);
  });

  it('holds nothing of what mails say in clear', async () => {
    const rows = await world.db.collection('mailbox').find({}).toArray();
    assert.equal(rows.length, 4);
    assert.doesNotMatch(JSON.stringify(rows), /Dear|x\.example/);
    const [one, two] = rows;
    // What is moved to another place does not open.
    await world.db
      .collection('mailbox')
      .updateOne({ _id: one?._id as never }, { $set: { sealed: two?.sealed as string } });
    await assert.rejects(mailbox.read(String(one?._id)));
    await world.db
      .collection('mailbox')
      .updateOne({ _id: one?._id as never }, { $set: { sealed: one?.sealed as string } });
  });

  it('takes a mail once, and keeps the newest thousand', async () => {
    await put('ada', 'somebody.else@example.com');
    assert.equal((await mailbox.read(derivedId('mal', 'ada')))?.to, 'ada@example.com');
    const old = Array.from({ length: 1_000 }, (_each, index) => ({
      ...{ _id: `mal_old_${index}` as never, to: 'x', toKey: 'x', subject: 'old', sealed: '' },
      at: new Date(Date.now() - 86_400_000 - index),
    }));
    await world.db.collection('mailbox').insertMany(old);
    world.clock.aheadMs += 10;
    await put('last');
    assert.equal(await world.db.collection('mailbox').countDocuments({}), 1_000);
    assert.deepEqual(subjectsOf(await list('?limit=3')), ['To last', 'To second', 'To eve']);
    assert.equal(await world.db.collection('mailbox').countDocuments({ subject: 'old' }), 995);
  });

  it('is not there where mails are sent', async () => {
    const sending = await world.replica({
      ...{ MAILBOX: '', SMTP_URL: 'smtp://127.0.0.1:9', MAIL_FROM: 'no-reply@example.com' },
    });
    const answer = await sending.call('GET /v1/auth/mailbox', { token: root.accessToken });
    assert.equal(answer.status, 404);
    await sending.stop();
  });
});
