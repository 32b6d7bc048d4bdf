import assert from 'node:assert/strict';
import { randomInt, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { ReadConcern } from 'mongodb';
import type { Document } from 'mongodb';

import { recordsCollection } from '../../collections/collection.model.ts';
import { seededRandom } from '../../conditions/testing/random.ts';
import type { Random } from '../../conditions/testing/random.ts';
import type { RecordDocument } from '../../records/record.model.ts';
import { foldFeed } from '../../testing/fold-feed.ts';
import type { FoldedView } from '../../testing/fold-feed.ts';
import { openTestData } from '../../testing/test-data.ts';
import type { Answered, Person, TestCall, TestData, TestReplica } from '../../testing/test-data.ts';
import { openFeed } from '../../testing/test-feed.ts';
import type { FeedBlock } from '../../testing/test-feed.ts';

const { CAUSEWAY_TEST_SEED } = process.env;

const schema = {
  properties: { status: { enum: ['draft', 'published'] }, author: { type: 'string' }, n: { type: 'number' } },
};
const writes = { create: 'signed-in', update: 'signed-in', delete: 'signed-in' };
const type = 'application/merge-patch+json';

describe('what is held by who follows a feed from a snapshot on', () => {
  let data: TestData;
  let replicas: readonly [TestReplica, TestReplica];
  let admin: Person;
  let ada: Person;
  const seed = CAUSEWAY_TEST_SEED === undefined ? randomInt(2 ** 31) : Number(CAUSEWAY_TEST_SEED);

  before(async () => {
    data = await openTestData();
    replicas = [await data.replica(), await data.replica()];
    [admin, ada] = await Promise.all([data.person({ roles: ['admin'] }), data.person()]);
  });
  after(() => data.stop());

  /** The rules of a test, and what they let ada see of the records with an `n` of 40 or more. */
  const rules: readonly { readonly read: unknown; readonly visible: () => Document }[] = [
    {
      read: [{ status: 'published' }, { author: { $auth: 'sub' } }],
      visible: () => ({ $or: [{ 'fields.status': 'published' }, { 'fields.author': ada.id }] }),
    },
    { read: [{ status: 'draft' }], visible: () => ({ 'fields.status': 'draft' }) },
  ];
  const filter = { n: { $gte: 40 } };

  const put = async (name: string, rule: number): Promise<void> => {
    const body = { schema, rules: { ...writes, read: rules[rule]?.read } };
    const answer = await replicas[0].call(`PUT /v1/collections/${name}`, { body, token: admin.token });
    assert.ok([200, 201].includes(answer.status), answer.text);
  };

  /** Creates, changes and deletes records, by single calls and by batches, until it is told to stop. */
  const write = async (name: string, random: Random, goesOn: () => boolean): Promise<void> => {
    const { token } = admin;
    const own: string[] = [];
    const fields = () => ({
      status: random.pick(['draft', 'published']),
      author: random.chance(30) ? ada.id : 'somebody',
      n: random.below(100),
    });
    const send = async (call: string, status: number, options: TestCall = {}): Promise<Answered> => {
      const answer = await random.pick(replicas).call(call, { ...options, token });
      assert.equal(answer.status, status, answer.text);
      return answer;
    };
    const steps = {
      create: async () => {
        const { body } = await send(`POST /v1/data/${name}`, 201, { body: fields() });
        own.push(String(body.id));
      },
      change: (id: string) => send(`PATCH /v1/data/${name}/${id}`, 200, { body: fields(), type }),
      remove: (id: string) => {
        own.splice(own.indexOf(id), 1);
        return send(`DELETE /v1/data/${name}/${id}`, 204);
      },
      batch: async (gone: string) => {
        own.splice(own.indexOf(gone), 1);
        const made = Array.from({ length: 3 }, () => ({ op: 'create', collection: name, fields: fields() }));
        const changed = own.slice(0, 2).map((id) => ({ op: 'update', collection: name, id, merge: fields() }));
        const operations = [...made, ...changed, { op: 'delete', collection: name, id: gone }];
        const { body } = await send('POST /v1/batch', 200, { body: { operations } });
        own.push(...(body.results as unknown as { id: string }[]).slice(0, 3).map(({ id }) => id));
      },
    };
    while (goesOn()) {
      if (own.length < 4 || random.chance(25)) await steps.create();
      else await random.pick([steps.change, steps.change, steps.remove, steps.batch])(random.pick(own));
    }
  };

  /** What the query finds at the time of a view. */
  const findAt = async (
    definitionId: string,
    visible: Document,
    { time }: FoldedView,
  ): Promise<Map<string, number>> => {
    const readConcern = Object.assign(new ReadConcern('snapshot'), { atClusterTime: time });
    const rows = await data.db
      .collection<RecordDocument>(recordsCollection(definitionId))
      .find({ $and: [visible, { 'fields.n': { $gte: 40 } }] }, { readConcern, projection: { revision: 1 } })
      .toArray();
    return new Map(rows.map(({ _id, revision }) => [_id, revision]));
  };

  const compare = async (
    definitionId: string,
    views: readonly FoldedView[],
    visible: () => Document,
  ): Promise<void> => {
    // Each of them would take a while; the last is always among them.
    const step = Math.max(1, Math.floor(views.length / 40));
    for (const view of views.filter((_, index) => (views.length - 1 - index) % step === 0)) {
      const found = await findAt(definitionId, visible(), view);
      const sorted = (map: ReadonlyMap<string, number>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
      assert.deepEqual(sorted(view.revisions), sorted(found), `seed ${seed}, at ${view.time.t}.${view.time.i}`);
    }
  };

  /** Follows for so many blocks with a cursor, at the one replica and then the other, cut off in between. */
  const followCut = async (name: string, cuts: number, changes: number): Promise<FeedBlock[]> => {
    const blocks: FeedBlock[] = [];
    let after: string | undefined;
    for (let cut = 0; cut < cuts; cut += 1) {
      const options = { token: ada.token, filter, snapshot: true, ...(after === undefined ? {} : { after }) };
      const feed = await openFeed(replicas[cut % 2 === 0 ? 0 : 1], name, options);
      assert.equal(feed.status, 200);
      await feed.count(changes);
      feed.close();
      // Nothing is told without a cursor but what is sent anew where it is asked for again.
      const last = feed.blocks.findLastIndex(({ id }) => id !== undefined);
      blocks.push(...feed.blocks.slice(after === undefined ? 0 : 1, last + 1));
      after = feed.lastId();
    }
    return blocks;
  };

  const definitionOf = async (name: string): Promise<string> =>
    String((await data.db.collection('collections').findOne({ name }))?._id);

  it('is what the query finds, at every place, under writers, batches, deletes and cuts', async () => {
    const name = `c${randomUUID().slice(0, 8)}`;
    await put(name, 0);
    let isOver = false;
    const writers = Array.from({ length: 8 }, (_, index) => write(name, seededRandom(seed + index), () => !isOver));
    try {
      for (let round = 0; round < 6; round += 1) {
        const views = foldFeed(await followCut(name, 3, 15));
        assert.ok(views.length > 3, `${views.length} places in a round`);
        const begun = views.find(({ revisions }) => revisions.size > 0);
        assert.ok(round === 0 || begun !== undefined);
        await compare(await definitionOf(name), views, () => rules[0]?.visible() ?? assert.fail());
      }
    } finally {
      isOver = true;
      await Promise.all(writers);
    }
  });

  it('is what the query finds by the rule of then, while the rule changes under it', async () => {
    const name = `c${randomUUID().slice(0, 8)}`;
    await put(name, 0);
    let isOver = false;
    const writers = Array.from({ length: 4 }, (_, index) =>
      write(name, seededRandom(seed + 100 + index), () => !isOver),
    );
    const feed = await openFeed(replicas[1], name, { token: ada.token, filter, snapshot: true });
    const readies = (): number => feed.blocks.filter(({ event }) => event === 'ready').length;
    try {
      await feed.count(20);
      await put(name, 1);
      await feed.until('the snapshot by the second rule', () => readies() >= 2);
      const told = feed.told().length;
      await feed.count(told + 20);
      await put(name, 0);
      await feed.until('the snapshot by the first rule', () => readies() >= 3);
      await feed.count(feed.told().length + 10);
    } finally {
      isOver = true;
      await Promise.all(writers);
      feed.close();
    }
    const views = foldFeed(feed.blocks);
    const names = [...new Set(views.map(({ rule }) => rule))];
    assert.equal(names.length, 2);
    for (const [index, rule] of names.entries()) {
      const own = views.filter((view) => view.rule === rule);
      assert.ok(own.length > 1);
      await compare(await definitionOf(name), own, () => rules[index]?.visible() ?? assert.fail());
    }
  });
});
