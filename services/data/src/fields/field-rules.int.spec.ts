import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { operatorsType } from '../operators/parse-operators.ts';
import { jsonPatchType } from '../records/json-patch.ts';
import { mergePatchType } from '../records/merge-patch.ts';
import { openTestData } from '../testing/test-data.ts';
import type { Answered, Person, TestCall, TestData, TestReplica } from '../testing/test-data.ts';
import { openFeed } from '../testing/test-feed.ts';

const staff = {
  schema: {
    type: 'object',
    required: ['name'],
    properties: {
      name: { type: 'string' },
      owner: { type: 'string' },
      salary: { type: 'integer' },
      code: { type: 'string' },
      pin: { type: 'string', minLength: 3 },
      grade: { type: 'integer' },
      contact: { type: 'object', properties: { phone: { type: 'string' }, email: { type: 'string' } } },
    },
  },
  indexes: [{ keys: { code: 1 }, unique: true, where: { code: { $exists: true } } }],
  fields: {
    salary: { read: [{ owner: { $auth: 'sub' } }] },
    code: { read: [] },
    pin: { read: [], write: 'signed-in' },
    grade: { write: [{ owner: { $auth: 'sub' } }] },
    'contact.phone': { read: [] },
  },
  rules: { read: 'public', create: 'signed-in', update: 'signed-in', delete: 'signed-in' },
} as const;

/** Values that are looked for in everything that is answered. */
const salary = 987_654;
const secrets = { code: 'SECRET-CODE', pin: 'SECRET-PIN', phone: 'SECRET-PHONE' };

const whole = (owner: string, name = 'Grace') => ({
  ...{ name, owner, salary, grade: 1, pin: secrets.pin },
  code: `${secrets.code}-${randomUUID()}`,
  contact: { phone: secrets.phone, email: 'e@example.org' },
});

