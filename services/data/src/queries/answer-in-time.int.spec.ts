import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { createAsking, pageOf } from '../testing/asked-data.ts';
import { openTestData } from '../testing/test-data.ts';
import type { Person, TestData, TestReplica } from '../testing/test-data.ts';

const text = { type: 'string' } as const;
const member = { team: { $follow: { members: { $auth: 'sub' } } } };

const teams = {
  schema: { properties: { members: { type: 'array', items: text } } },
  indexes: [{ keys: { members: 1 } }],
  rules: { read: 'public' },
};
const people = {
  schema: { properties: { team: text } },
  fields: { team: { reference: { collection: 'teams' } } },
  rules: { read: [member] },
};
const tasks = {
  schema: { properties: { n: { type: 'integer' }, team: text, author: text } },
  fields: { team: { reference: { collection: 'teams' } }, author: { reference: { collection: 'people' } } },
  rules: { read: [member] },
};

describe('the time that MongoDB has for an answer', () => {
  const mostMs = 4_000;
  let data: TestData;
  let replica: TestReplica;
  let admin: Person;
  let ada: Person;
  let task: string;

  before(async () => {
    data = await openTestData();
    replica = await data.replica({ QUERY_TIMEOUT: `${mostMs}ms` });
    [admin, ada] = await Promise.all([data.person({ roles: ['admin'] }), data.person()]);
    const { define } = createAsking(replica, admin);
    const create = async (collection: string, body: object): Promise<string> => {
      const created = await replica.call(`POST /v1/data/${collection}`, { body, token: admin.token });
      assert.equal(created.status, 201, created.text);
      return String(created.body.id);
    };
    await define('teams', teams);
    await define('people', people);
    await define('tasks', tasks);
    const team = await create('teams', { members: [ada.id] });
    const author = await create('people', { team });
    task = await create('tasks', { n: 1, team, author });
  });
  after(() => data.stop());

  /** How long MongoDB could take for each question about records that a call has asked, in their order. */
  const boundsOf = async (call: () => Promise<unknown>): Promise<readonly number[]> => {
    await data.db.command({ profile: 0 });
    await data.db.collection('system.profile').drop();
    await data.db.command({ profile: 2 });
    await call();
    await data.db.command({ profile: 0 });
    // The relay and others ask, too, and have no such bound; how large a collection is is asked for all alike.
    const asked = { ns: /\.records_/, 'command.maxTimeMS': { $exists: true }, 'command.count': { $exists: false } };
    const found = await data.db.collection('system.profile').find(asked).sort({ $natural: 1 }).toArray();
    return found.map(({ command }) => (command as { maxTimeMS: number }).maxTimeMS);
  };
  const demandOneTime = (bounds: readonly number[], questions: number): void => {
    assert.equal(bounds.length, questions, JSON.stringify(bounds));
    assert.deepEqual(
      bounds,
      bounds.toSorted((one, other) => other - one),
    );
    assert.ok((bounds[0] ?? Infinity) <= mostMs && (bounds.at(-1) ?? Infinity) < mostMs, JSON.stringify(bounds));
  };

  it('is one for what a list is of, what its rule follows, and what is shown beside', async () => {
    const bounds = await boundsOf(async () => {
      const body = { filter: { n: 1 }, expand: ['author'] };
      const [item] = pageOf(await replica.call('POST /v1/data/tasks/query', { body, token: ada.token })).items;
      assert.equal((item?._expand as { author: { team: unknown } }).author.team, item?.team);
    });
    // The teams of the rule, the page, the author's team as it is named, that it is one, and the author.
    demandOneTime(bounds, 5);
  });

  it('is one for a record with what is shown beside', async () => {
    const bounds = await boundsOf(async () => {
      const read = await replica.call(`GET /v1/data/tasks/${task}?expand=author`, { token: ada.token });
      assert.equal(read.status, 200, read.text);
    });
    demandOneTime(bounds.slice(-4), 4);
  });

  it('is one for an aggregate with what it looks up', async () => {
    const bounds = await boundsOf(async () => {
      const stages = [{ match: { n: 1 } }, { lookup: { reference: 'author', as: 'who' } }];
      const rows = await replica.call('POST /v1/data/tasks/aggregate', { body: { stages }, token: ada.token });
      assert.equal(rows.status, 200, rows.text);
    });
    demandOneTime(bounds, 5);
  });
});
