import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { altered } from '@causeway/service/testing';

import { administratorSettings, signInAdministrator, tokenOfOldSession } from '../testing/test-administrator.ts';
import { openTestAuth, signIn, signUp } from '../testing/test-auth.ts';
import type { Answered, Person, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { auditCollections } from './audit.model.ts';
import type { AuditEntry } from './audit-entry.ts';

type Item = Readonly<Record<string, unknown>> & {
  readonly id: string;
  readonly at: string;
  readonly type: string;
};

describe('reading the audit', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let root: Person;
  let ada: Person;
  let bob: Person;

  const code = ({ status, body }: Answered): string => `${status} ${String(body.code)}`;
  const itemsOf = (answer: Answered): Item[] => {
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return (answer.body as unknown as { items: Item[] }).items;
  };
  const nextOf = ({ body }: Answered) => (body as unknown as { nextCursor: string | null }).nextCursor;
  const read = (path: string, token = root.accessToken) => auth.call(`GET ${path}`, { token });
  const entries = () => auditCollections(world.db).entries;
  const untilThere = async (count: number, filter: object) => {
    const deadline = performance.now() + 60_000;
    while ((await entries().countDocuments(filter)) < count) {
      assert.ok(performance.now() < deadline, `waited 60 s in vain for ${JSON.stringify(filter)}`);
      await delay(10);
    }
  };
  /** All pages of a list. */
  const walk = async (path: string, token?: string): Promise<Item[]> => {
    const found: Item[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const answer: Answered = await read(`${path}${cursor === '' ? '' : `&cursor=${cursor}`}`, token);
      found.push(...itemsOf(answer));
      cursor = nextOf(answer);
    }
    return found;
  };
  const stream = async (query: string, mediaType: string) => {
    const headers = {
      accept: mediaType,
      authorization: `Bearer ${root.accessToken}`,
    };
    const answer = await auth.service.fetch(`/v1/auth/audit${query}`, {
      headers,
    });
    return { answer, text: await answer.text() };
  };

  before(async () => {
    world = await openTestAuth();
    // Twenty thousand entries at once hold this process up, and what it has heard of revocations is for other specs.
    auth = await world.replica({ ...administratorSettings, REVOCATION_BOUND: '1m' });
    [ada, bob] = [await signUp(auth), await signUp(auth)];
    for (let again = 0; again < 4; again += 1) await signIn(auth, ada.email);
    await auth.call('POST /v1/auth/sign-out', { token: bob.accessToken });
    root = await signInAdministrator(auth);
    // With the proof that is asked of a new address.
    await untilThere(7, { accountId: ada.id });
    await untilThere(4, { accountId: bob.id });
    await untilThere(1, { accountId: root.id, type: 'auth.session.started' });
  });
  after(() => world.stop());

  it('gives everybody their own entries, and nobody another’s', async () => {
    const own = await walk('/v1/auth/activity?limit=2', ada.accessToken);
    assert.equal(own.length, 7);
    assert.deepEqual(
      [...own].sort((a, b) => Date.parse(b.at) - Date.parse(a.at)),
      own,
      'the newest first',
    );
    assert.equal(own.at(-1)?.type.startsWith('auth.'), true);
    assert.deepEqual(new Set(own.map(({ by }) => by)), new Set(['you']));
    assert.equal(new Set(own.map(({ id }) => id)).size, 7);
    for (const { facts } of own) assert.equal((facts as { accountId: string }).accountId, ada.id);
    const first = own.find(({ type }) => type === 'auth.session.started');
    assert.match(JSON.stringify(first?.personal), /127\.0\.0\.1/);
    assert.match(String(first?.hash), /^[\w-]{43}$/);
    const page = await read('/v1/auth/activity?limit=2', ada.accessToken);
    assert.equal(page.headers.get('cache-control'), 'no-store');
    const foreign = await read(`/v1/auth/activity?limit=2&cursor=${nextOf(page)}`);
    assert.equal(code(foreign), '404 not-found');
    const other = altered(nextOf(page)!);
    assert.equal(code(await read(`/v1/auth/activity?limit=2&cursor=${other}`, ada.accessToken)), '400 invalid-request');
    for (const query of ['?account=x', `?account=${bob.id}`, '?limit=0', '?limit=201', '?cursor=x']) {
      assert.equal(code(await read(`/v1/auth/activity${query}`, ada.accessToken)), '400 invalid-request', query);
    }
    assert.equal((await auth.call('GET /v1/auth/activity')).status, 401);
  });

  it('does not tell which administrator has done it', async () => {
    const [model] = await entries().find({ accountId: ada.id, type: 'auth.account.created' }).toArray();
    const facts = { accountId: ada.id, changed: ['disabled'], by: root.id };
    const act = {
      type: 'auth.account.updated',
      eventId: 'disabled',
      actorId: root.id,
      facts,
      at: new Date(),
    };
    await entries().insertOne({
      ...model!,
      ...act,
      _id: { chain: 900, seq: 1 },
    });
    const [latest] = itemsOf(await read('/v1/auth/activity?limit=1', ada.accessToken));
    assert.equal(latest?.by, 'somebody-else');
    assert.equal(JSON.stringify(latest).includes(root.id), false);
    const [told] = itemsOf(await read(`/v1/auth/audit?account=${ada.id}&type=auth.account.updated`));
    assert.deepEqual([told?.actorId, (told?.facts as { by: string }).by], [root.id, root.id]);
    await entries().deleteOne({ eventId: 'disabled' });
  });

  it('gives administrators what they ask for, page by page', async () => {
    const everything = await entries()
      .find({ type: { $ne: 'auth.audit.read' } })
      .sort({ at: -1, _id: -1 })
      .toArray();
    const ids = (which: (entry: AuditEntry) => boolean) =>
      everything.filter(which).map(({ _id: { chain, seq } }) => `${chain}:${seq}`);
    const middle = everything[Math.floor(everything.length / 2)]!.at;
    for (const [query, which] of [
      [`account=${ada.id}`, (entry) => entry.accountId === ada.id],
      [`actor=${bob.id}`, (entry) => entry.actorId === bob.id],
      ['type=auth.session.ended', (entry) => entry.type === 'auth.session.ended'],
      [
        `account=${ada.id}&type=auth.session.started`,
        (entry) => entry.accountId === ada.id && entry.type === 'auth.session.started',
      ],
      [`account=${ada.id}&outcome=refused`, () => false],
      [
        `type=auth.session.started&from=${middle.toISOString()}`,
        (entry) => entry.type === 'auth.session.started' && entry.at >= middle,
      ],
      [
        `type=auth.session.started&to=${middle.toISOString()}`,
        (entry) => entry.type === 'auth.session.started' && entry.at < middle,
      ],
      ['account=usr_NOBODY', () => false],
    ] as readonly (readonly [string, (entry: AuditEntry) => boolean])[]) {
      const expected = ids(which);
      for (const limit of [1, 3, 200]) {
        const found = await walk(`/v1/auth/audit?${query}&limit=${limit}`);
        assert.deepEqual(
          found.map(({ id }) => id),
          expected,
          `${query} by ${limit}`,
        );
      }
    }
  });

  it('binds a cursor to its question', async () => {
    const cursor = nextOf(await read(`/v1/auth/audit?account=${ada.id}&limit=2`))!;
    assert.equal((await read(`/v1/auth/audit?account=${ada.id}&limit=3&cursor=${cursor}`)).status, 200);
    const forged = Buffer.from(JSON.stringify(['[]', 1, 1, 1])).toString('base64url');
    for (const query of [
      ...[
        `account=${bob.id}&cursor=${cursor}`,
        `cursor=${cursor}`,
        `account=${ada.id}&type=auth.session.started&cursor=${cursor}`,
      ],
      ...[
        `account=${ada.id}&cursor=${cursor.slice(0, -2)}`,
        `account=${ada.id}&cursor=${forged}`,
        'cursor=%00',
        'cursor=e30',
      ],
    ]) {
      assert.equal(code(await read(`/v1/auth/audit?${query}`)), '400 invalid-request', query);
    }
  });

  it('is refused to all but administrators, and for what is no question', async () => {
    assert.equal(code(await read('/v1/auth/audit', ada.accessToken)), '403 forbidden');
    assert.equal((await auth.call('GET /v1/auth/audit')).status, 401);
    for (const query of [
      ...['account=', 'account[$gt]=', 'account=a&account=b', `account=${'x'.repeat(65)}`, 'type=user.profile.created'],
      ...['type=auth', 'outcome=maybe', 'from=yesterday', 'from=2026-01-01', 'to=1', 'limit=x', 'what=else'],
    ]) {
      assert.equal(code(await read(`/v1/auth/audit?${query}`)), '400 invalid-request', query);
    }
  });

  it('asks for a recent authentication where all of it is taken away', async () => {
    const old = await tokenOfOldSession(world, auth);
    for (const accept of ['application/x-ndjson', 'text/csv']) {
      const answer = await auth.call('GET /v1/auth/audit', { token: old, headers: { accept } });
      assert.equal(code(answer), '401 insufficient-authentication');
      assert.match(answer.headers.get('www-authenticate') ?? '', /insufficient_user_authentication.*max_age="900"/);
    }
    assert.equal((await read('/v1/auth/activity', old)).status, 200);
  });

  it('is itself in the audit', async () => {
    const listed = await read(`/v1/auth/audit?account=${bob.id}`);
    const { answer } = await stream(`?actor=${ada.id}`, 'text/csv');
    for (const [eventId, what, about] of [
      [listed.headers.get('causeway-event'), 'audit', bob.id],
      [answer.headers.get('causeway-event'), 'export', ada.id],
    ] as const) {
      await untilThere(1, { eventId });
      const entry = await entries().findOne({ eventId: eventId! });
      assert.deepEqual([entry?.type, entry?.actorId, entry?.facts], ['auth.audit.read', root.id, { what, about }]);
    }
    const many = await Promise.all(Array.from({ length: 4 }, () => read('/v1/auth/audit?limit=1')));
    assert.equal(new Set(many.map(({ headers }) => headers.get('causeway-event'))).size, 4);
  });

  it('streams all that is asked for as NDJSON and as CSV', async () => {
    const [model] = await entries().find({ accountId: ada.id, type: 'auth.session.started' }).toArray();
    const count = 20_000;
    const at = new Date('2020-01-01T00:00:00Z');
    const copies = Array.from({ length: count }, (_, index): AuditEntry => ({
      ...model!,
      ...{
        _id: { chain: 901, seq: index + 1 },
        eventId: `copy-${index}`,
        accountId: 'usr_COPY',
        at,
      },
      personal: { userAgent: index === 0 ? '=1+1,"x"' : 'y', ip: '192.0.2.1' },
      correlationId: index === 0 ? '=HYPERLINK("x")' : 'c',
    }));
    await entries().insertMany(copies);
    const { answer, text } = await stream('?account=usr_COPY', 'application/x-ndjson');
    assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, 'application/x-ndjson']);
    assert.match(answer.headers.get('content-disposition') ?? '', /attachment; filename="audit.ndjson"/);
    const items = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Item);
    assert.deepEqual([items.length, items[0]?.id, items.at(-1)?.id], [count, `901:${count}`, '901:1']);
    const csv = await stream('?account=usr_COPY', 'text/csv');
    const lines = csv.text.trimEnd().split('\r\n');
    assert.equal(csv.answer.headers.get('content-type'), 'text/csv; charset=utf-8; header=present');
    assert.equal(lines.length, count + 1);
    assert.match(
      lines[0]!,
      /^id,at,type,outcome,accountId,actorType,actorId,correlationId,eventId,facts,personal,prev,hash$/,
    );
    assert.match(lines.at(-1)!, /^901:1,2020-01-01T00:00:00\.000Z,.*,"'=HYPERLINK\(""x""\)",/);
    const paged = await stream('?account=usr_COPY&limit=3', 'text/csv');
    assert.equal(paged.answer.status, 400);
    assert.match(paged.text, /not-in-exports/);
    await entries().deleteMany({ accountId: 'usr_COPY' });
  });
});
