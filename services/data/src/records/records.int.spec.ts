import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { articles, openTestData } from '../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../testing/test-data.ts';

describe('records', () => {
  let data: TestData;
  let replica: TestReplica;
  let admin: Person;
  let ada: Person;
  let eve: Person;

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
    admin = await data.person({ roles: ['admin', 'member'] });
    ada = await data.person();
    eve = await data.person();
    const defined = await replica.call('PUT /v1/collections/articles', { body: articles, token: admin.token });
    assert.equal(defined.status, 201, defined.text);
  });

  after(() => data.stop());

  const create = (fields: Record<string, unknown> = {}, person = ada): Promise<Answered> =>
    replica.call('POST /v1/data/articles', {
      body: { title: randomUUID(), author: person.id, status: 'published', ...fields },
      token: person.token,
    });
  const made = async (fields: Record<string, unknown> = {}): Promise<{ id: string; path: string; title: string }> => {
    const answer = await create(fields);
    assert.equal(answer.status, 201, answer.text);
    const { id, title } = answer.body as unknown as { id: string; title: string };
    return { id, title, path: `/v1/data/articles/${id}` };
  };
  const code = (answer: Answered): unknown => `${answer.status} ${String(answer.body.code)}`;
  const pointers = (answer: Answered): unknown =>
    (answer.body as { errors?: { pointer?: string; parameter?: string }[] }).errors?.map(
      (error) => error.pointer ?? error.parameter,
    );

  describe('creating', () => {
    it('answers with the record, where it is, its revision and its event', async () => {
      const answer = await create({ title: 'Hello', score: 5 });
      assert.equal(answer.status, 201, answer.text);
      const { id, createdAt, updatedAt, ...rest } = answer.body as unknown as Record<string, string>;
      assert.match(id ?? '', /^rec_[0-9A-Z]{26}$/);
      assert.equal(answer.headers.get('location'), `/v1/data/articles/${id}`);
      assert.equal(answer.headers.get('etag'), '"1"');
      assert.match(answer.headers.get('causeway-position') ?? '', /^\d+\.\d+$/);
      assert.equal(createdAt, updatedAt);
      const own = { title: 'Hello', author: ada.id, status: 'published', score: 5 };
      assert.deepEqual(rest, { ...own, revision: 1, createdBy: ada.id });
      const published = await data.published();
      const [event] = await published.waitFor(({ id: eventId }) => eventId === answer.headers.get('causeway-event'));
      assert.equal(event?.type, 'data.record.created');
      assert.equal(event.subject, `record/${id}`);
      assert.equal(event.authid, ada.id);
      const { fields, recordId, collection } = event.data as Record<string, unknown>;
      assert.deepEqual({ fields, recordId, collection }, { fields: own, recordId: id, collection: 'articles' });
    });

    it('refuses fields that the schema does not allow, naming all of them', async () => {
      const answer = await create({ title: 7, extra: 1 });
      assert.equal(code(answer), '400 invalid-request');
      assert.deepEqual((pointers(answer) as string[]).sort(), ['/extra', '/title']);
    });

    it('refuses names that the service keeps, and operators', async () => {
      for (const [fields, at] of [
        [{ id: 'rec_1' }, '/id'],
        [{ _id: 1 }, '/_id'],
        [{ outbox: [] }, '/outbox'],
        [{ title: { $gt: '' } }, '/title/$gt'],
      ] as const) {
        const answer = await create(fields);
        assert.equal(code(answer), '400 invalid-request', answer.text);
        assert.deepEqual(pointers(answer), [at]);
      }
      const proto = await replica.call('POST /v1/data/articles', {
        body: '{"title": "x", "__proto__": {"admin": true}}',
        token: ada.token,
      });
      assert.equal(proto.status, 400);
    });

    it('is for those whom the rule lets', async () => {
      assert.equal(code(await create({ author: eve.id })), '403 forbidden');
      const anonymous = await replica.call('POST /v1/data/articles', { body: { title: 'x' } });
      assert.equal(code(anonymous), '403 forbidden');
      const byAdmin = await replica.call('POST /v1/data/articles', {
        body: { title: randomUUID() },
        token: admin.token,
      });
      assert.equal(byAdmin.status, 201);
    });

    it('keeps unique values unique', async () => {
      const { title } = await made();
      const answer = await create({ title });
      assert.equal(code(answer), '409 duplicate-value');
      assert.deepEqual(pointers(answer), ['/title']);
    });

    it('has no second effect with the same Idempotency-Key', async () => {
      const headers = { 'idempotency-key': randomUUID() };
      const body = { title: randomUUID(), author: ada.id };
      const call = () => replica.call('POST /v1/data/articles', { body, token: ada.token, headers });
      const [first, second] = [await call(), await call()];
      assert.equal(first.status, 201);
      assert.equal(first.headers.get('idempotency-replayed'), null);
      assert.equal(second.status, 201);
      assert.equal(second.headers.get('idempotency-replayed'), 'true');
      assert.deepEqual(second.body, first.body);
      assert.equal(second.headers.get('causeway-event'), first.headers.get('causeway-event'));
      const other = await replica.call('POST /v1/data/articles', {
        body: { ...body, score: 1 },
        token: ada.token,
        headers,
      });
      assert.equal(code(other), '422 idempotency-key-reused');
      const others = await replica.call('POST /v1/data/articles', {
        body: { title: randomUUID(), author: eve.id },
        token: eve.token,
        headers,
      });
      assert.equal(others.status, 201);
    });

    it('takes 512 KiB and no more', async () => {
      assert.equal((await create({ body: 'x'.repeat(520_000) })).status, 201);
      assert.equal(code(await create({ body: 'x'.repeat(530_000) })), '413 payload-too-large');
    });

    it('tells nothing of a collection to who can neither see nor create a record in it', async () => {
      const schema = { required: ['pin'], properties: { pin: { enum: ['a-secret'] }, salary: { type: 'number' } } };
      const body = { schema, rules: { read: [{ owner: { $auth: 'sub' } }] } };
      assert.equal((await replica.call('PUT /v1/collections/vault', { body, token: admin.token })).status, 201);
      const calls: [string, object][] = [
        ['POST /v1/data/NAME', { body: {} }],
        ['POST /v1/data/NAME', { body: '{}', type: 'application/x-ndjson' }],
        ['GET /v1/data/NAME', {}],
        ['GET /v1/data/NAME?sort=salary', {}],
        ['GET /v1/data/NAME?sort=zzz', {}],
        ['GET /v1/data/NAME', { headers: { accept: 'text/csv' } }],
        ['GET /v1/data/NAME/rec_1', {}],
        ['PUT /v1/data/NAME/rec_1', { body: {} }],
        ['DELETE /v1/data/NAME/rec_1', {}],
      ];
      for (const [call, options] of calls) {
        const [closed, unknown] = await Promise.all(
          ['vault', 'nothing'].map((name) => replica.call(call.replace('NAME', name), options)),
        );
        assert.ok(closed !== undefined && unknown !== undefined);
        assert.deepEqual([closed.status, closed.body.code], [404, 'not-found'], call);
        assert.deepEqual([unknown.status, unknown.body.code], [404, 'not-found'], call);
      }
      // Who can see records of it, but create none, learns that and no more.
      const refused = await replica.call('POST /v1/data/vault', { body: {}, token: ada.token });
      assert.equal(code(refused), '403 forbidden');
      assert.equal(refused.body.errors, undefined);
    });

    it('is 404 in a collection that is not there', async () => {
      assert.equal(code(await replica.call('POST /v1/data/nothing', { body: {}, token: ada.token })), '404 not-found');
    });
  });

  describe('reading', () => {
    it('shows what the rule lets see; the rest is not there', async () => {
      const draft = await made({ status: 'draft' });
      assert.equal((await replica.call(`GET ${draft.path}`, { token: ada.token })).status, 200);
      assert.equal(code(await replica.call(`GET ${draft.path}`, { token: eve.token })), '404 not-found');
      assert.equal(code(await replica.call(`GET ${draft.path}`)), '404 not-found');
      const open = await made();
      assert.equal((await replica.call(`GET ${open.path}`)).status, 200);
    });

    it('answers 304 to what the client has', async () => {
      const { path } = await made();
      const headers = { 'if-none-match': '"1"' };
      assert.equal((await replica.call(`GET ${path}`, { headers })).status, 304);
      assert.equal((await replica.call(`GET ${path}`, { headers: { 'if-none-match': '"2"' } })).status, 200);
    });

    it('refuses a position that is none of ours', async () => {
      const { path } = await made();
      const answer = await replica.call(`GET ${path}`, { headers: { 'causeway-after': 'yesterday' } });
      assert.equal(code(answer), '400 invalid-request');
    });
  });

  describe('changing', () => {
    it('replaces, with a revision and an event that tells before and after', async () => {
      const { path, title } = await made({ score: 1 });
      const body = { title, author: ada.id, status: 'published' };
      const answer = await replica.call(`PUT ${path}`, { body, token: ada.token, headers: { 'if-match': '"1"' } });
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.headers.get('etag'), '"2"');
      assert.equal(answer.body.score, undefined);
      assert.equal(answer.body.updatedBy, ada.id);
      const published = await data.published();
      const [event] = await published.waitFor(({ id }) => id === answer.headers.get('causeway-event'));
      const { fields, before: was } = event?.data as Record<string, unknown>;
      assert.deepEqual(fields, body);
      assert.deepEqual(was, { ...body, score: 1 });
    });

    it('merges a merge patch', async () => {
      const { path } = await made({ score: 1, tags: ['a'] });
      const answer = await replica.call(`PATCH ${path}`, {
        body: { score: null, tags: ['b'] },
        type: 'application/merge-patch+json',
        token: ada.token,
      });
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.body.score, undefined);
      assert.deepEqual(answer.body.tags, ['b']);
    });

    it('applies a JSON patch, or nothing of it', async () => {
      const { path } = await made({ tags: ['a'] });
      const patch = (body: unknown): Promise<Answered> =>
        replica.call(`PATCH ${path}`, { body, type: 'application/json-patch+json', token: ada.token });
      const answer = await patch([
        { op: 'test', path: '/tags/0', value: 'a' },
        { op: 'add', path: '/tags/-', value: 'b' },
      ]);
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(answer.body.tags, ['a', 'b']);
      const failed = await patch([
        { op: 'remove', path: '/tags' },
        { op: 'test', path: '/score', value: 1 },
      ]);
      assert.equal(code(failed), '409 patch-failed');
      assert.deepEqual(pointers(failed), ['/1']);
      assert.equal(code(await patch([{ op: 'jump' }])), '400 invalid-request');
      const now = await replica.call(`GET ${path}`, { token: ada.token });
      assert.deepEqual(now.body.tags, ['a', 'b']);
    });

    it('takes only the three media types of patches', async () => {
      const { path } = await made();
      const answer = await replica.call(`PATCH ${path}`, { body: {}, token: ada.token });
      assert.equal(answer.status, 415);
      assert.equal(
        answer.headers.get('accept-patch'),
        'application/merge-patch+json, application/json-patch+json, application/vnd.causeway.operators+json',
      );
    });

    it('records nothing where nothing changes', async () => {
      const { path } = await made({ score: 3 });
      const answer = await replica.call(`PATCH ${path}`, {
        body: { score: 3 },
        type: 'application/merge-patch+json',
        token: ada.token,
      });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('etag'), '"1"');
      assert.equal(answer.headers.get('causeway-event'), null);
    });

    it('needs the rule before and after', async () => {
      const { path, title } = await made();
      const put = (body: unknown, person: Person): Promise<Answered> =>
        replica.call(`PUT ${path}`, { body, token: person.token });
      assert.equal(code(await put({ title, author: eve.id, status: 'published' }, ada)), '403 forbidden');
      assert.equal(code(await put({ title, author: eve.id, status: 'published' }, eve)), '403 forbidden');
      const draft = await made({ status: 'draft' });
      const hidden = await replica.call(`PUT ${draft.path}`, { body: {}, token: eve.token });
      assert.equal(code(hidden), '404 not-found');
    });

    it('is refused at another revision, but not told to whom it hides', async () => {
      const { path, title } = await made({ status: 'draft' });
      const body = { title, author: ada.id };
      const at = (ifMatch: string, person: Person): Promise<Answered> =>
        replica.call(`PUT ${path}`, { body, token: person.token, headers: { 'if-match': ifMatch } });
      const refused = await at('"7"', ada);
      assert.equal(code(refused), '412 precondition-failed');
      // With it the record is read again that was in the way, and none older.
      assert.match(refused.headers.get('causeway-position') ?? '', /^\d+\.\d+$/);
      assert.equal(code(await at('W/"1"', ada)), '412 precondition-failed');
      assert.equal(code(await at('7', ada)), '400 invalid-request');
      assert.equal(code(await at('"7"', eve)), '404 not-found');
      assert.equal((await at('"7", "1"', ada)).status, 200);
      assert.equal((await at('*', ada)).status, 200);
    });

    it('makes one of two writers lose who both name the revision', async () => {
      const { path } = await made();
      const patch = (score: number): Promise<Answered> =>
        replica.call(`PATCH ${path}`, {
          body: { score },
          type: 'application/merge-patch+json',
          token: ada.token,
          headers: { 'if-match': '"1"' },
        });
      const answers = await Promise.all([patch(1), patch(2)]);
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 412]);
    });

    it('is 404 for a record that is not there: ids are the server’s', async () => {
      const body = { title: 'x', author: ada.id };
      const answer = await replica.call('PUT /v1/data/articles/rec_none', { body, token: ada.token });
      assert.equal(code(answer), '404 not-found');
    });

    it('refuses a result that the schema does not allow', async () => {
      const { path } = await made();
      const answer = await replica.call(`PATCH ${path}`, {
        body: { title: null, score: 'x' },
        type: 'application/merge-patch+json',
        token: ada.token,
      });
      assert.equal(code(answer), '400 invalid-request');
      assert.deepEqual((pointers(answer) as string[]).sort(), ['/score', '/title']);
    });
  });

  describe('deleting', () => {
    it('leaves nothing but the event', async () => {
      const { id, path } = await made({ score: 9 });
      const answer = await replica.call(`DELETE ${path}`, { token: ada.token });
      assert.equal(answer.status, 204);
      assert.equal(code(await replica.call(`GET ${path}`, { token: ada.token })), '404 not-found');
      assert.equal(code(await replica.call(`DELETE ${path}`, { token: ada.token })), '404 not-found');
      const published = await data.published();
      const events = await published.waitFor(({ subject }) => subject === `record/${id}`, 2);
      assert.deepEqual(
        events.map(({ type }) => type),
        ['data.record.created', 'data.record.deleted'],
      );
      assert.equal(events[1]?.id, answer.headers.get('causeway-event'));
      const { before: was, deletedBy } = events[1].data as { before: Record<string, unknown>; deletedBy: string };
      assert.equal(was.score, 9);
      assert.equal(deletedBy, ada.id);
    });

    it('is for those whom the rule lets, at the revision that they name', async () => {
      const { path } = await made();
      assert.equal(code(await replica.call(`DELETE ${path}`, { token: eve.token })), '403 forbidden');
      const stale = await replica.call(`DELETE ${path}`, { token: ada.token, headers: { 'if-match': '"2"' } });
      assert.equal(code(stale), '412 precondition-failed');
      const hidden = await made({ status: 'draft' });
      assert.equal(code(await replica.call(`DELETE ${hidden.path}`, { token: eve.token })), '404 not-found');
    });
  });
});
