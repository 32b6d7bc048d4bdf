import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { createHeldStream } from './held-stream.ts';
import { openTestData } from './test-data.ts';
import type { Answered, Person, TestData, TestReplica } from './test-data.ts';
import { feedDefinition as definition, openFeed } from './test-feed.ts';
import type { FeedBlock, TestFeed, Transport } from './test-feed.ts';

/**
 * What holds for every feed that begins with a snapshot.
 *
 * @param transport - what feeds are told over
 */
export function testSnapshots(transport: Transport): void {
  describe(`a feed that begins with a snapshot, over ${transport}`, () => {
    let data: TestData;
    let replica: TestReplica;
    let other: TestReplica;
    let admin: Person;
    let ada: Person;
    const feeds: TestFeed[] = [];

    before(async () => {
      data = await openTestData();
      [replica, other] = [await data.replica(), await data.replica()];
      [admin, ada] = await Promise.all([data.person({ roles: ['admin'] }), data.person()]);
    });
    after(async () => {
      for (const feed of feeds) feed.close();
      await data.stop();
    });

    const put = async (name: string, body: object): Promise<void> => {
      const answer = await replica.call(`PUT /v1/collections/${name}`, { body, token: admin.token });
      assert.ok([200, 201].includes(answer.status), answer.text);
    };
    const define = async (body: object = definition): Promise<string> => {
      const name = `c${randomUUID().slice(0, 8)}`;
      await put(name, body);
      return name;
    };
    const create = async (name: string, fields: object): Promise<{ id: string; path: string }> => {
      const answer = await replica.call(`POST /v1/data/${name}`, { body: fields, token: admin.token });
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
    const load = async (name: string, rows: readonly object[]): Promise<void> => {
      const body = rows.map((row) => JSON.stringify(row)).join('\n');
      const type = 'application/x-ndjson';
      const imported = await replica.call(`POST /v1/data/${name}`, { body, type, token: admin.token });
      assert.equal(imported.body.created, rows.length, imported.text);
    };
    const follow = async (
      name: string,
      person?: Person,
      options: {
        at?: TestReplica;
        filter?: unknown;
        after?: string;
        snapshot?: boolean | string;
        paused?: boolean;
      } = {},
    ): Promise<TestFeed> => {
      const { at = replica, ...more } = options;
      const token = person === undefined ? {} : { token: person.token };
      const feed = await openFeed(at, name, { transport, snapshot: true, ...token, ...more });
      feeds.push(feed);
      return feed;
    };
    const countOf = (feed: TestFeed, event: string): number =>
      feed.blocks.filter((each) => each.event === event).length;
    const ready = (feed: TestFeed, times = 1): Promise<void> =>
      feed.until(`ready, ${times} times`, () => countOf(feed, 'ready') >= times);
    const reasonOf = (block: FeedBlock | undefined): string =>
      `${block?.event ?? ''} ${(JSON.parse(block?.data ?? '{}') as { reason?: string }).reason ?? ''}`;
    const rowsOf = (blocks: readonly FeedBlock[]): Record<string, unknown>[] =>
      blocks.flatMap(({ event, data: json }) =>
        event === 'current' ? [(JSON.parse(json ?? '') as { record: Record<string, unknown> }).record] : [],
      );
    const eventsOf = (feed: TestFeed): (string | undefined)[] => feed.blocks.map(({ event }) => event);

    it('is sent what it may see and asked for, then ready, then what follows', async () => {
      const name = await define();
      const seen = await create(name, { status: 'published', n: 10 });
      const own = await create(name, { status: 'draft', author: ada.id, n: 11 });
      await create(name, { status: 'draft', n: 12 });
      await create(name, { status: 'published', n: 1 });
      const changed = await patch(seen.path, { text: 'x' });
      const feed = await follow(name, ada, { filter: { n: { $gte: 10 } }, at: other });
      await ready(feed);
      assert.deepEqual(eventsOf(feed), ['current', 'current', 'ready']);
      const [first, second, last] = feed.blocks;
      assert.deepEqual([first?.id, second?.id], [undefined, undefined]);
      assert.notEqual(last?.id, undefined);
      assert.deepEqual(JSON.parse(last?.data ?? ''), { records: 2 });
      assert.deepEqual(
        rowsOf(feed.blocks)
          .map(({ id }) => id)
          .sort(),
        [seen.id, own.id].sort(),
      );
      assert.deepEqual(
        rowsOf(feed.blocks).find(({ id }) => id === seen.id),
        changed.body,
      );
      await patch(seen.path, { n: 2 });
      await create(name, { status: 'published', n: 20 });
      const told = await feed.count(2);
      assert.deepEqual(
        told.map(({ event, revision }) => [event, revision]),
        [
          ['left', 3],
          ['created', 1],
        ],
      );
    });

    it('is ready at once where there is nothing, also for who has not signed in', async () => {
      const name = await define({ ...definition, rules: { ...definition.rules, read: 'public' } });
      const feed = await follow(name);
      await ready(feed);
      assert.deepEqual(eventsOf(feed), ['ready']);
      await create(name, { n: 1 });
      assert.equal((await feed.count(1))[0]?.event, 'created');
    });

    it('is sent more than one batch of MongoDB’s', async () => {
      const name = await define();
      await load(
        name,
        Array.from({ length: 1_300 }, (_, n) => ({ status: 'published', n })),
      );
      const feed = await follow(name, ada);
      await ready(feed);
      assert.equal(new Set(rowsOf(feed.blocks).map(({ n }) => n)).size, 1_300);
      assert.equal(countOf(feed, 'current'), 1_300);
    });

    describe('with a cursor', () => {
      it('goes on after it, and is sent no snapshot', async () => {
        const name = await define();
        const { path } = await create(name, { status: 'published', n: 1 });
        const feed = await follow(name, ada);
        await ready(feed);
        feed.close();
        const cursor = feed.lastId();
        await patch(path, { n: 2 });
        for (const snapshot of [true, false]) {
          const resumed = await follow(name, ada, { after: cursor, at: other, snapshot });
          assert.deepEqual(
            (await resumed.count(1)).map(({ event, revision }) => [event, revision]),
            [['updated', 2]],
          );
          assert.equal(countOf(resumed, 'current'), 0);
        }
      });

      it('that cannot be resumed is told so, and sent one', async () => {
        const name = await define();
        const { path } = await create(name, { status: 'published', n: 1 });
        const feed = await follow(name, ada);
        await ready(feed);
        const cursor = feed.lastId();
        await put(name, { ...definition, rules: { ...definition.rules, read: [{ n: { $gte: 1 } }] } });
        const late = await follow(name, ada, { after: cursor, at: other });
        await ready(late);
        assert.deepEqual(eventsOf(late), [undefined, 'gap', 'current', 'ready']);
        assert.equal(late.blocks[0]?.id, cursor);
        assert.equal(reasonOf(late.blocks[1]), 'gap rights');
        // Who is cut off before it is whole has nothing but the cursor of before.
        assert.deepEqual([late.blocks[1]?.id, late.blocks[2]?.id], [undefined, undefined]);
        await patch(path, { n: 0 });
        assert.equal((await late.count(1))[0]?.event, 'left');
      });
    });

    it('is sent another one when the rule changes, and told what follows by the new one', async () => {
      const name = await define();
      const hidden = await create(name, { status: 'published', n: 1 });
      const shown = await create(name, { status: 'draft', n: 5 });
      const feed = await follow(name, ada, { at: other });
      await ready(feed);
      assert.deepEqual(
        rowsOf(feed.blocks).map(({ id }) => id),
        [hidden.id],
      );
      const before = feed.blocks.length;
      await put(name, { ...definition, rules: { ...definition.rules, read: [{ n: { $gte: 5 } }] } });
      await ready(feed, 2);
      const since = feed.blocks.slice(before).filter(({ event }) => event !== undefined);
      assert.deepEqual(
        since.map(({ event }) => event),
        ['gap', 'current', 'ready'],
      );
      assert.equal(reasonOf(since[0]), 'gap rights');
      assert.equal(since[0]?.id, undefined);
      assert.deepEqual(
        rowsOf(since).map(({ id }) => id),
        [shown.id],
      );
      await patch(hidden.path, { text: 'x' });
      await patch(shown.path, { text: 'x' });
      assert.deepEqual(
        (await feed.count(1)).map(({ event, recordId }) => [event, recordId]),
        [['updated', shown.id]],
      );
    });

    it('at a replica that is behind is told nothing that the snapshot holds', async () => {
      const held = createHeldStream();
      const late = await data.replica({}, held);
      const name = await define();
      const { path } = await create(name, { status: 'published', n: 0 });
      // So that it knows the collection, and stands somewhere.
      await ready(await follow(name, ada, { at: late }));
      held.hold();
      await patch(path, { n: 1 });
      const feed = await follow(name, ada, { at: late });
      await ready(feed);
      assert.deepEqual(
        rowsOf(feed.blocks).map(({ n }) => n),
        [1],
      );
      await patch(path, { n: 2 });
      held.release();
      assert.deepEqual(
        (await feed.count(1)).map(({ event, revision }) => [event, revision]),
        [['updated', 3]],
      );
      await late.stop();
    });

    it('whose patterns take too long over a change is sent the result anew', async () => {
      const name = await define();
      const feed = await follow(name, admin, { filter: { text: { $regex: 'a[ab]{900}[cd]' } } });
      await ready(feed);
      const text = randomBytes(300_000)
        .toString('latin1')
        .replaceAll(/./gs, (char) => (char < '\x80' ? 'a' : 'b'));
      await create(name, { status: 'published', n: 1, text: `${text}bc` });
      await feed.until('the gap', () => countOf(feed, 'gap') === 1);
      assert.equal(reasonOf(feed.blocks.find(({ event }) => event === 'gap')), 'gap too-costly');
      await ready(feed, 2);
      const { id } = await create(name, { status: 'published', n: 2, text: `a${'b'.repeat(900)}c` });
      assert.deepEqual(
        (await feed.count(1)).map(({ event, recordId }) => [event, recordId]),
        [['created', id]],
      );
    });

    it('is sent the result anew where the index is dropped that it is read along', async () => {
      const text = 'x'.repeat(100_000);
      const drafts = Array.from({ length: 300 }, (_, n) => ({ status: 'draft', n }));
      const rows = Array.from({ length: 300 }, (_, n) => ({ status: 'published', n, text }));
      // More than one batch, and more than is on its way to a reader who takes nothing. Who has to wait for 5 s is cut off.
      for (let tries = 1; ; tries += 1) {
        const name = await define({ ...definition, indexes: [{ keys: { status: 1 } }] });
        await load(name, [...drafts, ...rows]);
        const feed = await follow(name, admin, { filter: { status: 'published' }, paused: true });
        await put(name, definition);
        feed.resume();
        await feed.until('the gap', () => countOf(feed, 'gap') > 0);
        const gap = feed.blocks.findIndex(({ event }) => event === 'gap');
        const reason = reasonOf(feed.blocks[gap]);
        if (reason === 'gap slow' && tries < 4) continue;
        assert.equal(reason, 'gap history');
        await ready(feed);
        const end = feed.blocks.findIndex(({ event }) => event === 'ready');
        assert.equal(rowsOf(feed.blocks.slice(gap, end)).length, 300);
        assert.ok(feed.blocks.slice(0, end).every(({ id }) => id === undefined));
        return;
      }
    });

    describe('whose reader takes nothing', () => {
      let small: TestReplica;
      let name: string;

      before(async () => {
        small = await data.replica({ SNAPSHOT_LIMIT: '1' });
        name = await define();
        const text = 'x'.repeat(100_000);
        await load(
          name,
          Array.from({ length: 150 }, (_, n) => ({ status: 'published', n, text })),
        );
      });

      it('is cut off, gives its place to others, and begins anew', async () => {
        const slow = await follow(name, ada, { at: small, paused: true });
        const deadline = performance.now() + 60_000;
        let next = await follow(name, ada, { at: small });
        while (next.status !== 200) {
          assert.equal(next.status, 503);
          assert.ok(performance.now() < deadline, 'the place of the slow one was never free');
          next = await follow(name, ada, { at: small });
        }
        slow.resume();
        assert.equal(reasonOf(await slow.ended()), 'gap slow');
        assert.equal(countOf(slow, 'ready'), 0);
        assert.ok(countOf(slow, 'current') < 150);
        assert.equal(slow.lastId(), '');
        await ready(next);
        assert.equal(countOf(next, 'current'), 150);
      });

      it('makes others wait, and the last of them in vain', async () => {
        // Each has the place for the 5 s in which it takes nothing; nobody waits for longer than that.
        const opening = Array.from({ length: 3 }, () => follow(name, ada, { at: small, paused: true }));
        const slow = await Promise.all(opening);
        const statuses = slow.map(({ status }) => status);
        assert.ok(statuses.includes(200) && statuses.includes(503), statuses.join());
        for (const each of slow) each.close();
        await ready(await follow(name, ada, { at: small }));
      });
    });

    it('ends at once when the session ends, or the collection goes', async () => {
      const name = await define();
      const person = await data.person();
      const feed = await follow(name, person);
      await ready(feed);
      data.endSession(person.sid);
      assert.equal(reasonOf(await feed.ended()), 'end session-ended');
      const last = await follow(name, ada, { at: other });
      await ready(last);
      await replica.call(`DELETE /v1/collections/${name}`, { token: admin.token });
      assert.equal(reasonOf(await last.ended()), 'end collection-removed');
    });

    describe('is refused', () => {
      it('with a snapshot that is none, or a cursor that is none of a feed', async () => {
        const name = await define();
        await load(
          name,
          Array.from({ length: 3 }, (_, n) => ({ status: 'published', n })),
        );
        for (const snapshot of ['maybe', '', '1']) assert.equal((await follow(name, ada, { snapshot })).status, 400);
        const list = await replica.call(`GET /v1/data/${name}?limit=1`, { token: ada.token });
        const cursor = String(list.body.nextCursor);
        assert.equal((await follow(name, ada, { after: cursor })).status, 400);
      });

      it('where the collection, or all of its records, are nobody’s business', async () => {
        const name = await define({ ...definition, rules: {} });
        assert.equal((await follow(name, ada)).status, 404);
        assert.equal((await follow('nothing', admin)).status, 404);
      });

      it('where no index serves it in a large collection', async () => {
        const small = await data.replica({ QUERY_SCAN_LIMIT: '2' });
        const name = await define();
        await load(
          name,
          Array.from({ length: 3 }, (_, n) => ({ status: 'published', n })),
        );
        assert.equal((await follow(name, admin, { at: small, filter: { n: 1 } })).status, 422);
        const whole = await follow(name, admin, { at: small });
        await ready(whole);
        assert.equal((await follow(name, admin, { at: small, filter: { n: 1 }, snapshot: false })).status, 200);
        await small.stop();
      });
    });
  });
}
