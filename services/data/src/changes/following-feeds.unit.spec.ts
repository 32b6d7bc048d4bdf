import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';

import type { Caller } from '../rules/rule.ts';
import { changeOf } from '../testing/test-hub.ts';
import { ada, following, memberOf, openFollowingHub, taskOf, toldTo } from '../testing/test-following.ts';

describe('feeds whose rules follow references, among many', () => {
  it('hears of the records that its rule may follow, and of no others', async () => {
    const { bring, follow, looks, define } = openFollowingHub();
    const feed = await follow();
    await looks[0]?.settle('rec_p');
    const heard: string[] = [];
    const hear = feed.feed.hear.bind(feed.feed);
    feed.feed.hear = (changes, spend) => {
      heard.push(...changes.map(({ id }) => id));
      hear(changes, spend);
    };
    bring(taskOf('rec_task', 2, 'rec_p'));
    bring({ ...changeOf('rec_else', 3, { after: { members: ['usr_ada'] } }), collection: 'records_col_z' });
    bring(memberOf('rec_eves', 4, ['usr_eve']));
    bring(memberOf('rec_come', 5, ['usr_ada', 'usr_eve']));
    bring(memberOf('rec_gone', 6, [], ['usr_ada']));
    // Under another definition, it is what that follows.
    define(following({ guests: { $auth: 'sub' } }, 2));
    bring(memberOf('rec_before', 7, ['usr_ada']));
    await nextTurn();
    assert.deepEqual(heard, ['rec_come', 'rec_gone']);
  });

  it('hears of everything in a collection of which its rule asks more than a value', async () => {
    const { bring, follow, looks } = openFollowingHub({}, following({ state: { $ne: 'shut' } }));
    const feed = await follow();
    await looks[0]?.settle();
    bring(memberOf('rec_q', 3, []));
    bring(taskOf('rec_1', 4, 'rec_q'));
    await nextTurn();
    assert.deepEqual(toldTo(feed), ['gap rights', 'created rec_1']);
  });

  it('hears of everything where its rule asks whose a record is: of who is erased no event says that', async () => {
    for (const name of ['createdBy', 'updatedBy']) {
      const { bring, follow, looks } = openFollowingHub({}, following({ [name]: 'usr_boss' }));
      const feed = await follow();
      await looks[0]?.settle('rec_p');
      bring(memberOf('rec_p', 2, []));
      bring(taskOf('rec_1', 3, 'rec_p'));
      await nextTurn();
      assert.deepEqual(toldTo(feed), ['gap rights'], name);
    }
  });

  it('ends where it is resumed by a rule of which its replica hears later, and nobody has looked by that', async () => {
    const wider = { ...following({ members: { $auth: 'sub' } }, 2), readSince: 2 };
    const other = openFollowingHub({}, wider);
    const first = await other.follow();
    await other.looks[0]?.settle('rec_p');
    other.bring(taskOf('rec_1', 5, 'rec_p'));
    await nextTurn();
    const given = first.blocks().findLast(({ id }) => id !== undefined)?.id ?? assert.fail();
    const { bring, follow, looks, define } = openFollowingHub();
    const feed = await follow(ada, { given, cursor: other.decode(given) });
    await looks[0]?.settle('rec_p');
    define(wider);
    bring(taskOf('rec_1', 5, 'rec_p'));
    bring(taskOf('rec_2', 6, 'rec_p'));
    const deadline = performance.now() + 60_000;
    while (!feed.feed.hasEnded()) {
      assert.ok(performance.now() < deadline, JSON.stringify(toldTo(feed)));
      await delay(5);
    }
    assert.deepEqual(toldTo(feed), ['gap rights']);
  });

  describe('whose patterns take long', () => {
    const units = 1_900_000;
    /** Of everybody it asks something else, and of all of them about the same text. */
    const open = () => {
      const costly = following({ $or: [{ members: 'x' }, { members: { $auth: 'sub' } }] });
      const { condition } = costly.follows.read[0]?.operand ?? assert.fail();
      const of = { spent: 0 };
      const test = (_text: string, spend: (units: number) => void): boolean => {
        for (let left = units; left > 0; left -= 1_000) {
          spend(1_000);
          of.spent += 1_000;
        }
        return false;
      };
      const [first] = (condition as unknown as { branches: object[] }).branches;
      Object.assign(first ?? assert.fail(), { atom: { op: 'regex', pattern: { text: 'x', pcre: 'x', test } } });
      return { ...openFollowingHub({}, costly), of };
    };
    const named = (sub: string): Caller => ({ ...ada, auth: { sub } });

    it('are asked once for all who ask the same', async () => {
      const { bring, follow, looks, of } = open();
      const feeds: Awaited<ReturnType<typeof follow>>[] = [];
      for (let each = 0; each < 12; each += 1) feeds.push(await follow());
      for (const each of looks) await each.settle();
      bring(memberOf('rec_q', 3, ['a long text']));
      await nextTurn();
      assert.equal(of.spent, units);
      assert.ok(feeds.every((feed) => toldTo(feed).length === 0));
    });

    it('share what there is: none takes what others need, and a batch of many is given no more than one of few', async () => {
      const { bring, follow, looks, of } = open();
      const feeds: Awaited<ReturnType<typeof follow>>[] = [];
      for (let each = 0; each < 12; each += 1) feeds.push(await follow(named(`usr_${each}`)));
      for (const each of looks) await each.settle();
      bring(memberOf('rec_q', 3, ['a long text']));
      await nextTurn();
      const ended = () => feeds.filter((feed) => toldTo(feed).includes('end rule-too-costly')).length;
      assert.ok(ended() > 0 && ended() < feeds.length, `${ended()}`);
      assert.ok(of.spent <= 2_000_000 + 4_000_000 + feeds.length * 1_000, `${of.spent}`);
      of.spent = 0;
      const batch = { transaction: 't', batch: { id: 'b', size: 40 } };
      for (let each = 0; each < 40; each += 1) {
        const told = changeOf(`rec_${each}`, 4, { ...batch, before: {}, after: { members: ['a long text'] } });
        bring({ ...told, collection: 'records_col_p' });
      }
      await nextTurn();
      assert.equal(ended(), feeds.length);
      assert.ok(of.spent <= 8 * 6_000_000 + feeds.length * 1_000, `${of.spent}`);
    });
  });

  it('is refused, or ended where it had been let in, once all of them follow as many records as there is room for', async () => {
    const { hub, bring, follow, looks } = openFollowingHub({ followedLimit: 3 });
    const feeds = [await follow(), await follow(), await follow()];
    const [first, same, more] = feeds;
    // What several know is there once.
    await looks[0]?.settle('rec_a', 'rec_b');
    await looks[1]?.settle('rec_b', 'rec_a');
    await hub.admit({ isFollowing: true });
    bring(memberOf('rec_c', 2, ['usr_ada']));
    await assert.rejects(hub.admit({ isFollowing: true }), { code: 'unavailable' });
    bring(memberOf('rec_c', 3, [], ['usr_ada']));
    await hub.admit({ isFollowing: true });
    await looks[2]?.settle('rec_x', 'rec_y');
    await nextTurn();
    assert.deepEqual(
      feeds.map((feed) => toldTo(feed).filter((told) => told !== 'gap rights')),
      [[], [], ['end unavailable']],
    );
    await follow();
    await looks[3]?.settle('rec_c');
    await assert.rejects(hub.admit({ isFollowing: true }), { code: 'unavailable' });
    await hub.admit({ isFollowing: false });
    for (const each of [first, same, more]) each?.feed.end('end', 'shutdown');
    await nextTurn();
    await hub.admit({ isFollowing: true });
  });
});
