import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createInTurn } from './in-turn.ts';

/** Work that goes on until it is told to end. */
function held(): { readonly work: () => Promise<undefined>; readonly end: () => void } {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  return { work: () => promise, end: () => resolve(undefined) };
}

describe('what is done in turn', () => {
  it('is done one after the other, in the order in which it came, also after a failure', async () => {
    const inTurn = createInTurn();
    const done: string[] = [];
    let running = 0;
    const work = (name: string) => async (): Promise<void> => {
      assert.equal((running += 1), 1);
      await Promise.resolve();
      running -= 1;
      done.push(name);
      if (name === 'b') throw new Error('b fails');
    };
    const all = await Promise.allSettled(['a', 'b', 'c', 'd'].map((name) => inTurn('key', work(name))));
    assert.deepEqual(done, ['a', 'b', 'c', 'd']);
    assert.deepEqual(
      all.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
    );
  });

  it('waits for nothing under another key', async () => {
    const inTurn = createInTurn();
    const first = held();
    const waiting = inTurn('one', first.work);
    assert.equal(await inTurn('other', () => Promise.resolve(7)), 7);
    first.end();
    await waiting;
  });

  it('is refused where too many wait, and after a while', async () => {
    const inTurn = createInTurn({ maxWaiting: 1, patienceMs: 20 });
    const first = held();
    const running = inTurn('key', first.work);
    const second = inTurn('key', () => assert.fail('it has been refused'));
    const busy = { code: 'unavailable', status: 503 };
    await assert.rejects(
      inTurn('key', () => assert.fail('there is no place')),
      busy,
    );
    await assert.rejects(second, busy);
    first.end();
    await running;
    // Who has gone is not called any more.
    assert.equal(await inTurn('key', () => Promise.resolve(7)), 7);
  });
});
