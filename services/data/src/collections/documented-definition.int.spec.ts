import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';

import { openTestData } from '../testing/test-data.ts';
import type { TestData } from '../testing/test-data.ts';

describe('the definition in docs/data.md', () => {
  let data: TestData;

  before(async () => {
    data = await openTestData();
  });

  after(() => data.stop());

  it('is one, and does what it says', async () => {
    const text = readFileSync(new URL('../../../../docs/data.md', import.meta.url), 'utf8');
    const [, json = ''] = /```json\n(.*?)```/s.exec(text) ?? [];
    const replica = await data.replica();
    const [admin, ada, bob] = await Promise.all([data.person({ roles: ['admin'] }), data.person(), data.person()]);
    const projects = { schema: { type: 'object' }, rules: { read: 'public' } };
    await replica.call('PUT /v1/collections/projects', { body: projects, token: admin.token });
    const defined = await replica.call('PUT /v1/collections/articles', { body: json, token: admin.token });
    assert.equal(defined.status, 201, defined.text);
    const body = { title: 'A', status: 'published', salary: 7 };
    const made = await replica.call('POST /v1/data/articles', { body, token: ada.token });
    assert.deepEqual([made.status, made.body.author], [201, ada.id], made.text);
    const path = `GET /v1/data/articles/${String(made.body.id)}`;
    assert.equal((await replica.call(path, { token: ada.token })).body.salary, 7);
    const seen = await replica.call(path, { token: bob.token });
    assert.deepEqual([seen.status, seen.body.salary], [200, undefined], seen.text);
  });
});
