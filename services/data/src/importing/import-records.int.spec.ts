import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { openTestData, whatIsRunning } from '../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../testing/test-data.ts';

const definition = {
  schema: {
    required: ['n'],
    properties: { n: { type: 'number' }, text: { type: 'string' }, owner: { type: 'string' } },
  },
  indexes: [{ keys: { n: 1 }, unique: true }],
  rules: { read: 'public', create: [{ owner: { $auth: 'sub' } }] },
};

describe('imports', () => {
  let data: TestData;
  let replica: TestReplica;
  let admin: Person;
  let ada: Person;
  let next = 0;
  let numbersId: string;

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
    [admin, ada] = await Promise.all([data.person({ roles: ['admin'] }), data.person()]);
    const defined = await replica.call('PUT /v1/collections/numbers', { body: definition, token: admin.token });
    assert.equal(defined.status, 201, defined.text);
    numbersId = String(defined.body.id);
  });

  after(() => data.stop());

  const pause = () => delay(20);
  const line = (more: Record<string, unknown> = {}): string =>
    JSON.stringify({ n: (next += 1), owner: ada.id, ...more });
  const send = (body: string, headers: Record<string, string> = {}, person = ada): Promise<Answered> =>
    replica.call('POST /v1/data/numbers', { body, type: 'application/x-ndjson', token: person.token, headers });
  const resultOf = (answer: Answered) => {
    assert.equal(answer.status, 200, answer.text);
    return answer.body as unknown as {
      created: number;
      failed: number;
      errors: { line: number; problem: { code: string; status: number; errors?: { pointer: string }[] } }[];
    };
  };
  const count = async (): Promise<number> => {
    const answer = await replica.call('GET /v1/data/numbers?count=true&limit=1');
    return (answer.body as unknown as { count: number }).count;
  };

  it('store each good line, and name each bad one', async () => {
    const before = await count();
    const taken = next + 1;
    const bad = [
      line(),
      '{"n": 1',
      line({ n: 'x' }),
      '',
      line({ owner: 'usr_other' }),
      line({ n: taken }),
      `{"__proto__": {}}`,
      '[]',
      line({ text: 'x'.repeat(600_000) }),
      line(),
    ].join('\n');
    const { created, failed, errors } = resultOf(await send(bad));
    assert.deepEqual({ created, failed }, { created: 2, failed: 7 });
    assert.deepEqual(
      errors.map(({ line: at, problem }) => [at, problem.status, problem.code]),
      [
        [2, 400, 'invalid-request'],
        [3, 400, 'invalid-request'],
        [5, 403, 'forbidden'],
        [6, 409, 'duplicate-value'],
        [7, 400, 'invalid-request'],
        [8, 400, 'invalid-request'],
        [9, 413, 'payload-too-large'],
      ],
    );
    assert.equal(errors[1]?.problem.errors?.[0]?.pointer, '/n');
    assert.equal(await count(), before + 2);
  });

  it('record an event for each line', async () => {
    const answer = await send([line(), line(), line()].join('\n'));
    const ids = answer.headers.get('causeway-event')?.split(', ') ?? [];
    assert.equal(ids.length, 3);
    const published = await data.published();
    const events = await published.waitFor(({ id }) => ids.includes(id), 3);
    assert.ok(events.every(({ type }) => type === 'data.record.created'));
  });

  it('take many lines, in batches, and list at most 100 faults', async () => {
    const before = await count();
    const lines = Array.from({ length: 2_500 }, (_, index) => (index % 5 === 0 ? '{}' : line()));
    const { created, failed, errors } = resultOf(await send(lines.join('\n')));
    assert.deepEqual({ created, failed, listed: errors.length }, { created: 2_000, failed: 500, listed: 100 });
    assert.equal(errors[99]?.line, 496);
    assert.equal(await count(), before + 2_000);
  });

  it('are refused to who may create nothing', async () => {
    const closed = await replica.call('PUT /v1/collections/closed', { body: { schema: {} }, token: admin.token });
    assert.equal(closed.status, 201);
    const send = async () => {
      const options = { body: '{}', type: 'application/x-ndjson', token: ada.token };
      return (await replica.call('POST /v1/data/closed', options)).status;
    };
    // Who can see nothing of a collection does not learn that it is there.
    assert.equal(await send(), 404);
    const shown = { body: { schema: {}, rules: { read: 'public' } }, token: admin.token };
    assert.equal((await replica.call('PUT /v1/collections/closed', shown)).status, 200);
    assert.equal(await send(), 403);
  });

  it('answer with what ended them, however much was still to come', async () => {
    const made = await replica.call('PUT /v1/collections/gone', { body: definition, token: admin.token });
    assert.equal(made.status, 201, made.text);
    const records = data.db.collection(`records_${String(made.body.id)}`);
    const importing = httpRequest({
      port: replica.service.port,
      method: 'POST',
      path: '/v1/data/gone',
      agent: false,
      headers: { authorization: `Bearer ${ada.token}`, 'content-type': 'application/x-ndjson' },
    });
    const errors: Error[] = [];
    importing.on('error', (error) => void errors.push(error));
    const answered = once(importing, 'response') as Promise<[IncomingMessage]>;
    answered.catch(() => undefined);
    const closed = new Promise((done) => importing.once('close', done));
    importing.write(Array.from({ length: 600 }, () => `${line()}\n`).join(''));
    while ((await records.countDocuments()) < 500) await new Promise((done) => setTimeout(done, 20));
    const removed = await replica.call('DELETE /v1/collections/gone?records=delete', { token: admin.token });
    assert.equal(removed.status, 204, removed.text);
    // More than the one batch that fails, and than fits into buffers on the way.
    for (let piece = 0; piece < 40; piece += 1) {
      importing.write(Array.from({ length: 600 }, () => `${line({ text: 'x'.repeat(500) })}\n`).join(''));
    }
    importing.end();
    const [response] = await answered;
    assert.equal(response.statusCode, 404);
    let text = '';
    for await (const chunk of response) text += String(chunk);
    assert.equal((JSON.parse(text) as { code: string }).code, 'not-found');
    await closed;
    assert.deepEqual(errors, []);
  });

  it('end where whoever sends them is erased meanwhile, and leave nothing that the erasure would not meet', async () => {
    const eve = await data.person();
    const importing = httpRequest({
      port: replica.service.port,
      method: 'POST',
      path: '/v1/data/numbers',
      agent: false,
      headers: { authorization: `Bearer ${eve.token}`, 'content-type': 'application/x-ndjson' },
    });
    const answered = once(importing, 'response') as Promise<[IncomingMessage]>;
    answered.catch(() => undefined);
    const batch = (): string => Array.from({ length: 500 }, () => `${line({ owner: eve.id })}\n`).join('');
    const log = data.db.collection('events');
    const written = (): Promise<number> => log.countDocuments({ 'event.authid': eve.id });
    const completed = (): Promise<number> =>
      data.db.collection<{ _id: string }>('removals').countDocuments({ _id: eve.id, status: 'completed' });
    importing.write(batch());
    while ((await written()) < 500) await new Promise((done) => setTimeout(done, 20));
    for (const step of ['requested', 'settled'] as const) await data.erase(eve.id, step);
    while ((await completed()) === 0) await new Promise((done) => setTimeout(done, 20));
    importing.end(batch());
    const [response] = await answered;
    let text = '';
    for await (const chunk of response) text += String(chunk);
    assert.equal(response.statusCode, 401, text);
    const { code, detail } = JSON.parse(text) as { code: string; detail: string };
    assert.deepEqual([code, detail.includes('erased')], ['unauthenticated', true]);
    assert.equal(await data.db.collection(`records_${numbersId}`).countDocuments({ createdBy: eve.id }), 0);
  });

  it('are waited for by an erasure that is heard of so late that both of its passes come at once', async () => {
    const eve = await data.person();
    const records = data.db.collection(`records_${numbersId}`);
    const { _id, ...rest } = (await records.findOne()) ?? assert.fail('no record is there');
    const taken = (next += 1);
    const holding = data.db.client.startSession();
    // Whoever writes the same value waits for the end of this transaction.
    holding.startTransaction();
    const own = { ...rest, fields: { ...(rest.fields as object), n: taken }, outbox: [] };
    await records.insertOne({ ...own, _id: `rec_${randomUUID()}` as never }, { session: holding });
    const importing = send(line({ owner: eve.id, n: taken }), {}, eve);
    const inserting = [{ $currentOp: {} }, { $match: { op: 'insert', ns: records.namespace } }];
    const admin = data.db.client.db('admin');
    while ((await admin.aggregate(inserting, whatIsRunning).toArray()).length === 0) await pause();

    for (const step of ['requested', 'settled'] as const) await data.erase(eve.id, step);
    const markers = data.db.collection<{ _id: string }>('removals');
    while ((await markers.countDocuments({ _id: eve.id, pass: 'last' })) === 0) await pause();
    const completed = (async () => {
      while ((await markers.countDocuments({ _id: eve.id, status: 'completed' })) === 0) await pause();
      return true;
    })();
    // Far longer than a pass over so few records takes.
    assert.equal(await Promise.race([completed, delay(2_000)]), undefined, 'it did not wait');
    await holding.abortTransaction();
    assert.equal(resultOf(await importing).created, 1);
    await completed;
    assert.equal(await records.countDocuments({ createdBy: eve.id }), 0);
  });

  describe('with an Idempotency-Key', () => {
    it('are answered again without a second effect', async () => {
      const headers = { 'idempotency-key': randomUUID() };
      const body = [line(), '{', line()].join('\n');
      const first = await send(body, headers);
      const before = await count();
      const second = await send(body, headers);
      assert.equal(second.headers.get('idempotency-replayed'), 'true');
      assert.deepEqual(second.body, first.body);
      assert.equal(await count(), before);
      const other = await send(`${body}\n${line()}`, headers);
      assert.equal(other.status, 422);
      assert.equal(other.body.code, 'idempotency-key-reused');
      assert.equal(await count(), before);
    });

    it('that another call was made with write nothing', async () => {
      const headers = { 'idempotency-key': randomUUID() };
      const options = { body: line(), token: ada.token, headers };
      assert.equal((await replica.call('POST /v1/data/numbers', options)).status, 201);
      const before = await count();
      const answer = await send([line(), line()].join('\n'), headers);
      assert.equal(answer.status, 422);
      assert.equal(answer.body.code, 'idempotency-key-reused');
      assert.equal(await count(), before);
    });

    it('whose process ended between its answer and its lock are answered again, and write no other lines', async () => {
      const headers = { 'idempotency-key': randomUUID() };
      const body = [line(), line()].join('\n');
      const first = await send(body, headers);
      await data.db.collection('imports').updateMany({}, { $unset: { done: true } });
      const before = await count();
      assert.equal((await send([line(), line(), line()].join('\n'), headers)).status, 422);
      assert.equal(await count(), before);
      const again = await send(body, headers);
      assert.deepEqual(again.body, first.body);
      assert.equal(again.headers.get('idempotency-replayed'), 'true');
    });

    it('that broke off go on where they were, from the beginning of their lines', async () => {
      const key = randomUUID();
      const own = next + 1;
      const ownFilter = encodeURIComponent(JSON.stringify({ n: { $gte: own } }));
      const lines = Array.from({ length: 1_200 }, () => line());
      const before = await count();
      const { promise: closed, resolve } = Promise.withResolvers<undefined>();
      const { port } = replica.service;
      const breaking = httpRequest({
        port,
        method: 'POST',
        path: '/v1/data/numbers',
        headers: {
          authorization: `Bearer ${ada.token}`,
          'content-type': 'application/x-ndjson',
          'idempotency-key': key,
        },
      });
      breaking.on('error', () => resolve(undefined));
      breaking.write(`${lines.slice(0, 600).join('\n')}\n`);
      while ((await count()) < before + 500) await new Promise((done) => setTimeout(done, 20));
      breaking.destroy();
      await closed;
      // What somebody has deleted meanwhile is not created again.
      const { items } = (await replica.call(`GET /v1/data/numbers?filter=${ownFilter}&limit=1`, { token: ada.token }))
        .body as unknown as { items: { id: string }[] };
      const deleted = `/v1/data/numbers/${items[0]?.id ?? assert.fail('none is there')}`;
      const gone = await replica.call(`DELETE ${deleted}`, { token: admin.token });
      assert.equal(gone.status, 204, gone.text);
      const repeat = async (): Promise<Answered> => {
        for (;;) {
          const answer = await send(lines.join('\n'), { 'idempotency-key': key });
          if (answer.status !== 409) return answer;
          await new Promise((done) => setTimeout(done, 50));
        }
      };
      assert.deepEqual(resultOf(await repeat()), { created: 1_200, failed: 0, errors: [] });
      assert.equal(await count(), before + 1_199);
      assert.equal((await replica.call(`GET ${deleted}`, { token: ada.token })).status, 404);
    });

    it('keep the order of the lines in the records’ ids', async () => {
      const from = next + 1;
      const lines = Array.from({ length: 50 }, () => line());
      await send(lines.join('\n'), { 'idempotency-key': randomUUID() });
      const filter = encodeURIComponent(JSON.stringify({ n: { $gte: from } }));
      const answer = await replica.call(`GET /v1/data/numbers?filter=${filter}&sort=id&limit=200`);
      const numbers = (answer.body as unknown as { items: { id: string; n: number }[] }).items;
      assert.ok(numbers.every(({ id }) => /^rec_[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(id)));
      assert.deepEqual(
        numbers.map(({ n }) => n),
        Array.from({ length: 50 }, (_, index) => from + index),
      );
    });
  });
});
