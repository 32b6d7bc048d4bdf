import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { createAsking, faultsOf } from '../../testing/asked-data.ts';
import { awaitLogged } from '../../testing/logged-events.ts';
import { openTestData } from '../../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../../testing/test-data.ts';
import type { Trial } from './run-trial.ts';
import type { TriedRules } from './try-rules.ts';

const merge = 'application/merge-patch+json';

const notes = {
  schema: {
    properties: {
      owner: { type: 'string' },
      status: { enum: ['draft', 'published'] },
      team: { type: 'string' },
      secret: { type: 'string' },
      n: { type: 'number' },
    },
  },
  indexes: [{ keys: { owner: 1 } }],
  rules: {
    read: [{ status: 'published' }, { owner: { $auth: 'sub' } }],
    create: 'signed-in',
    update: [{ owner: { $auth: 'sub' } }],
    delete: [{ owner: { $auth: 'sub' } }],
  },
};

describe('POST /v1/rules/try', () => {
  let data: TestData;
  let replica: TestReplica;
  let admin: Person;
  let ada: Person;
  let eve: Person;
  let asking: ReturnType<typeof createAsking>;

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
    [admin, ada, eve] = await Promise.all([data.person({ roles: ['admin'] }), data.person(), data.person()]);
    asking = createAsking(replica, admin);
  });

  after(() => data.stop());

  const ask = (body: unknown, person: Person | undefined = admin): Promise<Answered> =>
    replica.call('POST /v1/rules/try', { body, token: person.token });
  const attempt = async (body: object): Promise<TriedRules> => {
    const answer = await ask(body);
    assert.equal(answer.status, 200, answer.text);
    return answer.body as unknown as TriedRules;
  };
  const create = async (name: string, fields: object, by: Person = admin): Promise<string> => {
    const answer = await replica.call(`POST /v1/data/${name}`, { body: fields, token: by.token });
    assert.equal(answer.status, 201, answer.text);
    return String(answer.body.id);
  };
  const change = async (path: string, body: object, by: Person): Promise<string> => {
    const answer = await replica.call(`PATCH /v1/data/${path}`, { body, type: merge, token: by.token });
    assert.equal(answer.status, 200, answer.text);
    return answer.headers.get('causeway-event') ?? assert.fail();
  };
  const logged = (name: string, count: number): Promise<void> => awaitLogged(data, name, count);
  const rowOf = ({ callers }: Trial, who: unknown): Trial['callers'][number] =>
    callers.find((each) => JSON.stringify(each.who) === JSON.stringify(who)) ??
    assert.fail(`${JSON.stringify(who)} is not there`);
  const counts = ({ read, update, delete: remove }: Trial['callers'][number]) =>
    [read, update, remove].map(({ gains, losses }) => [gains.count, losses.count]);

  it('says for whom records appear and disappear, and by which clause', async () => {
    const name = await asking.filled(notes, []);
    const [draft, own, shown] = [
      await create(name, { owner: ada.id, status: 'draft', team: eve.id }),
      await create(name, { owner: eve.id, status: 'draft' }),
      await create(name, { owner: ada.id, status: 'published' }),
    ];
    const read = [{ owner: { $auth: 'sub' } }, { team: { $auth: 'sub' } }];
    const tried = await attempt({ collection: name, rules: { read } });
    assert.deepEqual([tried.complete, tried.wouldChange, tried.revision], [true, true, 1]);
    assert.deepEqual(tried.records, { looked: 3, more: false, tooCostly: 0 });

    assert.deepEqual(counts(rowOf(tried, 'anonymous')), [
      [0, 1],
      [0, 0],
      [0, 0],
    ]);
    const { losses } = rowOf(tried, 'signed-in').read;
    assert.deepEqual(losses.examples, [shown]);
    assert.equal(losses.because, 'Not found: /rules/read: none of its 2 alternatives holds.');
    const ofEve = rowOf(tried, { sub: eve.id });
    assert.deepEqual(counts(ofEve), [
      [1, 1],
      [0, 0],
      [0, 0],
    ]);
    assert.deepEqual([ofEve.read.gains.examples, ofEve.read.losses.examples], [[draft], [shown]]);
    assert.deepEqual(ofEve.read.gains.decidedBy, { pointer: '/rules/read/1', words: '`team` is the caller' });
    // Ada sees what she saw; that administrators wrote the records tells of one more.
    assert.ok(tried.callers.every(({ who }) => JSON.stringify(who) !== JSON.stringify({ sub: ada.id })));
    assert.deepEqual(tried.people, { found: 3, compared: 3, unchanged: 1 });
    assert.ok(own);
  });

  it('saves nothing, tells nobody, and is for administrators', async () => {
    const name = await asking.filled(notes, []);
    await create(name, { owner: ada.id, status: 'draft' }, ada);
    await logged(name, 1);
    const events = data.db.collection('events', { readConcern: { level: 'majority' } });
    const [shown, count] = [
      await replica.call(`GET /v1/collections/${name}`, { token: admin.token }),
      await events.countDocuments(),
    ];
    await attempt({ collection: name, rules: { read: 'public', delete: 'public' }, fields: { secret: { read: [] } } });
    const again = await replica.call(`GET /v1/collections/${name}`, { token: admin.token });
    assert.deepEqual(again.body, shown.body);
    assert.deepEqual((await replica.call(`GET /v1/data/${name}`)).body.items, []);
    // An event that comes after it is the next one.
    await create(name, { owner: ada.id }, ada);
    await logged(name, 2);
    assert.equal(await events.countDocuments(), count + 1);
    const changes = data.db.collection('definition_changes', { readConcern: { level: 'majority' } });
    assert.equal(await changes.countDocuments({ owner: { $exists: true } }), 0);
    assert.equal((await ask({ collection: name }, ada)).status, 403);
    assert.equal((await replica.call('POST /v1/rules/try', { body: { collection: name } })).status, 401);
  });

  it('judges calls that were made, as far as their events tell', async () => {
    const name = await asking.filled(
      {
        ...notes,
        rules: { ...notes.rules, update: [{ owner: { $auth: 'sub' } }, { team: { $in: { $auth: 'roles' } } }] },
      },
      [],
    );
    const id = await create(name, { owner: ada.id, status: 'draft' }, ada);
    await create(name, { owner: 'nobody', status: 'draft' }, eve);
    const published = await change(`${name}/${id}`, { status: 'published' }, ada);
    await change(`${name}/${id}`, { n: 1 }, ada);
    await change(`${name}/${id}`, { n: 2 }, admin);
    assert.equal((await replica.call(`DELETE /v1/data/${name}/${id}`, { token: ada.token })).status, 204);
    await logged(name, 6);
    const rules = {
      create: [{ owner: { $auth: 'sub' } }],
      update: { before: [{ owner: { $auth: 'sub' } }], after: [{ status: { $before: 'status' } }] },
      delete: [{ status: 'draft' }],
    };
    const { events } = await attempt({ collection: name, rules });
    assert.deepEqual([events.looked, events.ended], [6, 'beginning']);
    const { create: created, update, delete: removed } = events.calls;
    assert.deepEqual([created.judged, created.losses.count, created.gains.count], [2, 1, 0]);
    assert.equal(created.losses.examples[0]?.who, eve.id);
    assert.match(String(created.losses.because), /^Forbidden: \/rules\/create\/0 fails at: `owner` is the caller/);
    assert.deepEqual([update.judged, update.losses.count], [2, 1]);
    assert.deepEqual(update.losses.examples, [{ eventId: published, who: ada.id, action: 'update', record: id }]);
    assert.deepEqual(update.losses.decidedBy, {
      pointer: '/rules/update/after/0',
      words: '`status` is what it was',
    });
    assert.deepEqual([removed.judged, removed.losses.count], [1, 1]);
    // By the present rules the administrator's call depends on roles, of which the event says nothing.
    assert.deepEqual(events.unjudged, [{ reason: 'unknown-caller', count: 1 }]);

    const who = [{ sub: admin.id, roles: ['admin'] }, { sub: eve.id }];
    const known = await attempt({ collection: name, rules, who });
    assert.deepEqual(known.events.unjudged, []);
    assert.deepEqual([known.events.calls.update.judged, known.events.calls.update.losses.count], [3, 1]);
    assert.equal(known.people, undefined);
    assert.deepEqual(
      known.callers.map(({ who: each }) => each),
      who,
    );
    const few = await attempt({ collection: name, rules, events: 1 });
    assert.deepEqual([few.events.looked, few.events.ended], [1, 'enough']);
    assert.equal(few.events.calls.delete.judged, 1);
  });

  it('says of what follows from something else, and of what nobody has done, that it is not judged', async () => {
    const parents = await asking.filled(
      { schema: {}, rules: { read: 'public', create: 'public', delete: 'public' } },
      [],
    );
    const children = {
      schema: { properties: { one: { type: ['string', 'null'] }, other: { type: 'string' } } },
      fields: {
        one: { reference: { collection: parents, onDelete: 'null' } },
        other: { reference: { collection: parents, onDelete: 'cascade' } },
      },
      rules: { read: 'public', create: 'public', update: 'public', delete: 'public' },
    };
    const name = await asking.filled(children, []);
    const [first, second] = [await create(parents, {}, ada), await create(parents, {}, ada)];
    await create(name, { one: first }, ada);
    await create(name, { other: second }, ada);
    const anonymously = await replica.call(`POST /v1/data/${name}`, { body: {} });
    assert.equal(anonymously.status, 201, anonymously.text);
    const patched = await replica.call(`PATCH /v1/data/${name}/${String(anonymously.body.id)}`, {
      body: { one: second },
      type: merge,
    });
    assert.equal(patched.status, 200, patched.text);
    for (const id of [first, second]) {
      assert.equal((await replica.call(`DELETE /v1/data/${parents}/${id}`, { token: ada.token })).status, 204);
    }
    // Three are created; one is changed by nobody; two lose a reference, and one goes.
    await logged(name, 7);
    const { events } = await attempt({ collection: name, rules: { create: 'signed-in', update: [], delete: [] } });
    assert.deepEqual(
      events.unjudged.toSorted((a, b) => (a.reason < b.reason ? -1 : 1)),
      [
        { reason: 'consequence', count: 3 },
        { reason: 'unattributed', count: 1 },
      ],
    );
    assert.deepEqual(
      events.calls.create.losses.examples.map(({ who }) => who),
      ['anonymous'],
    );
    assert.deepEqual([events.calls.update.judged, events.calls.delete.judged], [0, 0]);
  });

  it('says what feeds would begin and cease to tell', async () => {
    const name = await asking.filled(notes, []);
    const id = await create(name, { owner: ada.id, status: 'published' }, ada);
    const drafted = await change(`${name}/${id}`, { status: 'draft' }, ada);
    await change(`${name}/${id}`, { team: eve.id }, ada);
    await logged(name, 3);
    const read = [{ team: { $auth: 'sub' } }, { status: 'draft' }];
    const tried = await attempt({
      collection: name,
      rules: { read },
      who: ['anonymous', { sub: ada.id }, { sub: eve.id }],
    });
    const feedOf = (who: unknown) => rowOf(tried, who).feed;
    // Created and left: now it is entered and updated.
    assert.deepEqual([feedOf('anonymous').gains.count, feedOf('anonymous').losses.count], [2, 1]);
    assert.deepEqual(
      feedOf('anonymous').gains.examples.find(({ eventId }) => eventId === drafted),
      { eventId: drafted, record: id, now: 'left', then: 'entered' },
    );
    assert.deepEqual([feedOf({ sub: ada.id }).gains.count, feedOf({ sub: ada.id }).losses.count], [0, 1]);
    assert.deepEqual(feedOf({ sub: ada.id }).losses.examples[0]?.now, 'created');
  });

  it('compares rules of fields, to read and to write', async () => {
    const name = await asking.filled(
      {
        ...notes,
        rules: { ...notes.rules, read: 'public', update: 'public' },
        fields: { n: { readOnly: true }, team: { read: [] } },
      },
      [],
    );
    const [one, two] = [
      await create(name, { owner: ada.id, secret: 'x', n: 1, team: 'a' }),
      await create(name, { owner: eve.id, secret: 'y' }),
    ];
    await create(name, { owner: ada.id });
    const fields = {
      secret: { read: [{ owner: { $auth: 'sub' } }] },
      n: { write: [] },
      status: { write: [{ owner: { $auth: 'sub' } }] },
      team: { read: null },
    };
    const tried = await attempt({ collection: name, fields, who: [{ sub: ada.id }] });
    const [row] = tried.callers;
    const told = Object.fromEntries(
      (row?.fields ?? []).map(({ path, read, write }) => [
        path,
        [read.gains.count, read.losses.count, write.gains.count, write.losses.count],
      ]),
    );
    // What is read-only stays so.
    assert.deepEqual(told, { secret: [0, 1, 0, 1], status: [0, 0, 0, 1], team: [1, 0, 3, 0] });
    const secret = row?.fields.find(({ path }) => path === 'secret');
    assert.deepEqual(secret?.read.losses.examples, [two]);
    assert.match(
      String(secret.read.losses.because),
      /^Hidden: \/fields\/secret\/read\/0 fails at: `owner` is the caller/,
    );
    const team = row?.fields.find(({ path }) => path === 'team');
    assert.deepEqual([team?.read.gains.examples, team?.read.gains.decidedBy], [[one], null]);
    assert.deepEqual(counts(row ?? assert.fail()), [
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
  });

  it('compares rules of encrypted fields without opening them, and says of which calls nothing can be said', async () => {
    const own = [{ owner: { $auth: 'sub' } }];
    const name = await asking.filled(
      {
        ...notes,
        rules: { ...notes.rules, read: 'public', update: 'public' },
        fields: { secret: { encrypted: true } },
      },
      [],
    );
    const id = await create(name, { owner: eve.id, secret: 'x' }, eve);
    await create(name, { owner: eve.id }, eve);
    await change(`${name}/${id}`, { secret: 'y' }, ada);
    await logged(name, 3);
    const tried = await attempt({ collection: name, fields: { secret: { read: own } }, who: [{ sub: ada.id }] });
    const [secret] = tried.callers[0]?.fields ?? [];
    assert.deepEqual([secret?.read.losses.examples, secret?.write.losses.count], [[id], 2]);
    assert.deepEqual(tried.events.unjudged, [{ reason: 'encrypted-field', count: 1 }]);
    assert.deepEqual([tried.events.calls.create.judged, tried.events.calls.create.losses.count], [2, 0]);
    assert.ok(!JSON.stringify(tried).includes('"x"'));
  });

  it('finds people where rules look for them: in arrays, and in the records that references name', async () => {
    const projects = await asking.filled(
      { schema: { properties: { members: { type: 'array', items: { type: 'string' } } } }, rules: { read: 'public' } },
      [],
    );
    const project = await create(projects, { members: [eve.id, 'usr_b'] });
    const tasks = {
      schema: {
        properties: {
          project: { type: 'string' },
          crew: { type: 'array', items: { type: 'object' } },
          done: { type: 'boolean' },
        },
      },
      fields: { project: { reference: { collection: projects } } },
      rules: { read: [{ project: { $follow: { members: { $auth: 'sub' } } } }] },
    };
    const name = await asking.filled(tasks, []);
    const id = await create(name, { project, crew: [{ who: ada.id }, { who: 'usr_a' }], done: true });
    const rules = { read: [{ 'crew.who': { $auth: 'sub' } }] };
    const { callers, people } = await attempt({ collection: name, rules });
    const gained = callers.filter(({ read }) => read.gains.count > 0).map(({ who }) => who);
    const lost = callers.filter(({ read }) => read.losses.count > 0).map(({ who }) => who);
    const bySub = (subs: readonly string[]): object[] => subs.toSorted().map((sub) => ({ sub }));
    assert.deepEqual(gained.toSorted(byText), bySub([ada.id, 'usr_a']));
    assert.deepEqual(lost.toSorted(byText), bySub([eve.id, 'usr_b']));
    assert.deepEqual(people, { found: 5, compared: 5, unchanged: 1 });
    const followed = await attempt({
      collection: name,
      rules: {
        read: [{ project: { $follow: { members: 'usr_c' } } }],
        delete: [{ project: { $follow: { members: { $auth: 'sub' } } }, done: true }],
      },
      who: [{ sub: eve.id }, { sub: ada.id }],
    });
    assert.deepEqual(followed.callers.map(counts), [
      [
        [0, 1],
        [0, 0],
        [0, 0],
      ],
      [
        [0, 0],
        [0, 0],
        [0, 0],
      ],
    ]);
    assert.deepEqual(followed.callers[0]?.read.losses.examples, [id]);
    const open = await attempt({
      collection: name,
      rules: { delete: [{ project: { $follow: { members: { $auth: 'sub' } } }, done: true }] },
      who: [{ sub: eve.id }, { sub: ada.id }],
    });
    assert.deepEqual(open.callers.map(counts), [
      [
        [0, 0],
        [0, 0],
        [1, 0],
      ],
      [
        [0, 0],
        [0, 0],
        [0, 0],
      ],
    ]);
  });

  it('looks at as many records as it is asked to, and says so', async () => {
    const rows = Array.from({ length: 230 }, (_, n) => ({ owner: ada.id, status: 'published', n }));
    const name = await asking.filled(notes, rows);
    const tried = async (body: object) =>
      attempt({ collection: name, rules: { read: [] }, who: ['anonymous'], events: 0, ...body });
    const all = await tried({});
    assert.deepEqual(
      [all.records, all.callers[0]?.read.losses.count],
      [{ looked: 230, more: false, tooCostly: 0 }, 230],
    );
    assert.equal(all.callers[0]?.read.losses.examples.length, 5);
    const some = await tried({ records: 150 });
    assert.deepEqual(
      [some.records, some.callers[0]?.read.losses.count],
      [{ looked: 150, more: true, tooCostly: 0 }, 150],
    );
    const exact = await tried({ records: 230 });
    assert.deepEqual(exact.records, { looked: 230, more: false, tooCostly: 0 });
    assert.deepEqual((await tried({ records: 0 })).records, { looked: 0, more: true, tooCostly: 0 });
    assert.deepEqual([some.complete, some.events.looked, some.events.ended], [true, 0, 'enough']);
  });

  it('names at most 100 people, those who are named most first', async () => {
    const rows = Array.from({ length: 150 }, (_, n) => ({ owner: `usr_${n}`, status: 'published', n }));
    const name = await asking.filled(notes, [...rows, ...rows.slice(140)]);
    const { people, callers } = await attempt({ collection: name, rules: { read: [{ n: { $lt: 0 } }] }, events: 0 });
    assert.deepEqual(people, { found: 151, compared: 100, unchanged: 0 });
    const named = new Set(callers.map(({ who }) => (typeof who === 'string' ? who : who.sub)));
    for (const { owner } of rows.slice(140)) assert.ok(named.has(owner), owner);
  });

  it('says nothing of records over which a rule takes too long', async () => {
    const name = await asking.filled({ schema: { additionalProperties: true }, rules: { read: 'public' } }, []);
    const text = Array.from({ length: 300_000 }, () => (Math.random() < 0.5 ? 'a' : 'b')).join('');
    const id = await create(name, { text });
    await create(name, { text: 'b' });
    const rules = { read: [{ text: { $regex: 'a[ab]{900}[cd]' } }] };
    const tried = await attempt({ collection: name, rules, who: ['anonymous'] });
    assert.deepEqual(tried.records, { looked: 2, more: false, tooCostly: 1 });
    assert.equal(tried.callers[0]?.read.losses.count, 1);
    assert.ok(!tried.callers[0].read.losses.examples.includes(id));
  });

  it('warns as a definition does', async () => {
    const name = await asking.filled(notes, []);
    const { warnings } = await attempt({
      collection: name,
      rules: { read: [{ owner: 'x' }, { team: { $auth: 'org' } }] },
    });
    assert.deepEqual(
      warnings.map(({ pointer, code, index }) => [pointer, code, index]),
      [['/rules/read/1', 'rule-needs-index', { keys: { team: 1 } }]],
    );
    const same = await attempt({ collection: name, rules: notes.rules });
    assert.deepEqual([same.wouldChange, same.callers.length], [false, 2]);
  });

  it('refuses what is no rule as a definition would be, and what is asked wrongly', async () => {
    const name = await asking.filled(notes, []);
    const asked = { collection: name };
    for (const rules of [
      { read: 7 },
      { read: [{ a: { $where: 1 } }] },
      { publish: [] },
      { read: [{ owner: { $follow: {} } }] },
    ]) {
      const defined = await replica.call(`PUT /v1/collections/${name}`, {
        body: { ...notes, rules },
        token: admin.token,
      });
      const answer = await ask({ ...asked, rules });
      assert.equal(answer.status, 400, answer.text);
      assert.deepEqual(answer.body.errors, defined.body.errors);
    }
    for (const [body, expected] of [
      [{ ...asked, collection: 'none' }, [404, 'not-found', [['', '/collection', 'unknown-collection']]]],
      [
        { ...asked, fields: { nothing: { read: [] } } },
        [400, 'invalid-request', [['', '/fields/nothing', 'invalid-path']]],
      ],
      [
        { ...asked, fields: { n: { readOnly: true } } },
        [400, 'invalid-request', [['', '/fields/n/readOnly', 'unknown-field']]],
      ],
      [{ ...asked, fields: { n: {} } }, [400, 'invalid-request', [['', '/fields/n', 'invalid-fields']]]],
    ] as const) {
      assert.deepEqual(faultsOf(await ask(body)), expected);
    }
    for (const [body, pointer] of [
      [{ ...asked, events: 10_001 }, '/events'],
      [{ ...asked, events: -1 }, '/events'],
      [{ ...asked, records: 100_001 }, '/records'],
      [{ ...asked, who: [] }, '/who'],
      [{ ...asked, who: ['everyone'] }, '/who/0'],
      [{ ...asked, who: [{ name: 'Ada' }] }, '/who/0/name'],
      [{ ...asked, who: Array.from({ length: 101 }, () => 'anonymous') }, '/who'],
      [{ ...asked, schema: {} }, '/schema'],
      [{ rules: {} }, '/collection'],
    ] as const) {
      const answer = await ask(body);
      const [error] = (answer.body as unknown as { errors?: { pointer?: string }[] }).errors ?? [];
      assert.equal(`${answer.status} ${error?.pointer ?? ''}`, `400 ${pointer}`, answer.text);
    }
  });
});

const byText = (one: unknown, other: unknown): number => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1);
