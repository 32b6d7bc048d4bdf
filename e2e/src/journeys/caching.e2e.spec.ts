import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { call } from '../harness/client.ts';
import { createRecord, defineCollection } from '../harness/collections.ts';
import { expectProblem, expectStatus } from '../harness/expectations.ts';
import { admin, signUp } from '../harness/people.ts';

const kept = (headers: Readonly<Record<string, string>>): unknown[] => [headers['cache-control'], headers.vary];
const vary = 'Authorization, Cookie, Accept, Origin';

describe('what is read', () => {
  it('may be kept by everybody where it is public, and by its reader alone where it is not', async () => {
    const [administrator, { accessToken: token }] = await Promise.all([admin(), signUp()]);
    const open = await defineCollection(administrator, { rules: { read: 'public', create: 'signed-in' } });
    const closed = await defineCollection(administrator);
    for (const name of [open, closed]) {
      const { id } = await createRecord(name, token, { title: 'kept' });
      for (const path of [`/v1/data/${name}/${id}`, `/v1/data/${name}`]) {
        const own = expectStatus(await call('GET', path, { token }), 200);
        assert.deepEqual(kept(own.headers), ['private, no-cache', vary]);
        const headers = { 'if-none-match': own.headers.etag ?? '' };
        const unchanged = expectStatus(await call('GET', path, { token, headers }), 304);
        assert.deepEqual([unchanged.text, ...kept(unchanged.headers)], ['', 'private, no-cache', vary]);
        const others = await call('GET', path);
        if (name === open) assert.deepEqual(kept(expectStatus(others, 200).headers), ['public, no-cache', vary]);
        else {
          await expectProblem(others, 404, 'not-found');
          assert.equal(others.headers['cache-control'], 'no-store');
        }
      }
    }
    const first = expectStatus(await call('GET', `/v1/data/${open}`), 200);
    await createRecord(open, token, { title: 'another' });
    const headers = { 'if-none-match': first.headers.etag ?? '' };
    expectStatus(await call('GET', `/v1/data/${open}`, { headers }), 200);
  });
});
