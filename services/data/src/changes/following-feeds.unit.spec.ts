import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { changeOf } from '../testing/test-hub.ts';
import { following, memberOf, openFollowingHub, taskOf, toldTo } from '../testing/test-following.ts';

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

  it('shares what there is for patterns of rules that follow: none takes what others need', async () => {
    const costly = following({ members: 'x' });
    const { condition } = costly.follows.read[0]?.operand ?? assert.fail();
    let spent = 0;
    const test = (_text: string, spend: (units: number) => void): boolean => {
      for (let left = 1_900_000; left > 0; left -= 1_000) {
        spend(1_000);
        spent += 1_000;
      }
      return false;
    };
    Object.assign(condition, { atom: { op: 'regex', pattern: { text: 'costly', pcre: 'costly', test } } });
    const { bring, follow, looks } = openFollowingHub({}, costly);
    const feeds = [];
    for (let each = 0; each < 12; each += 1) feeds.push(await follow());
    for (const each of looks) await each.settle();
    bring(memberOf('rec_q', 3, ['a long text']));
    await nextTurn();
    const ended = feeds.filter((feed) => toldTo(feed).includes('end rule-too-costly'));
    assert.deepEqual([ended.length > 0, ended.length < feeds.length], [true, true]);
    assert.ok(spent <= 2_000_000 + 4_000_000 + 12 * 1_000, `${spent}`);
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
