import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { openTestData } from '../testing/test-data.ts';
import type { Person, TestData, TestReplica } from '../testing/test-data.ts';
import { openFeed } from '../testing/test-feed.ts';

describe('a feed whose rule asks whose a followed record is', () => {
  let data: TestData;
  let replica: TestReplica;
  let admin: Person;

  before(async () => {
    data = await openTestData();
    [replica, admin] = [await data.replica(), await data.person({ roles: ['admin'] })];
  });
  after(() => data.stop());

  it('loses the right that an erasure takes, though its events do not say from whom', async () => {
    const [boss, ada] = [await data.person(), await data.person()];
    const [teams, tasks] = [`c${randomUUID().slice(0, 8)}`, `c${randomUUID().slice(0, 8)}`];
    const done = async (method: string, path: string, body: object, { token } = admin): Promise<string> => {
      const answer = await replica.call(`${method} ${path}`, { body, token });
      assert.equal(answer.status, 201, answer.text);
      return String(answer.body.id);
    };
    await done('PUT', `/v1/collections/${teams}`, { schema: {}, rules: { create: 'signed-in' } });
    await done('PUT', `/v1/collections/${tasks}`, {
      schema: { properties: { team: { type: 'string' } } },
      fields: { team: { reference: { collection: teams } } },
      rules: { read: [{ team: { $follow: { createdBy: boss.id } } }] },
    });
    const team = await done('POST', `/v1/data/${teams}`, {}, boss);
    await done('POST', `/v1/data/${tasks}`, { team });
    const feed = await openFeed(replica, tasks, { token: ada.token, snapshot: true });
    const events = (): string[] => feed.blocks.flatMap(({ event }) => event ?? []);
    await feed.until('its snapshot', () => events().includes('ready'));
    await data.erase(boss.id, 'requested');
    await feed.until('the end of the right', () => events().filter((event) => event === 'ready').length === 2);
    await done('POST', `/v1/data/${tasks}`, { team });
    const clock = await openFeed(replica, tasks, { token: admin.token, snapshot: true });
    await clock.until('all that is there', () => clock.blocks.some(({ event }) => event === 'ready'));
    assert.deepEqual(events(), ['current', 'ready', 'gap', 'ready']);
    for (const each of [feed, clock]) each.close();
  });
});
