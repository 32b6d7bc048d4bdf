import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { operatorsType } from '../operators/parse-operators.ts';
import { openTestData } from '../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../testing/test-data.ts';

const mergeType = 'application/merge-patch+json';

const tickets = {
  schema: {
    type: 'object',
    required: ['title', 'status'],
    properties: {
      title: { type: 'string' },
      status: { enum: ['open', 'closed'] },
      owner: { type: ['string', 'null'] },
      since: { type: 'string', format: 'date-time' },
      number: { type: 'integer' },
    },
  },
  fields: {
    status: { default: 'open' },
    owner: { default: { $auth: 'sub' }, readOnly: true },
    since: { default: { $now: true } },
    number: { writeOnce: true },
  },
  rules: { read: 'public', create: 'public', update: 'signed-in' },
};

describe('fields', () => {
  let data: TestData;
  let replica: TestReplica;
  let admin: Person;
  let ada: Person;

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
    admin = await data.person({ roles: ['admin', 'member'] });
    ada = await data.person();
    const defined = await define(tickets);
    assert.equal(defined.status, 201, defined.text);
    assert.deepEqual(defined.body.fields, tickets.fields);
  });

  after(() => data.stop());

  const define = (body: unknown, name = 'tickets'): Promise<Answered> =>
    replica.call(`PUT /v1/collections/${name}`, { body, token: admin.token });
  const create = (fields: object, person?: Person, headers = {}): Promise<Answered> =>
    replica.call('POST /v1/data/tickets', { body: { title: 'x', ...fields }, token: person?.token, headers });
  const change = (method: string, { body: { id } }: Answered, body: unknown, type?: string, by = ada) =>
    replica.call(`${method} /v1/data/tickets/${String(id)}`, {
      ...{ body, token: by.token },
      ...(type === undefined ? {} : { type }),
    });
  const outcome = ({ status, body }: Answered): string => {
    const { errors = [] } = body as { errors?: { pointer: string }[] };
    return [status, ...(status < 400 ? [] : [body.code, ...errors.map(({ pointer }) => pointer)])].join(' ');
  };

  it('have their defaults at creation, and what was sent where it was', async () => {
    const made = await create({}, ada);
    assert.equal(made.status, 201, made.text);
    const { status, owner, since, createdAt } = made.body as Record<string, string>;
    assert.deepEqual([status, owner], ['open', ada.id]);
    assert.ok(Math.abs(Date.parse(since ?? '') - Date.parse(createdAt ?? '')) < 60_000, since);
    const closed = await create({ status: 'closed', since: '2026-01-01T00:00:00Z' }, ada);
    assert.deepEqual([closed.body.status, closed.body.since], ['closed', '2026-01-01T00:00:00Z']);
    const strangers = await create({});
    assert.equal(strangers.status, 201, strangers.text);
    assert.equal('owner' in strangers.body, false);
    const published = await data.published();
    const [event] = await published.waitFor(({ id }) => id === made.headers.get('causeway-event'));
    assert.equal((event?.data as { fields: { owner: string } }).fields.owner, ada.id);
  });

  it('have their defaults in an import, the same where it is repeated', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const lines = [{ title: 'imported 1' }, { title: 'imported 2', status: 'closed' }, { title: 'x', owner: 'me' }];
    const options = { type: 'application/x-ndjson', token: ada.token, headers };
    const send = (body: readonly unknown[]) =>
      replica.call('POST /v1/data/tickets', { ...options, body: body.map((line) => JSON.stringify(line)).join('\n') });
    const answer = await send(lines);
    assert.deepEqual([answer.body.created, answer.body.failed], [2, 1], answer.text);
    const [error] = answer.body.errors as unknown as { problem: { code: string } }[];
    assert.equal(error?.problem.code, 'field-read-only');
    // As where its answer was lost before it was written down: the lines come again, and are there.
    await Promise.all([
      data.db.collection('idempotency').deleteMany({}),
      data.db.collection('imports').updateMany({}, { $unset: { done: true } }),
    ]);
    const again = await send(lines);
    assert.deepEqual([again.body.created, again.body.failed], [2, 1], again.text);
    const filter = encodeURIComponent(JSON.stringify({ title: { $in: ['imported 1', 'imported 2'] } }));
    const { body } = await replica.call(`GET /v1/data/tickets?filter=${filter}&sort=title`);
    const items = body.items as unknown as Record<string, unknown>[];
    assert.deepEqual(
      items.map(({ status, owner }) => [status, owner]),
      [
        ['open', ada.id],
        ['closed', ada.id],
      ],
    );
  });

  it('that are read-only are for administrators', async () => {
    const made = await create({}, ada);
    assert.equal(outcome(await create({ owner: ada.id }, ada)), '422 field-read-only /owner');
    assert.equal(outcome(await change('PATCH', made, { owner: null }, mergeType)), '422 field-read-only /owner');
    assert.equal(outcome(await change('PUT', made, { title: 'y', status: 'open' })), '422 field-read-only /owner');
    const operators = { $set: { owner: 'eve' }, $inc: { number: 1 } };
    assert.equal(outcome(await change('PATCH', made, operators, operatorsType)), '422 field-read-only /owner');
    const jsonPatch = [{ op: 'remove', path: '/owner' }];
    const type = 'application/json-patch+json';
    assert.equal(outcome(await change('PATCH', made, jsonPatch, type)), '422 field-read-only /owner');
    assert.equal(outcome(await change('PATCH', made, { title: 'y' }, mergeType)), '200');
    assert.equal(outcome(await change('PATCH', made, { owner: 'eve' }, mergeType, admin)), '200');
    assert.equal((await create({ owner: 'eve' }, admin)).body.owner, 'eve');
  });

  it('that are written once keep their value, whoever comes', async () => {
    const made = await create({}, ada);
    assert.equal(outcome(await change('PATCH', made, { number: 7 }, mergeType)), '200');
    for (const by of [ada, admin]) {
      const refused = '422 field-write-once /number';
      assert.equal(outcome(await change('PATCH', made, { number: 8 }, mergeType, by)), refused);
      assert.equal(outcome(await change('PATCH', made, { number: null }, mergeType, by)), refused);
      assert.equal(outcome(await change('PATCH', made, { $inc: { number: 1 } }, operatorsType, by)), refused);
      const owned = { title: 'y', status: 'open', owner: ada.id, since: made.body.since };
      assert.equal(outcome(await change('PUT', made, owned, undefined, by)), refused);
      assert.equal(outcome(await change('PUT', made, { ...owned, number: 7 }, undefined, by)), '200');
    }
  });

  it('are kept in a batch as in single calls, operators included', async () => {
    const batch = (...operations: object[]) =>
      replica.call('POST /v1/batch', { body: { operations }, token: ada.token });
    const [collection, id] = ['tickets', String((await create({ number: 1 }, ada)).body.id)];
    const made = await batch(
      { op: 'create', collection, fields: { title: 'batch' } },
      { op: 'update', collection, id, operators: { $set: { title: 'changed' } } },
    );
    assert.equal(made.status, 200, made.text);
    const [first, second] = made.body.results as unknown as { record: Record<string, unknown> }[];
    assert.deepEqual([first?.record.status, first?.record.owner], ['open', ada.id]);
    assert.equal(second?.record.title, 'changed');
    const refused = await batch({ op: 'create', collection, fields: { title: 'batch', owner: 'eve' } });
    assert.match(outcome(refused), /^422 field-read-only .*\/owner$/);
    const again = await batch({ op: 'update', collection, id, operators: { $inc: { number: 1 } } });
    assert.match(outcome(again), /^422 field-write-once .*\/number$/);
    const misfit = await batch({ op: 'update', collection, id, operators: { $inc: { title: 1 } } });
    assert.match(outcome(misfit), /^409 operator-failed .*\/\$inc\/title$/);
    const unknown = await batch({ op: 'update', collection, id, operators: { $rename: { title: 'x' } } });
    assert.equal(outcome(unknown), '400 invalid-request /operations/0/operators/$rename');
  });

  it('are changed with their definition, at every replica, without a look at the records', async () => {
    const other = await data.replica();
    const name = 'changing';
    const schema = { properties: { a: { type: 'integer' } } };
    const rules = { read: 'public', create: 'public', update: 'public' };
    assert.equal((await define({ schema, rules }, name)).status, 201);
    const made = await replica.call(`POST /v1/data/${name}`, { body: { a: 1 } });
    const path = `/v1/data/${name}/${String(made.body.id)}`;
    const patch = (at: TestReplica, a: number) => at.call(`PATCH ${path}`, { body: { a }, type: mergeType });
    assert.equal(outcome(await patch(other, 2)), '200');
    const changed = await define({ schema, rules, fields: { a: { writeOnce: true, default: 5 } } }, name);
    assert.deepEqual([changed.status, changed.body.revision], [200, 2], changed.text);
    assert.equal(outcome(await patch(other, 3)), '422 field-write-once /a');
    assert.equal((await other.call(`POST /v1/data/${name}`, { body: {} })).body.a, 5);
    const read = await replica.call(`GET /v1/collections/${name}`, { token: admin.token });
    assert.deepEqual(read.body.fields, { a: { writeOnce: true, default: 5 } });
    const without = await define({ schema, rules, fields: {} }, name);
    assert.deepEqual([without.body.revision, without.body.fields], [3, undefined]);
    // What a definition has let go a replica may refuse until it has heard of it.
    const deadline = performance.now() + 60_000;
    for (let said = ''; said !== '200'; said = outcome(await patch(other, 3))) {
      assert.ok(performance.now() < deadline, said);
    }
  });

  it('are refused with what is wrong about them', async () => {
    const fields = {
      'tags.0': { readOnly: true },
      id: { writeOnce: true },
      title: { secret: true },
      status: { default: 'gone' },
    };
    const answer = await define({ ...tickets, fields }, 'wrong');
    assert.equal(outcome(answer), '400 invalid-request /fields/tags.0 /fields/id /fields/title/secret');
    const faulty = await define({ ...tickets, fields: { status: { default: 'gone' } } }, 'wrong');
    assert.equal(outcome(faulty), '400 invalid-request /fields/status/default');
    assert.equal(outcome(await define({ ...tickets, fields: [] }, 'wrong')), '400 invalid-request /fields');
  });
});
