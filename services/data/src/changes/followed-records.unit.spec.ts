import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { faults } from '@causeway/contracts';
import type { Change } from '@causeway/events';

import type { Caller } from '../rules/rule.ts';
import { ada, following, memberOf, openFollowingHub, shared, taskOf, toldTo } from '../testing/test-following.ts';
import { at, changeOf } from '../testing/test-hub.ts';
import { FollowedRecords } from './followed-records.ts';
import { toRecordChange } from './record-change.ts';
import { createSharedSights } from './shared-sights.ts';

describe('a feed whose rule follows references', () => {
  it('is told nothing until somebody has looked, and by what has changed meanwhile', async () => {
    const { bring, follow, looks } = openFollowingHub();
    const feed = await follow();
    bring(memberOf('rec_gone', 2, [], ['usr_ada']));
    bring(memberOf('rec_come', 3, ['usr_ada']));
    bring(taskOf('rec_1', 4, 'rec_gone'));
    // As of before both.
    await looks[0]?.settle('rec_gone');
    bring(taskOf('rec_2', 5, 'rec_gone'));
    bring(taskOf('rec_3', 6, 'rec_come'));
    await nextTurn();
    assert.deepEqual(toldTo(feed), ['created rec_3']);
  });

  it('is looked for as of where the commit stream stands once that has brought all of before it was opened, or as it is after a while', async () => {
    for (const late of [false, true]) {
      const settling = Promise.withResolvers<undefined>();
      const { bring, follow, looks } = openFollowingHub({ settled: () => settling.promise });
      const feed = await follow();
      bring(memberOf('rec_p', 2, ['usr_ada']));
      assert.equal(looks.length, 0);
      if (late) settling.reject(new Error('late'));
      else settling.resolve(undefined);
      await nextTurn();
      assert.deepEqual(looks[0]?.asOf, at(2));
      // Committed by then, and heard of afterwards it would take the right away again.
      await looks[0].settle('rec_p');
      bring(memberOf('rec_p', 2, [], ['usr_ada']));
      bring(taskOf('rec_1', 3, 'rec_p'));
      bring(memberOf('rec_p', 4, [], ['usr_ada']));
      await nextTurn();
      assert.deepEqual(toldTo(feed), ['created rec_1', 'gap rights']);
    }
  });

  it('is looked for as of before a transaction that is still coming', async () => {
    const { bring, follow, looks } = openFollowingHub();
    const together = { transaction: 't1', batch: { id: 'b1', size: 3 } };
    const memberIn = (members: readonly string[]): Change => ({
      ...changeOf('rec_p', 5, { ...together, before: {}, after: { members } }),
      collection: 'records_col_p',
    });
    bring(memberIn([]));
    const feed = await follow();
    assert.ok(looks[0]?.asOf?.lessThan(at(5)));
    await looks[0]?.settle();
    bring(changeOf('rec_1', 5, { ...together, before: { project: 'rec_p' }, after: { project: 'rec_p', n: 1 } }));
    bring(memberIn(['usr_ada']));
    bring(taskOf('rec_2', 6, 'rec_p'));
    await nextTurn();
    assert.deepEqual(toldTo(feed), ['gap rights', 'created rec_2']);
  });

  it('does not hang where another cannot be told of what gives it other rights', async () => {
    const { bring, follow, looks } = openFollowingHub();
    const [feed, broken] = [await follow(), await follow()];
    for (const each of looks) await each.settle();
    broken.feed.hear = () => {
      throw new RangeError('out of stack');
    };
    bring(memberOf('rec_p', 2, ['usr_ada']));
    await nextTurn();
    for (const each of [feed, broken]) assert.deepEqual(toldTo(each), ['gap history']);
  });

  it('loses a right before anything more is told, and is told that it has another', async () => {
    const { bring, follow, looks } = openFollowingHub();
    const feed = await follow();
    await looks[0]?.settle('rec_p');
    bring(taskOf('rec_1', 2, 'rec_p'));
    bring(memberOf('rec_p', 3, ['usr_ada', 'usr_eve'], ['usr_ada']));
    bring(memberOf('rec_p', 4, ['usr_eve'], ['usr_ada', 'usr_eve']));
    bring(taskOf('rec_2', 5, 'rec_p'));
    bring(memberOf('rec_q', 6, ['usr_ada']));
    bring(taskOf('rec_3', 7, 'rec_q'));
    await nextTurn();
    assert.deepEqual(toldTo(feed), ['created rec_1', 'gap rights', 'gap rights', 'created rec_3']);
  });

  it('is not told what was committed with the change of its rights: who goes on after a gap asks for that', async () => {
    const { bring, decode, follow, looks } = openFollowingHub();
    const feed = await follow();
    await looks[0]?.settle();
    const together = { transaction: 't1', batch: { id: 'b1', size: 2 } };
    bring({
      ...changeOf('rec_p', 2, { ...together, before: {}, after: { members: ['usr_ada'] } }),
      collection: 'records_col_p',
    });
    bring(changeOf('rec_1', 2, { ...together, after: { project: 'rec_p' } }));
    bring(taskOf('rec_2', 3, 'rec_p'));
    await nextTurn();
    assert.deepEqual(toldTo(feed), ['gap rights', 'created rec_2']);
    const gap = feed.blocks().find(({ event }) => event === 'gap');
    assert.deepEqual(decode(gap?.id ?? '').place, { position: at(2), eventId: 'rec_1-1' });
  });

  it('ends where changes were missed, also while somebody looks', async () => {
    const { miss, bring, follow, looks } = openFollowingHub();
    const [live, looking] = [await follow(), await follow()];
    await looks[0]?.settle('rec_p');
    miss();
    await looks[1]?.settle('rec_p');
    bring(taskOf('rec_1', 2, 'rec_p'));
    await nextTurn();
    assert.deepEqual([toldTo(live), toldTo(looking)], [['gap history'], ['gap rights']]);
  });

  it('goes on under a definition that follows the same, and ends under one that does not', async () => {
    const { bring, follow, looks, define } = openFollowingHub();
    const [feed, looking] = [await follow(), await follow()];
    await looks[0]?.settle('rec_p');
    define(following({ members: { $auth: 'sub' } }, 2));
    bring(taskOf('rec_1', 2, 'rec_p'));
    bring(memberOf('rec_p', 3, [], ['usr_ada']));
    define(following({ guests: { $auth: 'sub' } }, 3));
    await looks[1]?.settle('rec_p');
    bring(taskOf('rec_2', 4, 'rec_p'));
    await nextTurn();
    assert.deepEqual(toldTo(feed), ['created rec_1', 'gap rights', 'gap rights']);
    assert.deepEqual(toldTo(looking), ['gap rights']);
  });

  it('ends where what it follows cannot be found, or comes to be too much', async () => {
    const { bring, follow, looks } = openFollowingHub();
    const [refused, full] = [await follow(), await follow()];
    looks[0]?.refuse(faults.unavailable());
    await looks[1]?.settle(...Array.from({ length: 10_000 }, (_, index) => `rec_${index}`));
    bring(memberOf('rec_p', 2, ['usr_ada']));
    bring(taskOf('rec_1', 3, 'rec_p'));
    await nextTurn();
    assert.deepEqual([toldTo(refused), toldTo(full)], [['end unavailable'], ['end rule-too-costly']]);
  });
});

