import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { createHeldStream } from './held-stream.ts';
import { openTestData } from './test-data.ts';
import type { Answered, Person, TestData, TestReplica } from './test-data.ts';
import { feedDefinition as definition, openFeed } from './test-feed.ts';
import type { TestFeed, Told, Transport } from './test-feed.ts';

/**
 * What holds for every feed.
 *
 * @param transport - what feeds are told over
 */
export function testFeeds(transport: Transport): void {
  describe(`the feed of a collection, over ${transport}`, () => {
    let data: TestData;
    let replica: TestReplica;
    let other: TestReplica;
    let admin: Person;
    let ada: Person;
    let eve: Person;
    const feeds: TestFeed[] = [];

    before(async () => {
      data = await openTestData();
      [replica, other] = [await data.replica(), await data.replica()];
      [admin, ada, eve] = await Promise.all([data.person({ roles: ['admin'] }), data.person(), data.person()]);
    });

    after(async () => {
      for (const feed of feeds) feed.close();
      await data.stop();
    });

    const define = async (body: object = definition): Promise<string> => {
      const name = `c${randomUUID().slice(0, 8)}`;
      const answer = await replica.call(`PUT /v1/collections/${name}`, { body, token: admin.token });
      assert.equal(answer.status, 201, answer.text);
      return name;
    };
    const follow = async (
      name: string,
      person?: Person,
      options: { at?: TestReplica; filter?: unknown; after?: string; snapshot?: boolean } = {},
    ): Promise<TestFeed> => {
      const { at = replica, ...more } = options;
      const feed = await openFeed(at, name, {
        transport,
        ...(person === undefined ? {} : { token: person.token }),
        ...more,
      });
      feeds.push(feed);
      return feed;
    };
    const create = async (name: string, fields: object, at = replica): Promise<{ id: string; path: string }> => {
      const answer = await at.call(`POST /v1/data/${name}`, { body: fields, token: admin.token });
      assert.equal(answer.status, 201, answer.text);
      const id = String(answer.body.id);
      return { id, path: `/v1/data/${name}/${id}` };
    };
    const patch = async (path: string, fields: object, at = replica): Promise<Answered> => {
      const type = 'application/merge-patch+json';
      const answer = await at.call(`PATCH ${path}`, { body: fields, type, token: admin.token });
      assert.equal(answer.status, 200, answer.text);
      return answer;
    };
    const remove = async (path: string): Promise<void> => {
      assert.equal((await replica.call(`DELETE ${path}`, { token: admin.token })).status, 204);
    };
    const reasonOf = (block: { readonly event?: string; readonly data?: string } | undefined): string =>
      `${block?.event ?? ''} ${(JSON.parse(block?.data ?? '{}') as { reason?: string }).reason ?? ''}`;
    const shapes = (told: readonly Told[]): string[] => told.map(({ event, revision }) => `${event} ${revision}`);

    it('opens with where it begins, then tells of each change what the record is', async () => {
      const name = await define();
      const feed = await follow(name, ada);
      assert.deepEqual(Object.keys(feed.blocks[0] ?? {}), ['id']);
      const { id, path } = await create(name, { status: 'published', n: 1 });
      const changed = await patch(path, { n: 2 });
      await remove(path);
      const [created, updated, deleted] = await feed.count(3);
      assert.equal(created?.event, 'created');
      assert.equal(created.record?.n, 1);
      assert.equal(created.previous, undefined);
      assert.equal(updated?.event, 'updated');
      assert.deepEqual(updated.record, changed.body);
      assert.equal(updated.previous?.n, 1);
      assert.equal(updated.previous.revision, 1);
      assert.equal(updated.eventId, changed.headers.get('causeway-event'));
      assert.deepEqual([deleted?.event, deleted?.recordId, deleted?.revision], ['deleted', id, 3]);
      assert.equal(deleted?.record, undefined);
      assert.equal(deleted?.previous?.n, 2);
    });

    it('tells each subscriber what the rule and its filter let it see', async () => {
      const name = await define();
      const whole = await follow(name, admin);
      const mine = await follow(name, ada);
      const public_ = await follow(name);
      const big = await follow(name, ada, { filter: { n: { $gte: 10 } } });
      const { path } = await create(name, { status: 'draft', author: ada.id, n: 1 });
      await patch(path, { n: 10 });
      await patch(path, { status: 'published' });
      await patch(path, { n: 2 });
      await patch(path, { status: 'draft', author: eve.id });
      await remove(path);
      assert.deepEqual(shapes(await whole.count(6)), [
        'created 1',
        'updated 2',
        'updated 3',
        'updated 4',
        'updated 5',
        'deleted 6',
      ]);
      assert.deepEqual(shapes(await mine.count(5)), ['created 1', 'updated 2', 'updated 3', 'updated 4', 'left 5']);
      const seen = await public_.count(3);
      assert.deepEqual(shapes(seen), ['entered 3', 'updated 4', 'left 5']);
      // What it was before is nobody's business who could not read it.
      assert.equal(seen[0]?.previous, undefined);
      const left = seen[2];
      assert.equal(left?.record, undefined);
      assert.equal(left?.previous?.n, 2);
      const bigTold = await big.count(3);
      assert.deepEqual(shapes(bigTold), ['entered 2', 'updated 3', 'left 4']);
      // It could read what its filter did not ask for.
      assert.equal(bigTold[0]?.previous?.n, 1);
    });

    it('is the same in every replica, in the order of commits', async () => {
      const name = await define();
      const [one, two] = [await follow(name, admin), await follow(name, admin, { at: other })];
      await Promise.all(
        Array.from({ length: 10 }, async (_, index) => {
          const at = index % 2 === 0 ? replica : other;
          const { path } = await create(name, { status: 'published', n: index }, at);
          await patch(path, { n: index + 100 }, at === replica ? other : replica);
        }),
      );
      const [told, toldToo] = [await one.count(20), await two.count(20)];
      assert.deepEqual(
        told.map(({ eventId }) => eventId),
        toldToo.map(({ eventId }) => eventId),
      );
    });

    it('tells a transaction whole between two cursors, also to who was cut off within it', async () => {
      const name = await define();
      const [one, two] = [await create(name, { n: 1 }), await create(name, { n: 2 })];
      const feed = await follow(name, admin, { at: other });
      await patch(one.path, { n: 10 });
      const operations = [
        ...Array.from({ length: 20 }, (_, n) => ({ op: 'create', collection: name, fields: { n } })),
        { op: 'update', collection: name, id: one.id, merge: { n: 20 } },
        { op: 'delete', collection: name, id: two.id },
      ];
      const batch = await replica.call('POST /v1/batch', { body: { operations }, token: admin.token });
      assert.equal(batch.status, 200, batch.text);
      await remove(one.path);
      /** How many changes there are up to each cursor. */
      const commits = ({ blocks }: TestFeed): number[] => {
        const sizes: number[] = [];
        let size = 0;
        for (const { event, id } of blocks) {
          if (event !== undefined) size += 1;
          if (id === undefined || size === 0) continue;
          sizes.push(size);
          size = 0;
        }
        return sizes;
      };
      await feed.until('the last change', () =>
        feed.told().some(({ event, recordId }) => event === 'deleted' && recordId === one.id),
      );
      // A replica that is behind may tell of what was there before, too.
      const told = feed.told().slice(-24);
      assert.deepEqual(commits(feed).slice(-3), [1, 22, 1]);
      const before = told[0]?.id ?? '';
      const whole = told[1]?.id ?? '';
      const third = await data.replica();
      for (const at of [replica, other, third]) {
        const cut = await follow(name, admin, { at, after: before });
        assert.deepEqual(
          (await cut.count(23)).map(({ eventId }) => eventId),
          told.slice(1).map(({ eventId }) => eventId),
        );
        assert.deepEqual(commits(cut), [22, 1]);
        assert.deepEqual(shapes(await (await follow(name, admin, { at, after: whole })).count(1)), ['deleted 4']);
      }
      await third.stop();
    });

    describe('resumed', () => {
      /** Reads everything from a cursor, at a replica, up to a number of changes. */
      const resumed = async (name: string, after: string, changes: number, at = replica): Promise<Told[]> => {
        const feed = await follow(name, ada, { after, at });
        const told = await feed.count(changes);
        feed.close();
        return told;
      };

      it('goes on after any change, at any replica, without a gap and without a repetition', async () => {
        const name = await define();
        const feed = await follow(name, ada);
        const first = feed.lastId();
        const { path } = await create(name, { status: 'published', n: 0 });
        for (let n = 1; n < 8; n += 1) await patch(path, { n });
        await remove(path);
        const whole = (await feed.count(9)).map(({ eventId }) => eventId);
        const cursors = [first, ...feed.told().map(({ id }) => id)];
        for (const [index, cursor] of cursors.slice(0, -1).entries()) {
          const told = await resumed(name, cursor, 9 - index, index % 2 === 0 ? replica : other);
          assert.deepEqual(
            told.map(({ eventId }) => eventId),
            whole.slice(index),
          );
        }
      });

      it('at a replica that is behind repeats nothing, and loses nothing', async () => {
        const held = createHeldStream();
        const late = await data.replica({}, held);
        const name = await define();
        const feed = await follow(name, ada);
        const begun = await follow(name, ada, { at: late });
        held.hold();
        const { path } = await create(name, { status: 'published', n: 0 });
        for (let n = 1; n < 4; n += 1) await patch(path, { n });
        await remove(path);
        const whole = (await feed.count(5)).map(({ eventId }) => eventId);
        const opening = feed.told().map(({ id }) => follow(name, ada, { at: late, after: id }));
        const resumed = await Promise.all(opening);
        held.release();
        await begun.count(5);
        const last = await create(name, { status: 'published', n: 9 });
        for (const [index, each] of resumed.entries()) {
          const told = await each.count(5 - index);
          assert.equal(told.at(-1)?.recordId, last.id);
          assert.deepEqual(
            told.slice(0, -1).map(({ eventId }) => eventId),
            whole.slice(index + 1),
          );
        }
        await late.stop();
      });

      it('at a replica that stays behind ends soon, to be resumed elsewhere', async () => {
        const held = createHeldStream();
        const late = await data.replica({}, held);
        const name = await define();
        const feed = await follow(name, ada);
        held.hold();
        const { path } = await create(name, { status: 'published', n: 0 });
        await feed.count(1);
        const resumed = await follow(name, ada, { at: late, after: feed.lastId() });
        assert.equal(reasonOf(await resumed.ended()), 'end behind');
        await patch(path, { n: 1 });
        const elsewhere = await follow(name, ada, { at: other, after: resumed.lastId() });
        assert.deepEqual(shapes(await elsewhere.count(1)), ['updated 2']);
        held.release();
        await late.stop();
      });

      it('by a replica that was not there when it happened', async () => {
        const name = await define();
        const feed = await follow(name, ada);
        const first = feed.lastId();
        const { path } = await create(name, { status: 'published', n: 0 });
        for (let n = 1; n < 5; n += 1) await patch(path, { n });
        await feed.count(5);
        const late = await data.replica();
        const feedsAtOnce = await Promise.all(
          [first, ...feed.told().map(({ id }) => id)].map((after) => follow(name, ada, { at: late, after })),
        );
        for (const [index, each] of feedsAtOnce.entries()) {
          const told = await each.count(5 - index);
          assert.deepEqual(
            told.map(({ eventId }) => eventId),
            feed
              .told()
              .slice(index)
              .map(({ eventId }) => eventId),
          );
        }
        // And then they go on live.
        await patch(path, { n: 100 });
        for (const [index, each] of feedsAtOnce.entries()) {
          const told = await each.count(6 - index);
          assert.equal(told.at(-1)?.record?.n, 100);
        }
        await late.stop();
      });

      it('by many at once at a replica that was not there, by one change stream beside its own', async () => {
        const name = await define();
        const feed = await follow(name, ada);
        const first = feed.lastId();
        const { path } = await create(name, { status: 'published', n: 0 });
        for (let n = 1; n < 5; n += 1) await patch(path, { n });
        const cursors = [first, ...(await feed.count(5)).map(({ id }) => id)];
        const before = await data.changeStreams();
        const late = await data.replica();
        let most = 0;
        let isOver = false;
        const watching = (async () => {
          while (!isOver) most = Math.max(most, await data.changeStreams());
        })();
        const resuming = Array.from({ length: 200 }, (_, index) =>
          follow(name, ada, { at: late, after: cursors[index % 5] ?? first }),
        );
        for (const [index, each] of (await Promise.all(resuming)).entries()) {
          assert.equal((await each.count(5 - (index % 5))).length, 5 - (index % 5));
          each.close();
        }
        isOver = true;
        await watching;
        // Rounds of who came while another was read follow each other.
        assert.ok(most > before, `${most} change streams, of which ${before} were there before`);
        assert.ok(most <= before + 2, `${most} change streams, of which ${before} were there before`);
        await late.stop();
      });

      it('loses nothing under writers, however often it is cut', async () => {
        const name = await define();
        const watching = await follow(name, admin, { at: other });
        let writing = true;
        const writers = [replica, other].map(async (at) => {
          while (writing) {
            const { path } = await create(name, { status: 'published', author: ada.id, n: 0 }, at);
            for (let n = 1; n < 4; n += 1) await patch(path, { n, status: n === 2 ? 'draft' : 'published' }, at);
          }
        });
        const told: Told[] = [];
        let cursor: string | undefined;
        for (let cut = 0; cut < 12; cut += 1) {
          const feed = await follow(name, ada, {
            at: cut % 2 === 0 ? replica : other,
            ...(cursor ? { after: cursor } : {}),
          });
          await feed.count(5);
          feed.close();
          told.push(...feed.told());
          cursor = feed.lastId();
        }
        writing = false;
        await Promise.all(writers);
        const { told: all } = watching;
        const from = told[0]?.eventId;
        await watching.until('the last change', () => all().some(({ eventId }) => eventId === told.at(-1)?.eventId));
        const expected = all().map(({ eventId }) => eventId);
        const begin = expected.indexOf(from ?? '');
        assert.deepEqual(
          told.map(({ eventId }) => eventId),
          expected.slice(begin, begin + told.length),
        );
      });

      it('is refused with a cursor of another query, another person or none', async () => {
        const name = await define();
        const cursor = (await follow(name, ada)).lastId();
        assert.equal((await follow(name, ada, { after: cursor, filter: {} })).status, 400);
        assert.equal((await follow(name, eve, { after: cursor })).status, 404);
        assert.equal((await follow(await define(), ada, { after: cursor })).status, 400);
        assert.equal((await follow(name, ada, { after: 'nonsense' })).status, 400);
        assert.equal((await follow('nothing', ada)).status, 404);
        const list = await replica.call(`GET /v1/data/${name}`, { token: ada.token });
        assert.equal(list.status, 200);
      });
    });

    describe('says what it cannot tell', () => {
      it('when the read rule changes, and goes on under the new one', async () => {
        const name = await define();
        const feed = await follow(name);
        const { path } = await create(name, { status: 'published', n: 1 });
        const [{ id: old } = { id: '' }] = await feed.count(1);
        const rules = { ...definition.rules, read: [{ n: { $gte: 5 } }] };
        const changed = await replica.call(`PUT /v1/collections/${name}`, {
          body: { ...definition, rules },
          token: admin.token,
        });
        assert.equal(changed.status, 200, changed.text);
        await feed.until('the gap', () => feed.blocks.some(({ event }) => event === 'gap'));
        const gap = feed.blocks.find(({ event }) => event === 'gap');
        assert.equal(reasonOf(gap), 'gap rights');
        assert.notEqual(gap?.id, undefined);
        await patch(path, { n: 5 });
        assert.equal((await feed.count(2))[1]?.event, 'entered');
        const late = await follow(name, undefined, { after: old });
        await late.until('the gap', () => late.blocks.length >= 2);
        assert.deepEqual(late.blocks[0], { id: old });
        assert.equal(reasonOf(late.blocks[1]), 'gap rights');
      });

      it('nothing, when only the schema changes', async () => {
        const name = await define();
        const feed = await follow(name);
        const schema = { properties: { ...definition.schema.properties, more: { type: 'string' } } };
        await replica.call(`PUT /v1/collections/${name}`, { body: { ...definition, schema }, token: admin.token });
        await create(name, { status: 'published', more: 'x' });
        assert.equal((await feed.count(1))[0]?.record?.more, 'x');
        assert.ok(!feed.blocks.some(({ event }) => event === 'gap'));
      });

      it('when the database has a former life', async () => {
        const name = await define();
        const cursor = (await follow(name, ada)).lastId();
        const settings = data.db.collection<{ _id: string }>('settings');
        const before = await settings.findOne({ _id: 'generation' });
        await settings.updateOne({ _id: 'generation' }, { $set: { value: randomUUID() } });
        const restored = await data.replica();
        const feed = await follow(name, ada, { at: restored, after: cursor });
        await feed.until('the gap', () => feed.blocks.length >= 2);
        assert.equal(reasonOf(feed.blocks[1]), 'gap expired');
        await create(name, { status: 'published' });
        await feed.count(1);
        await settings.updateOne({ _id: 'generation' }, { $set: before ?? {} });
        await restored.stop();
      });

      it('when the patterns of its filter take too long over a change, and goes on after it', async () => {
        const name = await define();
        const filter = { text: { $regex: 'a[ab]{900}[cd]' } };
        const feed = await follow(name, admin, { filter });
        const quick = await follow(name, admin, { filter: { text: { $regex: 'b[cd]$' } } });
        const begin = feed.lastId();
        const text = randomBytes(300_000)
          .toString('latin1')
          .replaceAll(/./gs, (char) => (char < '\x80' ? 'a' : 'b'));
        await create(name, { status: 'published', n: 1, text: `${text}bc` });
        const found = await create(name, { status: 'published', n: 2, text: `a${'b'.repeat(900)}c` });
        const late = await follow(name, admin, { filter, after: begin, at: other });
        for (const each of [feed, late]) {
          await each.count(1);
          const gap = each.blocks.find(({ event }) => event === 'gap');
          assert.equal(reasonOf(gap), 'gap too-costly');
          assert.notEqual(gap?.id, undefined);
          assert.deepEqual(
            each.told().map(({ recordId }) => recordId),
            [found.id],
          );
        }
        assert.equal((await quick.count(2)).length, 2);
        assert.ok(!quick.blocks.some(({ event }) => event === 'gap'));
      });

      it('nothing, where one commit is more than may be on its way to a reader', async () => {
        const name = await define();
        const opening = await Promise.all([
          follow(name, admin),
          follow(name, ada, { filter: { n: { $gte: 0 } } }),
          follow(name, admin, { snapshot: true }),
        ]);
        const text = 'x'.repeat(250_000);
        const send = async (operations: readonly object[]): Promise<readonly string[]> => {
          const answer = await replica.call('POST /v1/batch', { body: { operations }, token: admin.token });
          assert.equal(answer.status, 200, answer.text.slice(0, 500));
          return (answer.body.results as unknown as readonly { id: string }[]).map(({ id }) => id);
        };
        const fields = Array.from({ length: 8 }, (_, n) => ({ status: 'published', n, text }));
        const made = await send(fields.map((each) => ({ op: 'create', collection: name, fields: each })));
        // Told with the record as it was: twice as much.
        await send(made.map((id, n) => ({ op: 'update', collection: name, id, merge: { n: n + 10 } })));
        const last = await create(name, { status: 'published', n: 100 });
        for (const feed of opening) {
          const told = await feed.count(17);
          assert.deepEqual(
            told.map(({ event, recordId }) => `${event} ${recordId}`),
            [...made.map((id) => `created ${id}`), ...made.map((id) => `updated ${id}`), `created ${last.id}`],
          );
          assert.equal(new Set(told.map(({ id }) => id)).size, 3);
          assert.ok(!feed.blocks.some(({ event }) => event === 'gap' || event === 'end'));
        }
      });
    });

    describe('ends', () => {
      it('when the session ends', async () => {
        const name = await define();
        const person = await data.person();
        const feed = await follow(name, person);
        const endedAt = performance.now();
        data.endSession(person.sid);
        assert.equal(reasonOf(await feed.ended()), 'end session-ended');
        // Within a second: only what does not end by that alone takes four.
        assert.ok(performance.now() - endedAt < 4_000, `${performance.now() - endedAt} ms`);
      });

      it('when nobody says any more whether the session has ended', async () => {
        const name = await define();
        const person = await data.person();
        const feed = await follow(name, person);
        data.loseSession(person.sid);
        assert.equal(reasonOf(await feed.ended()), 'end unsure');
      });

      it('when the token expires', async () => {
        const name = await define();
        const person = await data.person({ exp: Math.floor(Date.now() / 1_000) + 2 });
        const feed = await follow(name, person);
        assert.equal(reasonOf(await feed.ended()), 'end token-expired');
      });

      it('when the collection is removed', async () => {
        const name = await define();
        const feed = await follow(name, ada, { at: other });
        await replica.call(`DELETE /v1/collections/${name}?records=delete`, { token: admin.token });
        assert.equal(reasonOf(await feed.ended()), 'end collection-removed');
      });

      it('when the service shuts down', async () => {
        const name = await define();
        const third = await data.replica();
        const feed = await follow(name, ada, { at: third });
        third.service.drain();
        assert.equal(reasonOf(await feed.ended()), 'end shutdown');
        await third.stop();
      });
    });

    it('is refused beyond the limit, until one is closed', async () => {
      const small = await data.replica({ FEED_LIMIT: '1' });
      const name = await define();
      const feed = await follow(name, ada, { at: small });
      const refused = await follow(name, ada, { at: small });
      assert.equal(refused.status, 503);
      feed.close();
      const deadline = performance.now() + 40_000;
      for (;;) {
        const again = await follow(name, ada, { at: small });
        if (again.status === 200) break;
        assert.ok(performance.now() < deadline, 'no feed was admitted after one was closed');
      }
      await small.stop();
    });
  });
}