describe('fields with rules of their own', () => {
  let data: TestData;
  let replica: TestReplica;
  let admin: Person;
  let ada: Person;
  let bob: Person;

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
    [admin, ada, bob] = [await data.person({ roles: ['admin'] }), await data.person(), await data.person()];
    for (const name of ['staff', 'empty']) {
      const defined = await define(staff, name);
      assert.equal(defined.status, 201, defined.text);
      assert.deepEqual(defined.body.fields, staff.fields);
    }
  });

  after(() => data.stop());

  const define = (body: unknown, name: string): Promise<Answered> =>
    replica.call(`PUT /v1/collections/${name}`, { body, token: admin.token });
  const call = (methodAndPath: string, by?: Person, options: TestCall = {}): Promise<Answered> =>
    replica.call(methodAndPath, { ...options, token: by?.token });
  const make = async (fields: object = whole(ada.id), name = 'staff'): Promise<string> => {
    const made = await call(`POST /v1/data/${name}`, admin, { body: fields });
    assert.equal(made.status, 201, made.text);
    return String(made.body.id);
  };
  const stored = async (id: string): Promise<Record<string, unknown>> =>
    (await call(`GET /v1/data/staff/${id}`, admin)).body;
  const patch = (id: string, body: unknown, by: Person, type = mergePatchType): Promise<Answered> =>
    call(`PATCH /v1/data/staff/${id}`, by, { body, type });
  const filterOf = (filter: unknown): string => encodeURIComponent(JSON.stringify(filter));
  const outcome = ({ status, body }: Answered): string => {
    const { errors = [] } = body as { errors?: { pointer: string }[] };
    return [status, body.code, ...errors.map(({ pointer }) => pointer)].filter((each) => each !== undefined).join(' ');
  };

  /** Everything in which a record is told to somebody, by how it was asked. */
  async function answersTo(by: Person | undefined, id: string): Promise<Map<string, string>> {
    const told = new Map<string, string>();
    const ask = async (methodAndPath: string, options: TestCall = {}): Promise<Answered> => {
      const answered = await call(methodAndPath, by, options);
      assert.ok(answered.status < 300, `${methodAndPath}: ${answered.text}`);
      told.set(`${methodAndPath} ${options.type ?? ''}${JSON.stringify(options.body ?? '')}`, answered.text);
      return answered;
    };
    const only = filterOf({ id });
    const first = await ask(`GET /v1/data/staff/${id}`);
    const position = { 'causeway-after': first.headers.get('causeway-position') ?? '' };
    // From MongoDB, into the caches, and from them.
    for (let time = 0; time < 3; time += 1) {
      const { text } = await ask(`GET /v1/data/staff/${id}`, { headers: position });
      told.set(`cached ${time}`, text);
    }
    await ask(`GET /v1/data/staff?filter=${only}&count=true`);
    await ask(`GET /v1/data/staff?filter=${only}&fields=name,salary,code,contact.phone`);
    await ask(`GET /v1/data/staff?filter=${only}&fields=contact,pin`);
    await ask('POST /v1/data/staff/query', { body: { filter: { id } } });
    for (const accept of ['application/x-ndjson', 'text/csv']) {
      told.set(accept, (await ask(`GET /v1/data/staff?filter=${only}`, { headers: { accept } })).text);
      const named = `GET /v1/data/staff?filter=${only}&fields=name,code,contact.phone,salary`;
      told.set(`${accept} fields`, (await ask(named, { headers: { accept } })).text);
    }
    const snapshot = await openFeed(replica, 'staff', {
      ...(by === undefined ? {} : { token: by.token }),
      filter: { id },
      snapshot: true,
    });
    await snapshot.until('the result', () => snapshot.blocks.some(({ event }) => event === 'ready'));
    const from = snapshot.lastId();
    await patch(id, { name: `changed ${randomUUID()}` }, admin);
    await snapshot.count(1);
    told.set('feed', JSON.stringify(snapshot.blocks));
    snapshot.close();
    const resumed = await openFeed(replica, 'staff', {
      ...(by === undefined ? {} : { token: by.token }),
      filter: { id },
      after: from,
    });
    const [change] = await resumed.count(1);
    assert.ok(change?.previous);
    told.set('resumed feed', JSON.stringify(resumed.blocks));
    resumed.close();
    if (by === undefined) return told;
    await ask(`PATCH /v1/data/staff/${id}`, { body: { name: 'merged' }, type: mergePatchType });
    await ask(`PATCH /v1/data/staff/${id}`, { body: { $set: { name: 'set' } }, type: operatorsType });
    await ask(`PATCH /v1/data/staff/${id}`, {
      body: [{ op: 'replace', path: '/name', value: 'replaced' }],
      type: jsonPatchType,
    });
    const { body: current } = await ask(`GET /v1/data/staff/${id}`);
    const kept = Object.entries(current).filter(([name]) => Object.hasOwn(staff.schema.properties, name));
    const own = Object.fromEntries(kept);
    await ask(`PUT /v1/data/staff/${id}`, { body: { ...own, name: 'put' } });
    const operations = [
      { op: 'update', collection: 'staff', id, merge: { name: 'batched' } },
      { op: 'update', collection: 'staff', id, merge: {} },
    ];
    await ask('POST /v1/batch', { body: { operations } });
    const key = { 'idempotency-key': randomUUID() };
    for (let time = 0; time < 2; time += 1) {
      const body = { name: 'new', owner: by.id, pin: secrets.pin };
      told.set(`created ${time}`, (await ask('POST /v1/data/staff', { body, headers: key })).text);
    }
    const body = { operations: [{ op: 'create', collection: 'staff', fields: { name: 'x', pin: secrets.pin } }] };
    await ask('POST /v1/batch', { body });
    return told;
  }

  it('are in no answer to who does not see them', async () => {
    for (const by of [undefined, bob]) {
      const id = await make();
      for (const [how, text] of await answersTo(by, id)) {
        for (const secret of [String(salary), ...Object.values(secrets)]) {
          // What was sent is in the question.
          assert.equal(text.includes(secret), false, `${how} tells ${secret}: ${text}`);
        }
      }
      const after = await stored(id);
      assert.equal(after.salary, salary);
      assert.equal(after.pin, secrets.pin);
      assert.deepEqual(after.contact, { phone: secrets.phone, email: 'e@example.org' });
    }
  });

  it('are in all answers to who does', async () => {
    for (const [how, text] of await answersTo(ada, await make())) {
      assert.equal(text.includes(secrets.phone) || text.includes(secrets.code), false, how);
      if (/created|"new"|batch|contact,pin/.test(how)) continue;
      assert.ok(text.includes(String(salary)), `${how}: ${text}`);
    }
    const answers = await answersTo(admin, await make());
    for (const [how, text] of answers) {
      if (/created|"new"|"create"|query|contact,pin/.test(how)) continue;
      assert.ok(text.includes(String(salary)) && text.includes(secrets.phone), `${how}: ${text}`);
    }
  });

  it('cannot be found by what they hold', async () => {
    const id = await make({ ...whole(bob.id), salary: 111 });
    for (const [filter, found] of [
      [{ salary: 111 }, 0],
      [{ salary: { $gte: 0 } }, 0],
      [{ salary: { $exists: true } }, 0],
      [{ salary: { $exists: false } }, 1],
      [{ salary: { $ne: 111 } }, 1],
      [{ $nor: [{ salary: 111 }] }, 1],
      [{ code: { $regex: '^SECRET' } }, 0],
      [{ 'contact.phone': { $in: [secrets.phone] } }, 0],
      [{ 'contact.phone': null }, 1],
    ] as const) {
      const asked = { filter: { $and: [{ id }, filter] } };
      const list = await call('POST /v1/data/staff/query', ada, { body: { ...asked, count: true } });
      assert.deepEqual(
        [list.body.count, (list.body as unknown as { items: unknown[] }).items.length],
        [found, found],
        list.text,
      );
      const accept = 'application/x-ndjson';
      const lines = await call(`GET /v1/data/staff?filter=${filterOf(asked.filter)}`, ada, { headers: { accept } });
      assert.equal(lines.text.split('\n').length - 1, found);
      // Whose record it is sees otherwise.
      if (JSON.stringify(filter) === '{"salary":111}') {
        const own = await call('POST /v1/data/staff/query', bob, { body: { ...asked, count: true } });
        assert.equal(own.body.count, 1);
      }
    }
  });

  it('are refused in orders and as parts, with and without records', async () => {
    await make();
    const refused = async (by: Person, what: string): Promise<string[]> => {
      const answers = await Promise.all(['staff', 'empty'].map((name) => call(`GET /v1/data/${name}${what}`, by)));
      return answers.map(({ status, body }) => {
        const [error] = (body as { errors?: { code: string; parameter: string }[] }).errors ?? [];
        return error === undefined ? String(status) : `${status} ${error.parameter} ${error.code}`;
      });
    };
    const both = (answer: string): string[] => [answer, answer];
    for (const path of ['', '/changes']) {
      const filter = `${path}?filter=${filterOf({ contact: { $exists: true } })}`;
      assert.deepEqual(await refused(bob, filter), both('400 filter guarded-field'));
    }
    assert.deepEqual(await refused(bob, '?sort=-salary'), both('400 sort guarded-field'));
    assert.deepEqual(await refused(ada, '?sort=salary'), both('400 sort guarded-field'));
    assert.deepEqual(await refused(ada, '?sort=grade'), both('200'));
    assert.deepEqual(await refused(admin, '?sort=salary'), both('200'));
    const as = { explain: true, sort: 'salary', as: { sub: ada.id } };
    assert.equal((await call('POST /v1/data/staff/query', admin, { body: as })).status, 400);
  });

  it('are shown to administrators as whoever they ask for sees them', async () => {
    const id = await make();
    const body = { filter: { id, salary: { $gt: 0 } }, explain: true };
    const items = async (as: object | undefined): Promise<unknown> => {
      const query = { ...body, ...(as === undefined ? {} : { as }) };
      return (await call('POST /v1/data/staff/query', admin, { body: query })).body.items;
    };
    const [all] = (await items(undefined)) as Record<string, unknown>[];
    assert.equal(all?.salary, salary);
    assert.deepEqual(await items({ sub: bob.id }), []);
    const [own] = (await items({ sub: ada.id })) as Record<string, unknown>[];
    assert.deepEqual([own?.salary, own?.code], [salary, undefined]);
  });

  it('have a weak tag, that changes with the rights', async () => {
    const id = await make();
    const tag = async (by?: Person): Promise<string> =>
      (await call(`GET /v1/data/staff/${id}`, by)).headers.get('etag') ?? '';
    const [ofAdmin, ofAda, ofBob] = [await tag(admin), await tag(ada), await tag(bob)];
    assert.equal(ofAdmin, '"1"');
    assert.match(ofBob, /^W\/"1-/);
    assert.equal(new Set([ofAdmin, ofAda, ofBob]).size, 3);
    const again = { headers: { 'if-none-match': ofBob } };
    assert.equal((await call(`GET /v1/data/staff/${id}`, bob, again)).status, 304);
    assert.equal((await call(`GET /v1/data/staff/${id}`, ada, again)).status, 200);
    // Whether there is anything to hide makes no difference.
    const plain = await make({ name: 'plain' });
    assert.match((await call(`GET /v1/data/staff/${plain}`, bob)).headers.get('etag') ?? '', /^W\/"1-/);
    const change = { body: { name: 'by revision' }, type: mergePatchType, headers: { 'if-match': '"1"' } };
    assert.equal((await call(`PATCH /v1/data/staff/${id}`, bob, change)).status, 200);
  });

  it('cannot be copied, tested or taken away by who does not see them', async () => {
    const id = await make();
    const before = await stored(id);
    for (const [body, expected] of [
      [[{ op: 'copy', from: '/salary', path: '/grade' }], '409 patch-failed /0'],
      [[{ op: 'move', from: '/code', path: '/name' }], '409 patch-failed /0'],
      [[{ op: 'test', path: '/salary', value: salary }], '409 patch-failed /0'],
      [[{ op: 'test', path: '/salary', value: 1 }], '409 patch-failed /0'],
      [[{ op: 'remove', path: '/contact/phone' }], '409 patch-failed /0'],
      [[{ op: 'remove', path: '/contact' }], '403 field-forbidden /contact/phone'],
    ] as const) {
      assert.equal(outcome(await patch(id, body, bob, jsonPatchType)), expected, JSON.stringify(body));
    }
    for (const [body, type, expected] of [
      [{ salary: null }, mergePatchType, '200'],
      [{ salary }, mergePatchType, '403 field-forbidden /salary'],
      [{ salary: 1 }, mergePatchType, '403 field-forbidden /salary'],
      [{ contact: null }, mergePatchType, '403 field-forbidden /contact/phone'],
      [{ $inc: { salary: 0 } }, operatorsType, '403 field-forbidden /salary'],
      [{ $max: { salary: 0 } }, operatorsType, '403 field-forbidden /salary'],
      [{ $unset: { salary: true } }, operatorsType, '200'],
      [{ grade: 2 }, mergePatchType, '403 field-forbidden /grade'],
    ] as const) {
      assert.equal(outcome(await patch(id, body, bob, type)), expected, JSON.stringify(body));
    }
    assert.equal(
      outcome(await call(`PUT /v1/data/staff/${id}`, bob, { body: { name: 'n' } })),
      '403 field-forbidden /grade /contact/phone',
    );
    assert.deepEqual(await stored(id), before);
  });

  it('may be written by whom their rule lets, who learns nothing of them', async () => {
    const id = await make();
    const { revision } = await stored(id);
    // The same value, too, makes a revision.
    for (const pin of [secrets.pin, 'another']) {
      assert.equal(outcome(await patch(id, { pin }, bob)), '200');
      assert.equal((await stored(id)).pin, pin);
    }
    assert.equal((await stored(id)).revision, Number(revision) + 2);
    assert.equal(outcome(await patch(id, { pin: 'x' }, bob)), '400 invalid-request /pin');
    assert.equal(outcome(await patch(id, { grade: 5 }, ada)), '200');
    const operations = [{ op: 'update', collection: 'staff', id, merge: { salary: 1 } }];
    const batch = await call('POST /v1/batch', bob, { body: { operations } });
    assert.equal(outcome(batch), '403 field-forbidden /operations/0/merge/salary');
  });

  it('are given at creation and in imports by who may write them', async () => {
    const create = (body: object, by: Person) => call('POST /v1/data/staff', by, { body });
    assert.equal(outcome(await create({ name: 'a', code: 'x' }, bob)), '403 field-forbidden /code');
    assert.equal(outcome(await create({ name: 'a', salary: 1, owner: ada.id }, bob)), '403 field-forbidden /salary');
    assert.equal(outcome(await create({ name: 'a', salary: 1, grade: 3, owner: bob.id }, bob)), '201');
    const lines = [
      { name: 'b', code: 'x' },
      { name: 'b', contact: { phone: '1' } },
      { name: 'b', pin: '1234' },
    ];
    const imported = await call('POST /v1/data/staff', bob, {
      body: lines.map((line) => JSON.stringify(line)).join('\n'),
      type: 'application/x-ndjson',
    });
    const { created, errors } = imported.body as unknown as {
      created: number;
      errors: { problem: { code: string } }[];
    };
    assert.equal(created, 1, imported.text);
    assert.deepEqual(
      errors.map(({ problem }) => problem.code),
      ['field-forbidden', 'field-forbidden'],
    );
  });

  it('are not named where a unique index refuses their values', async () => {
    const { code } = whole(ada.id);
    await make({ name: 'first', code });
    const second = await call('POST /v1/data/staff', admin, { body: { name: 'second', code } });
    assert.equal(second.status, 409);
    assert.equal(second.text.includes('/code'), false, second.text);
  });

  it('are no key by which to find a record', async () => {
    const { code } = whole(ada.id);
    const id = await make({ name: 'there', code });
    const upsert = (by: Person) => call('PUT /v1/data/staff?by=code', by, { body: { name: 'mine', code } });
    // As where no such record may be seen.
    assert.equal(outcome(await upsert(bob)), '403 field-forbidden /code');
    const open = { ...staff.fields, code: { read: [], write: 'signed-in' } };
    assert.equal((await define({ ...staff, fields: open }, 'staff')).status, 200);
    try {
      const refused = await upsert(bob);
      assert.deepEqual([refused.status, refused.body.code], [409, 'duplicate-value'], refused.text);
      assert.equal(refused.text.includes(id), false);
    } finally {
      assert.equal((await define(staff, 'staff')).status, 200);
    }
    const found = await upsert(admin);
    assert.deepEqual([found.status, found.body.id], [200, id], found.text);
  });

  it('are no examples of what refers to a record', async () => {
    const name = `files-${randomUUID().slice(0, 8)}`;
    const schema = { type: 'object', properties: { about: { type: 'string' }, owner: { type: 'string' } } };
    const about = { reference: { collection: 'staff' }, read: [{ owner: { $auth: 'sub' } }], write: 'signed-in' };
    const rules = { read: 'public', create: 'public', update: 'public', delete: 'public' };
    const defined = await define({ schema, rules, fields: { about } }, name);
    assert.equal(defined.status, 201, defined.text);
    const id = await make();
    const file = await make({ about: id, owner: ada.id }, name);
    for (const [by, examples] of [
      [bob, []],
      [ada, [{ collection: name, id: file }]],
    ] as const) {
      const kept = await call(`DELETE /v1/data/staff/${id}`, by);
      assert.equal(kept.status, 409, kept.text);
      assert.deepEqual(kept.body.examples, examples);
    }
    // Whether it names this record already is not told either.
    for (const each of [id, await make()]) {
      const write = await call(`PATCH /v1/data/${name}/${file}`, bob, { body: { about: each }, type: mergePatchType });
      assert.equal(outcome(write), '403 field-forbidden /about');
    }
    assert.equal((await call(`PATCH /v1/data/${name}/${file}`, bob, { body: {}, type: mergePatchType })).status, 200);
  });

  it('are in events with word of it', async () => {
    const published = await data.published();
    const made = await call('POST /v1/data/staff', admin, { body: whole(ada.id) });
    const id = made.headers.get('causeway-event') ?? '';
    const [event] = await published.waitFor((each) => each.id === id);
    assert.deepEqual((event?.data as { guarded: unknown }).guarded, ['salary', 'code', 'pin', 'contact.phone']);
  });

  it('make a feed begin anew where their rules change', async () => {
    const name = `staff-${randomUUID().slice(0, 8)}`;
    await define(staff, name);
    const id = await make(whole(ada.id), name);
    const feed = await openFeed(replica, name, { token: bob.token, snapshot: true });
    const live = await openFeed(replica, name, { token: bob.token });
    const asking = await openFeed(replica, name, { token: bob.token, filter: { grade: { $gte: 0 } } });
    const ready = () => feed.blocks.filter(({ event }) => event === 'ready').length;
    await feed.until('the result', () => ready() === 1);
    await define({ ...staff, fields: { salary: { read: 'public' } } }, name);
    await feed.until('the result anew', () => ready() === 2);
    await live.until('the gap', () => live.blocks.some(({ event }) => event === 'gap'));
    assert.equal(JSON.stringify(feed.blocks.slice(0, 3)).includes(String(salary)), false);
    assert.ok(JSON.stringify(feed.blocks).includes(String(salary)));
    // A filter that could not be asked any more ends the feed, and that one alone.
    await define({ ...staff, fields: { ...staff.fields, contact: { read: [] } } }, name);
    const torn = await call(`GET /v1/data/${name}/changes?filter=${filterOf({ contact: null })}`, bob);
    assert.equal(torn.status, 400);
    await feed.until('the result once more', () => ready() === 3);
    const size = feed.blocks.length;
    await call(`PATCH /v1/data/${name}/${id}`, admin, { body: { salary: 5 }, type: mergePatchType });
    await feed.until('a change', () => feed.blocks.length > size);
    assert.equal(JSON.stringify(feed.blocks.slice(size)).includes('"salary"'), false);
    for (const each of [feed, live, asking]) each.close();
  });

  it('end the feeds that ask of what they hide a part of', async () => {
    const name = `staff-${randomUUID().slice(0, 8)}`;
    await define({ ...staff, fields: {} }, name);
    await make(whole(ada.id), name);
    const filter = { contact: { $exists: true } };
    const feeds = [
      await openFeed(replica, name, { token: bob.token, filter }),
      await openFeed(replica, name, { token: bob.token, filter, snapshot: true }),
    ];
    const other = await openFeed(replica, name, { token: bob.token });
    await define(staff, name);
    for (const feed of feeds) {
      const end = await feed.ended();
      assert.deepEqual([end?.event, end?.data], ['end', '{"reason":"guarded-field"}']);
    }
    await other.until('the gap', () => other.blocks.some(({ event }) => event === 'gap'));
    await make(whole(ada.id), name);
    await other.count(1);
    other.close();
  });

  it('are refused where no rule can be made of what is said', async () => {
    for (const [fields, pointer] of [
      [{ salary: { read: 'nobody' } }, '/fields/salary/read'],
      [{ salary: { read: null } }, '/fields/salary/read'],
      [{ salary: { write: [{ a: { $foo: 1 } }] } }, '/fields/salary/write/0/a/$foo'],
      [{ salary: { read: [{ a: { $before: 'a' } }] } }, '/fields/salary/read/0/a'],
      [{ tags: { read: [] } }, '/fields/tags'],
      [{ createdBy: { read: [] } }, '/fields/createdBy'],
    ] as const) {
      const { status, body, text } = await define({ ...staff, fields }, 'refused');
      const [error] = (body as { errors?: { pointer: string }[] }).errors ?? [];
      assert.deepEqual([status, error?.pointer], [400, pointer], text);
    }
  });
});
