import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, it } from 'node:test';

import type { Change } from '@causeway/events';
import { Timestamp } from 'mongodb';

import { at, changeOf } from '../testing/test-hub.ts';
import { byCommit, gatherTransactions } from './gather-transactions.ts';

describe('the changes of a transaction', () => {
  const setUp = () => {
    const told: string[][] = [];
    const stream = { position: at(1) };
    const gathered = gatherTransactions(stream, (changes) => void told.push(changes.map(({ id }) => id)));
    const bring = (...changes: Change[]): void => {
      for (const change of changes) {
        stream.position = change.clusterTime;
        gathered.take(change);
      }
    };
    const member = (id: string, seconds: number, batch?: { id: string; size: number }) =>
      changeOf(id, seconds, { transaction: `t${seconds}`, ...(batch === undefined ? {} : { batch }) });
    return { told, stream, gathered, bring, member };
  };
  const batch = { id: 'b', size: 3 };

  it('are told when the last of a group has come, and not before', async () => {
    const { told, gathered, bring, member } = setUp();
    bring(member('a', 2, batch), member('b', 2, batch));
    // The driver has had nothing more at hand.
    for (let turn = 0; turn < 3; turn += 1) await nextTurn();
    assert.deepEqual(told, []);
    assert.ok(gathered.position?.lessThan(at(2)) === true && gathered.position.greaterThan(at(1)));
    bring(member('c', 2, batch));
    assert.deepEqual(told, [['a', 'b', 'c']]);
    assert.deepEqual(gathered.position, at(2));
  });

  it('are told when something else has come, or the beacon, wherever the rest of the group is', async () => {
    const { told, stream, bring, member } = setUp();
    bring(member('a', 2, batch), member('b', 2, batch), changeOf('c', 3));
    assert.deepEqual(told, [['a', 'b'], ['c']]);
    bring(member('d', 4, batch));
    stream.position = at(5);
    const deadline = performance.now() + 60_000;
    while (told.length < 3) {
      assert.ok(performance.now() < deadline);
      await nextTurn();
    }
    assert.deepEqual(told.at(-1), ['d']);
  });

  it('are told when the driver has nothing more at hand, where nobody knows how many there are', async () => {
    const { told, gathered, bring, member } = setUp();
    bring(member('a', 2), member('b', 2));
    assert.deepEqual(told, []);
    await nextTurn();
    await nextTurn();
    assert.deepEqual(told, [['a', 'b']]);
    assert.deepEqual(gathered.position, at(2));
    bring(member('c', 3), member('d', 4), changeOf('e', 5), changeOf('f', 6));
    assert.deepEqual(told.slice(1), [['c'], ['d'], ['e'], ['f']]);
  });

  it('are not held back beyond a bound', () => {
    const { told, bring, member } = setUp();
    bring(...Array.from({ length: 2_001 }, (_, index) => member(`${index}`, 2, { id: 'b', size: 3_000 })));
    assert.deepEqual(
      told.map(({ length }) => length),
      [2_000],
    );
  });

  it('are forgotten where changes may have been missed', async () => {
    const { told, gathered, bring, member } = setUp();
    bring(member('a', 2, batch));
    gathered.forget();
    assert.deepEqual(gathered.position, at(2));
    bring(member('b', 2, batch));
    assert.deepEqual(gathered.position, at(2));
    bring(changeOf('c', 3));
    await nextTurn();
    assert.deepEqual(told, [['b'], ['c']]);
  });

  it('are found again among others', () => {
    const of = (t: number, inTransaction: boolean) => ({ position: new Timestamp({ t, i: 1 }), inTransaction });
    const changes = [of(1, false), of(2, true), of(2, true), of(3, true), of(4, false)];
    assert.deepEqual(
      byCommit(changes).map(({ length }) => length),
      [1, 2, 1, 1],
    );
    assert.deepEqual(byCommit([]), []);
  });
});
