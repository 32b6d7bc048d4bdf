import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { mergePatchType } from '../records/merge-patch.ts';
import { createHeldStream } from '../testing/held-stream.ts';
import type { HeldStream } from '../testing/held-stream.ts';
import { openTestData } from '../testing/test-data.ts';
import type { Person, TestData, TestReplica } from '../testing/test-data.ts';
import { openFeed } from '../testing/test-feed.ts';
import type { TestFeed } from '../testing/test-feed.ts';

const definitionOf = (least: number) => ({
  schema: { properties: { n: { type: 'number' } } },
  rules: { read: [{ n: { $gte: least } }] },
});

describe('a feed at a replica that knows a definition ahead of its commit stream', () => {
  let data: TestData;
  let replica: TestReplica;
  let held: HeldStream;
  let late: TestReplica;
  let admin: Person;
  let ada: Person;

  before(async () => {
    data = await openTestData();
    held = createHeldStream();
    [replica, late] = [await data.replica(), await data.replica({}, held)];
    [admin, ada] = [await data.person({ roles: ['admin'] }), await data.person()];
  });
  after(() => data.stop());

  const put = async (at: TestReplica, name: string, least: number): Promise<void> => {
    const answer = await at.call(`PUT /v1/collections/${name}`, { body: definitionOf(least), token: admin.token });
    assert.ok(answer.status < 300, answer.text);
  };
  const create = async (name: string, n: number): Promise<void> => {
    const answer = await replica.call(`POST /v1/data/${name}`, { body: { n }, token: admin.token });
    assert.equal(answer.status, 201, answer.text);
  };

  for (const isOpen of [false, true]) {
    it(`is told by it nothing that was committed before it, ${isOpen ? 'open already' : 'opened meanwhile'}`, async () => {
      const name = `c${randomUUID().slice(0, 8)}`;
      await put(replica, name, 9);
      const open = () => openFeed(late, name, { token: ada.token });
      const opened = await open();
      await create(name, 9);
      await opened.count(1);
      if (!isOpen) opened.close();
      held.hold();
      try {
        await create(name, 5);
        // One that the stream brings first, and what it knows by then is the next.
        await put(replica, name, 8);
        await create(name, 6);
        await put(late, name, 1);
        const feed = isOpen ? opened : await open();
        await create(name, 2);
        held.release();
        const had = isOpen ? [9] : [];
        await feed.count(had.length + 1);
        await create(name, 3);
        assert.deepEqual(
          (await feed.count(had.length + 2)).map(({ record }) => record?.n),
          [...had, 2, 3],
        );
        feed.close();
      } finally {
        held.release();
      }
    });
  }
});

describe('a feed at a replica that is behind, by a rule that follows references', () => {
  let data: TestData;
  const feeds: TestFeed[] = [];
  before(async () => {
    data = await openTestData();
  });
  after(async () => {
    for (const feed of feeds) feed.close();
    await data.stop();
  });

  for (const staysBehind of [false, true]) {
    const how = staysBehind ? 'though it stays behind: it is told of the change then' : 'which is waited for';
    it(`is told nothing that was committed before its reader came to be one of those who may see it, ${how}`, async () => {
      const held = createHeldStream();
      const [replica, late] = [await data.replica(), await data.replica({}, held)];
      const [admin, ada] = [await data.person({ roles: ['admin'] }), await data.person()];
      const call = async (methodAndPath: string, body: object, type?: string): Promise<string> => {
        const options = { body, token: admin.token, ...(type === undefined ? {} : { type }) };
        const answer = await replica.call(methodAndPath, options);
        assert.ok(answer.status < 300, answer.text);
        return String(answer.body.id);
      };
      const [projects, tasks] = [`p${randomUUID().slice(0, 8)}`, `t${randomUUID().slice(0, 8)}`];
      const members = { type: 'array', items: { type: 'string' } };
      await call(`PUT /v1/collections/${projects}`, { schema: { properties: { members } } });
      await call(`PUT /v1/collections/${tasks}`, {
        schema: { properties: { n: { type: 'number' }, project: { type: 'string' } } },
        fields: { project: { reference: { collection: projects } } },
        rules: { read: [{ project: { $follow: { members: { $auth: 'sub' } } } }] },
      });
      const project = await call(`POST /v1/data/${projects}`, { members: [] });
      await call(`POST /v1/data/${tasks}`, { n: 1, project });
      const all = await openFeed(late, tasks, { token: admin.token });
      await call(`POST /v1/data/${tasks}`, { n: 2, project });
      await all.count(1);
      all.close();
      held.hold();
      try {
        await call(`POST /v1/data/${tasks}`, { n: 3, project });
        await call(`PATCH /v1/data/${projects}/${project}`, { members: [ada.id] }, mergePatchType);
        const opening = openFeed(late, tasks, { token: ada.token });
        if (!staysBehind) held.release();
        const feed = await opening;
        feeds.push(feed);
        await call(`POST /v1/data/${tasks}`, { n: 4, project });
        held.release();
        const told = await feed.count(1);
        assert.deepEqual(
          told.map(({ record }) => record?.n),
          [4],
        );
        assert.equal(feed.blocks.filter(({ event }) => event === 'gap').length, staysBehind ? 1 : 0);
      } finally {
        held.release();
      }
    });
  }
});
