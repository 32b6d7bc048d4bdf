import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { articles, openTestData } from '../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../testing/test-data.ts';
import { operatorsType } from './parse-operators.ts';

describe('a patch of operators', () => {
  let data: TestData;
  let replica: TestReplica;
  let other: TestReplica;
  let admin: Person;
  let ada: Person;
  let eve: Person;

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
    other = await data.replica();
    admin = await data.person({ roles: ['admin', 'member'] });
    ada = await data.person();
    eve = await data.person();
    const defined = await replica.call('PUT /v1/collections/articles', { body: articles, token: admin.token });
    assert.equal(defined.status, 201, defined.text);
  });

  after(() => data.stop());

  const make = async (fields: Record<string, unknown> = {}): Promise<string> => {
    const body = { title: randomUUID(), author: ada.id, status: 'published', ...fields };
    const answer = await replica.call('POST /v1/data/articles', { body, token: ada.token });
    assert.equal(answer.status, 201, answer.text);
    return `/v1/data/articles/${String(answer.body.id)}`;
  };
  const patch = (path: string, body: unknown, { at = replica, by = ada, headers = {} } = {}): Promise<Answered> =>
    at.call(`PATCH ${path}`, { body, type: operatorsType, token: by.token, headers });
  const code = (answer: Answered): string => `${answer.status} ${String(answer.body.code)}`;
  const pointers = ({ body }: Answered): unknown =>
    (body as { errors?: { pointer?: string }[] }).errors?.map(({ pointer }) => pointer);

  it('changes several paths at once, with one revision and one event', async () => {
    const path = await make({ score: 1, tags: ['a', 'b'], body: 'x' });
    const operators = { $inc: { score: 2 }, $push: { tags: 'c' }, $unset: { body: true } };
    const answer = await patch(path, operators);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers.get('etag'), '"2"');
    const { score, tags, body } = answer.body as Record<string, unknown>;
    assert.deepEqual({ score, tags, body }, { score: 3, tags: ['a', 'b', 'c'], body: undefined });
    const published = await data.published();
    const [event] = await published.waitFor(({ id }) => id === answer.headers.get('causeway-event'));
    const told = event?.data as { fields: Record<string, unknown>; before: Record<string, unknown> };
    assert.deepEqual([told.before.score, told.fields.score], [1, 3]);
  });

  it('loses nothing where many come at once, at two replicas', async () => {
    const path = await make({ score: 0 });
    const increment = async (at: TestReplica): Promise<Answered> => {
      for (;;) {
        const answer = await patch(path, { $inc: { score: 1 } }, { at });
        // What is not published yet fills the record's outbox, and then nothing more is taken for a moment.
        if (answer.status !== 503) return answer;
        await delay(100);
      }
    };
    const calls = Array.from({ length: 200 }, (_, index) => increment(index % 2 === 0 ? replica : other));
    const answers = await Promise.all(calls);
    assert.deepEqual(
      [...new Set(answers.map(({ status }) => status))],
      [200],
      answers.find((a) => a.status > 200)?.text,
    );
    const scores = answers.map(({ body }) => Number(body.score)).sort((a, b) => a - b);
    assert.deepEqual(
      scores,
      Array.from({ length: 200 }, (_, index) => index + 1),
    );
    const published = await data.published();
    const subject = `record/${path.split('/').at(-1)}`;
    const told = await published.waitFor((event) => event.subject === subject, 201);
    assert.deepEqual(
      told.map(({ sequence }) => Number(sequence)),
      Array.from({ length: 201 }, (_, index) => index + 1),
    );
    const now = await replica.call(`GET ${path}`, { token: ada.token });
    assert.deepEqual([now.body.score, now.body.revision], [200, 201]);
  });

  it('records nothing where nothing changes', async () => {
    const path = await make({ score: 3, tags: ['a'] });
    const answer = await patch(path, { $addToSet: { tags: 'a' }, $max: { score: 2 }, $unset: { body: true } });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('etag'), '"1"');
    assert.equal(answer.headers.get('causeway-event'), null);
  });

  it('keeps to the rule before and after, to the schema and to If-Match', async () => {
    const path = await make({ score: 1 });
    assert.equal(code(await patch(path, { $inc: { score: 1 } }, { by: eve })), '403 forbidden');
    assert.equal(code(await patch(path, { $set: { author: eve.id } })), '403 forbidden');
    const draft = await make({ status: 'draft' });
    assert.equal(code(await patch(draft, { $inc: { score: 1 } }, { by: eve })), '404 not-found');
    const wrong = await patch(path, { $push: { tags: 1 }, $set: { unknown: 1 } });
    assert.equal(code(wrong), '400 invalid-request');
    assert.deepEqual(pointers(wrong), ['/unknown', '/tags/0']);
    const headers = { 'if-match': '"1"' };
    assert.equal((await patch(path, { $inc: { score: 1 } }, { headers })).status, 200);
    assert.equal(code(await patch(path, { $inc: { score: 1 } }, { headers })), '412 precondition-failed');
    const now = await replica.call(`GET ${path}`);
    assert.deepEqual([now.body.score, now.body.revision], [2, 2]);
  });

  it('says which operator is wrong, or does not fit, and changes nothing', async () => {
    const path = await make({ score: 1, title: 'text' });
    const renamed = await patch(path, { $rename: { score: 'points' } });
    assert.equal(code(renamed), '400 invalid-request');
    assert.deepEqual(pointers(renamed), ['/$rename']);
    assert.match(renamed.text, /\$set, \$unset, \$inc/);
    const mixed = await patch(path, { $inc: { score: 1 }, title: 'x' });
    assert.deepEqual([code(mixed), pointers(mixed)], ['400 invalid-request', ['/title']]);
    const misfit = await patch(path, { $inc: { score: 1, title: 1 } });
    assert.deepEqual([code(misfit), pointers(misfit)], ['409 operator-failed', ['/$inc/title']]);
    assert.equal(code(await patch(path, [])), '400 invalid-request');
    const now = await replica.call(`GET ${path}`);
    assert.deepEqual([now.body.score, now.body.revision], [1, 1]);
  });
});