describe('what is followed, as it was found of a time', () => {
  const found = (...ids: string[]): Caller => ({
    ...ada,
    followed: new Map(shared.follows.read.map(({ operand }) => [operand, ids])),
  });
  const change = (...about: Parameters<typeof memberOf>) => toRecordChange(memberOf(...about)) ?? assert.fail();
  const idsOf = ({ followed }: Caller): string[] => [...(followed?.values() ?? [])].flat().sort();

  it('does not fall back by what was committed until then, of which one hears before or after', () => {
    const records = new FollowedRecords(shared, ada, createSharedSights());
    records.begin();
    records.hear([change('rec_lost', 3, ['usr_ada'])]);
    // Its transaction ends later in the stream: they share one time.
    records.hear([change('rec_kept', 5, [])]);
    records.hear([change('rec_new', 6, ['usr_ada'])]);
    records.settle(shared, found('rec_kept'), at(5));
    assert.deepEqual(idsOf(records.caller), ['rec_kept', 'rec_new']);
    assert.equal(records.hear([change('rec_kept', 5, [])]), false);
    assert.equal(records.hear([change('rec_kept', 7, [])]), true);
    assert.deepEqual(idsOf(records.caller), ['rec_new']);
  });

  it('is of now again once somebody has looked anew', () => {
    const records = new FollowedRecords(shared, ada, createSharedSights());
    records.begin();
    records.settle(shared, found('rec_p'), at(5));
    records.begin();
    records.settle(shared, found('rec_p'));
    assert.equal(records.hear([change('rec_p', 4, [])]), true);
  });
});
