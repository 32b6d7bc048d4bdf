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

  it('goes on where it was with another session, organisation or role that no rule asks for', async () => {
    const name = await define([{ n: { $gte: 1 } }, { team: { $auth: 'sub' } }]);
    const sub = `usr_${randomUUID()}`;
    const is = await tokenOf(sub, { roles: ['member'], org: 'org_2' });
    const { told } = await comeBack(name, await tokenOf(sub, { org: 'org_1' }), is);
    assert.deepEqual(told, []);
  });
});
