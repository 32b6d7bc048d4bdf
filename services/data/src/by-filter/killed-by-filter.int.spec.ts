import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { operatorsType } from '../operators/parse-operators.ts';
import { openTestData } from '../testing/test-data.ts';
import type { Person, TestData, TestReplica } from '../testing/test-data.ts';

describe('a write by filter whose process is killed', () => {
  const count = 300;
  let data: TestData;
  let replica: TestReplica;
  let admin: Person;

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
    admin = await data.person({ roles: ['admin'] });
    const body = { schema: { properties: { n: { type: 'number' }, state: { enum: ['open', 'done'] } } } };
    const defined = await replica.call('PUT /v1/collections/notes', { body, token: admin.token });
    assert.equal(defined.status, 201, defined.text);
    const lines = Array.from({ length: count }, () => JSON.stringify({ n: 0, state: 'open' })).join('\n');
    const imported = { body: lines, type: 'application/x-ndjson', token: admin.token };
    assert.equal((await replica.call('POST /v1/data/notes', imported)).body.created, count);
  });
  after(() => data.stop());

  const filter = JSON.stringify({ state: 'open' });
  const killed = async (mostEvents: number): Promise<void> => {
    const file = path.resolve(import.meta.dirname, '../testing/by-filter-child.ts');
    const args = [data.redisPrefix, 'notes', filter, String(mostEvents)];
    const child = fork(file, args, { execArgv: ['--conditions=development'] });
    const [, signal] = (await once(child, 'exit')) as [unknown, string];
    assert.equal(signal, 'SIGKILL');
  };

  const all = async (): Promise<{ n: number; state: string; revision: number }[]> => {
    const headers = { accept: 'application/x-ndjson' };
    const { text } = await replica.call('GET /v1/data/notes', { token: admin.token, headers });
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { n: number; state: string; revision: number });
  };

  it('and that is repeated, has changed each record once, and told of each', async () => {
    for (const mostEvents of [1, 60]) await killed(mostEvents);
    const again = await replica.call(`PATCH /v1/data/notes?filter=${encodeURIComponent(filter)}`, {
      body: { $inc: { n: 1 }, $set: { state: 'done' } },
      type: operatorsType,
      token: admin.token,
    });
    assert.equal(again.status, 200, again.text);
    const left = Number(again.body.matched);
    assert.ok(left > 0 && left < count, again.text);
    assert.equal(again.body.changed, left);
    const records = await all();
    assert.deepEqual([...new Set(records.map(({ n, state, revision }) => `${n} ${state} ${revision}`))], ['1 done 2']);
    assert.equal(records.length, count);
    const published = await data.published();
    const events = await published.waitFor(({ type }) => type === 'data.record.updated', count);
    assert.equal(new Set(events.map(({ subject }) => subject)).size, count);
  });
});
