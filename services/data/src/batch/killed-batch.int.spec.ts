import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { openTestData } from '../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../testing/test-data.ts';

describe('a batch whose process is killed', () => {
  let data: TestData;
  let replica: TestReplica;
  let admin: Person;

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
    admin = await data.person({ roles: ['admin'] });
    const body = {
      schema: { properties: { title: { type: 'string' }, author: { type: 'string' } } },
      indexes: [{ keys: { title: 1 }, unique: true }],
    };
    const defined = await replica.call('PUT /v1/collections/notes', { body, token: admin.token });
    assert.equal(defined.status, 201, defined.text);
  });
  after(() => data.stop());

  const run = async (moment: 'written' | 'recorded', also: readonly object[]): Promise<void> => {
    const file = path.resolve(import.meta.dirname, '../testing/batch-child.ts');
    const args = [data.redisPrefix, 'notes', moment, JSON.stringify(also)];
    const child = fork(file, args, { execArgv: ['--conditions=development'] });
    const ended = once(child, 'exit');
    child.once('message', () => child.kill('SIGKILL'));
    const [, signal] = (await ended) as [unknown, string];
    assert.equal(signal, 'SIGKILL');
  };
  const create = (title: string): Promise<Answered> =>
    replica.call('POST /v1/data/notes', { body: { title }, token: admin.token });
  const countBy = async (author: string): Promise<unknown> => {
    const filter = encodeURIComponent(JSON.stringify({ author }));
    const answer = await replica.call(`GET /v1/data/notes?count=true&filter=${filter}`, { token: admin.token });
    return answer.body.count;
  };
  const stored = async (title: string) => {
    const answer = await create(title);
    assert.equal(answer.status, 201, answer.text);
    return `/v1/data/notes/${String(answer.body.id)}`;
  };
  const idOf = (at: string): string => at.slice(at.lastIndexOf('/') + 1);

  it('before the commit, has left nothing: no record, no event', async () => {
    const [kept, changed] = [await stored('kept'), await stored('before')];
    await run('written', [
      { op: 'delete', collection: 'notes', id: idOf(kept) },
      { op: 'update', collection: 'notes', id: idOf(changed), merge: { title: 'after' } },
    ]);
    assert.equal(await countBy('written'), 0);
    for (const at of [kept, changed]) {
      const answer = await replica.call(`GET ${at}`, { token: admin.token });
      assert.deepEqual([answer.status, answer.body.revision], [200, 1]);
    }
    const published = await data.published();
    const [later] = await published.waitFor(({ subject }) => subject === `record/${idOf(changed)}`);
    assert.equal(later?.type, 'data.record.created');
    const log = data.db.collection('events');
    assert.equal(await log.countDocuments({ 'event.batchid': { $exists: true } }), 0);
  });

  it('at the commit, has done all of it, and all of its events are told', async () => {
    const [gone, changed] = [await stored('gone'), await stored('as it was')];
    await run('recorded', [
      { op: 'delete', collection: 'notes', id: idOf(gone) },
      { op: 'update', collection: 'notes', id: idOf(changed), merge: { title: 'as it is' } },
    ]);
    assert.equal(await countBy('recorded'), 100);
    assert.equal((await replica.call(`GET ${gone}`, { token: admin.token })).status, 404);
    const answer = await replica.call(`GET ${changed}`, { token: admin.token });
    assert.deepEqual([answer.body.title, answer.body.revision], ['as it is', 2]);
    const published = await data.published();
    const events = await published.waitFor(({ batchsize }) => batchsize === '102', 102);
    assert.equal(new Set(events.map(({ batchid }) => batchid)).size, 1);
    assert.deepEqual(
      events.map(({ batchindex }) => Number(batchindex)).sort((a, b) => a - b),
      Array.from({ length: 102 }, (_, index) => index),
    );
  });
});
