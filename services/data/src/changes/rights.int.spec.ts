import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { openTestData } from '../testing/test-data.ts';
import type { Person, TestData, TestReplica } from '../testing/test-data.ts';
import { openFeed } from '../testing/test-feed.ts';
import type { TestFeed } from '../testing/test-feed.ts';

const properties = { n: { type: 'number' }, team: { type: 'string' }, secret: { type: 'string' } };

describe('who comes back to a feed with other rights', () => {
  let data: TestData;
  let replica: TestReplica;
  let admin: Person;
  const feeds: TestFeed[] = [];

  before(async () => {
    data = await openTestData();
    [replica, admin] = [await data.replica(), await data.person({ roles: ['admin'] })];
  });
  after(async () => {
    for (const feed of feeds) feed.close();
    await data.stop();
  });

  const define = async (read: unknown, fields: object = {}): Promise<string> => {
    const name = `c${randomUUID().slice(0, 8)}`;
    const body = { schema: { properties }, rules: { read }, fields };
    const answer = await replica.call(`PUT /v1/collections/${name}`, { body, token: admin.token });
    assert.equal(answer.status, 201, answer.text);
    for (const n of [1, 2]) {
      const made = await replica.call(`POST /v1/data/${name}`, {
        body: { n, team: n === 1 ? 'org_1' : 'org_2', secret: 'x' },
        token: admin.token,
      });
      assert.equal(made.status, 201, made.text);
    }
    return name;
  };
  const tokenOf = (sub: string, claims: { readonly roles?: readonly string[]; readonly org?: string } = {}) =>
    data.token({ sub, sid: `ses_${randomUUID()}`, ...claims });
  const follow = async (name: string, token: string, after?: string): Promise<TestFeed> => {
    const feed = await openFeed(replica, name, { token, snapshot: true, ...(after === undefined ? {} : { after }) });
    feeds.push(feed);
    return feed;
  };
  /** What a feed has told, in short. */
  const toldBy = ({ blocks }: TestFeed): string[] =>
    blocks.flatMap(({ event, data: text = '{}' }) => {
      if (event === undefined) return [];
      const { reason, record } = JSON.parse(text) as {
        reason?: string;
        record?: { n: number; secret?: string };
      };
      const seen = record === undefined ? '' : ` ${record.n}${record.secret === undefined ? '' : ' with its secret'}`;
      return [`${event}${reason === undefined ? '' : ` ${reason}`}${seen}`];
    });
  const isReady = (feed: TestFeed) => feed.until('ready', () => toldBy(feed).includes('ready'));
  /** @returns what is told to who comes back, with another token, after all of a snapshot */
  const comeBack = async (name: string, was: string, is: string): Promise<{ had: string[]; told: string[] }> => {
    const first = await follow(name, was);
    await isReady(first);
    first.close();
    const again = await follow(name, is, first.lastId());
    const made = await replica.call(`POST /v1/data/${name}`, { body: { n: 3, team: 'org_1' }, token: admin.token });
    assert.equal(made.status, 201, made.text);
    await again.until('what follows', () => toldBy(again).some((each) => each === 'current 3' || each === 'created 3'));
    const told = toldBy(again).filter((each) => !each.endsWith(' 3'));
    return { had: toldBy(first), told };
  };

  it('as an administrator no more, is sent what is left of them', async () => {
    const name = await define([{ n: { $gte: 2 } }], { secret: { read: [] } });
    const sub = `usr_${randomUUID()}`;
    const { had, told } = await comeBack(name, await tokenOf(sub, { roles: ['admin'] }), await tokenOf(sub));
    assert.deepEqual(had.toSorted(), ['current 1 with its secret', 'current 2 with its secret', 'ready']);
    assert.deepEqual(
      told.filter((each) => each !== 'ready'),
      ['gap rights', 'current 2'],
    );
  });

  it('as an administrator now, is sent everything', async () => {
    const name = await define([{ n: { $gte: 2 } }]);
    const sub = `usr_${randomUUID()}`;
    const { told } = await comeBack(name, await tokenOf(sub), await tokenOf(sub, { roles: ['admin'] }));
    assert.deepEqual(told.filter((each) => each !== 'ready').toSorted(), [
      'current 1 with its secret',
      'current 2 with its secret',
      'gap rights',
    ]);
  });

  it('in another organisation, where the rule of records or of a field asks for it', async () => {
    const sub = `usr_${randomUUID()}`;
    const [one, other] = [await tokenOf(sub, { org: 'org_1' }), await tokenOf(sub, { org: 'org_2' })];
    const ofTeam = [{ team: { $auth: 'org' } }];
    const records = await comeBack(await define([...ofTeam, { n: 3 }]), one, other);
    assert.deepEqual(records.had, ['current 1 with its secret', 'ready']);
    assert.deepEqual(
      records.told.filter((each) => each !== 'ready'),
      ['gap rights', 'current 2 with its secret'],
    );
    const fields = await comeBack(await define('signed-in', { secret: { read: ofTeam } }), one, other);
    assert.deepEqual(fields.had, ['current 1 with its secret', 'current 2', 'ready']);
    assert.deepEqual(
      fields.told.filter((each) => each !== 'ready'),
      ['gap rights', 'current 1', 'current 2 with its secret'],
    );
  });

  describe('is told nothing of what was committed while they were not what they are again', () => {
    const notWritten = (feed: TestFeed): string[] => toldBy(feed).filter((each) => each !== 'ready');
    const write = async (to: string, body: object): Promise<string> => {
      const made = await replica.call(`POST /v1/data/${to}`, { body, token: admin.token });
      assert.equal(made.status, 201, made.text);
      return String(made.body.id);
    };
    const change = async (path: string, body: object): Promise<void> => {
      const type = 'application/merge-patch+json';
      const changed = await replica.call(`PATCH /v1/data/${path}`, { body, type, token: admin.token });
      assert.equal(changed.status, 200, changed.text);
    };
    /** @returns the cursor of a feed, which is left with it */
    const left = async (name: string, token: string): Promise<string> => {
      const feed = await follow(name, token);
      await isReady(feed);
      feed.close();
      return feed.lastId();
    };
    /** A record is written while they see none, and is another one by the time that they see it again. */
    const assertUntold = async (name: string, token: string, after: string): Promise<void> => {
      for (const at of [replica, await data.replica()]) {
        const feed = await openFeed(at, name, { token, snapshot: true, after });
        feeds.push(feed);
        await isReady(feed);
        assert.deepEqual(notWritten(feed).toSorted(), ['current 1', 'current 2', 'current 4', 'gap rights']);
        const bare = await openFeed(at, name, { token, after });
        feeds.push(bare);
        await bare.until('a gap', () => toldBy(bare).length > 0);
        assert.deepEqual(notWritten(bare), ['gap rights']);
      }
    };

    it('by the rule', async () => {
      const put = async (name: string, read: unknown, more: object = {}): Promise<void> => {
        const body = { schema: { properties: { ...properties, ...more } }, rules: { read } };
        const answer = await replica.call(`PUT /v1/collections/${name}`, { body, token: admin.token });
        assert.ok(answer.status < 300, answer.text);
      };
      const name = `c${randomUUID().slice(0, 8)}`;
      await put(name, 'signed-in');
      for (const n of [1, 2]) await write(name, { n });
      const token = await tokenOf(`usr_${randomUUID()}`);
      const after = await left(name, token);
      await put(name, []);
      const id = await write(name, { n: 3, secret: 'x' });
      await change(`${name}/${id}`, { n: 4, secret: null });
      await put(name, 'signed-in');
      // What else a definition says is no other rule.
      await put(name, 'signed-in', { more: { type: 'string' } });
      await assertUntold(name, token, after);
      const again = await left(name, token);
      await put(name, 'signed-in');
      const feed = await follow(name, token, again);
      await write(name, { n: 5 });
      await feed.count(1);
      assert.deepEqual(toldBy(feed), ['created 5']);
    });

    it('by the record that a rule follows', async () => {
      const sub = `usr_${randomUUID()}`;
      const token = await tokenOf(sub);
      const teams = `c${randomUUID().slice(0, 8)}`;
      const members = { type: 'array', items: { type: 'string' } };
      const name = `c${randomUUID().slice(0, 8)}`;
      for (const [to, body] of [
        [teams, { schema: { properties: { members } }, indexes: [{ keys: { members: 1 } }] }],
        [
          name,
          {
            schema: { properties },
            fields: { team: { reference: { collection: teams } } },
            rules: { read: [{ team: { $follow: { members: { $auth: 'sub' } } } }] },
          },
        ],
      ] as const) {
        const answer = await replica.call(`PUT /v1/collections/${to}`, { body, token: admin.token });
        assert.equal(answer.status, 201, answer.text);
      }
      const team = await write(teams, { members: [sub] });
      for (const n of [1, 2]) await write(name, { n, team });
      const after = await left(name, token);
      await change(`${teams}/${team}`, { members: [] });
      const id = await write(name, { n: 3, secret: 'x', team });
      await change(`${name}/${id}`, { n: 4, secret: null });
      await change(`${teams}/${team}`, { members: [sub, 'usr_else'] });
      await assertUntold(name, token, after);
      const again = await left(name, token);
      await change(`${teams}/${team}`, { members: [sub] });
      const feed = await follow(name, token, again);
      await write(name, { n: 5, team });
      await feed.count(1);
      assert.deepEqual(toldBy(feed), ['created 5']);
    });
  });

  it('goes on where it was with another session, organisation or role that no rule asks for', async () => {
    const name = await define([{ n: { $gte: 1 } }, { team: { $auth: 'sub' } }]);
    const sub = `usr_${randomUUID()}`;
    const is = await tokenOf(sub, { roles: ['member'], org: 'org_2' });
    const { told } = await comeBack(name, await tokenOf(sub, { org: 'org_1' }), is);
    assert.deepEqual(told, []);
  });
});
