import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { messageOf } from '../feed-writer.ts';
import { createCallerShares } from './caller-shares.ts';
import { createMessageBudget } from './message-budget.ts';
import { createOutlet } from './outlet.ts';
import { createSocketWriter } from './socket-writer.ts';

/** An outlet whose reader takes what it is told to take. */
const setUp = () => {
  const sent: string[] = [];
  const untaken: { bytes: number; done: () => void }[] = [];
  const outlet = createOutlet({
    get bufferedAmount() {
      return untaken.reduce((sum, { bytes }) => sum + bytes, 0);
    },
    send: ((text: string, done: () => void) => {
      sent.push(text);
      untaken.push({ bytes: Buffer.byteLength(text), done });
    }) as never,
  });
  const take = (count = untaken.length): void => {
    for (const { done } of untaken.splice(0, count)) done();
  };
  return { outlet, sent, take };
};
const told = (bytes: number) => messageOf({ event: 'created', data: JSON.stringify('x'.repeat(bytes)) });

describe('the writer of a subscription', () => {
  it('tells messages as a socket has them: the last of a commit with the cursor, what stands as a place', () => {
    const { outlet, sent } = setUp();
    const writer = createSocketWriter(outlet, 'a"b');
    writer.write(messageOf(), 'c1');
    writer.write(messageOf({ event: 'created', data: '{"n":1}' }, { event: 'left', data: '{"n":2}' }), 'c2');
    writer.end(messageOf({ event: 'end', data: '{"reason":"shutdown"}' }));
    assert.deepEqual(
      sent.map((text) => JSON.parse(text) as unknown),
      [
        { type: 'place', id: 'a"b', cursor: 'c1' },
        { type: 'created', id: 'a"b', data: { n: 1 } },
        { type: 'left', id: 'a"b', data: { n: 2 }, cursor: 'c2' },
        { type: 'end', id: 'a"b', data: { reason: 'shutdown' } },
      ],
    );
    assert.equal(writer.write(told(1), 'c3'), true);
    assert.equal(sent.length, 4);
  });

  it('takes no more than a reader who takes nothing may have on its way, by number and by bytes', async () => {
    const { outlet, take } = setUp();
    const writer = createSocketWriter(outlet, 'a');
    for (let n = 0; n < 1_000; n += 1) assert.ok(writer.write(messageOf(), 'c'), String(n));
    assert.equal(writer.write(messageOf(), 'c'), false);
    take();
    assert.ok(writer.write(messageOf(), 'c'));
    let written = 0;
    while (writer.write(told(100_000))) written += 1;
    assert.equal(written, 11);
    const waiting = writer.drained();
    take();
    assert.equal(await waiting, true);
  });

  it('leaves room to the others of its socket', () => {
    const { outlet } = setUp();
    const [loud, louder, quiet] = ['a', 'b', 'c'].map((id) => createSocketWriter(outlet, id));
    while (loud?.write(told(100_000), 'c') === true);
    assert.equal(quiet?.write(told(1), 'c'), true);
    while (louder?.write(told(100_000), 'c') === true);
    assert.equal(quiet.write(told(1), 'c'), false);
  });

  it('says when it has ended, also to who waits for room, and where the socket has gone', async () => {
    const { outlet } = setUp();
    const writer = createSocketWriter(outlet, 'a');
    let ends = 0;
    writer.onEnd(() => (ends += 1));
    while (writer.write(told(100_000), 'c'));
    const waiting = writer.drained();
    writer.cut();
    writer.cut();
    assert.equal(await waiting, true);
    writer.onEnd(() => (ends += 10));
    assert.deepEqual([ends, writer.ended], [11, true]);
  });
});

describe('what comes over a socket', () => {
  it('is counted in ten seconds', () => {
    let now = 0;
    const mayCome = createMessageBudget(() => now);
    for (let n = 0; n < 300; n += 1) assert.ok(mayCome());
    assert.equal(mayCome(), false);
    now = 10_000;
    assert.equal(mayCome(), true);
  });
});

describe('the subscriptions of a caller', () => {
  it('are at most a tenth of all feeds, over all of their sockets', () => {
    const shares = createCallerShares(20);
    const [first, second] = [shares.hold('a'), shares.hold('a')];
    assert.throws(() => shares.hold('a'), { code: 'too-many-subscriptions' });
    shares.hold('b');
    first();
    second();
    assert.throws(() => [1, 2, 3].map(() => shares.hold('a')), { code: 'too-many-subscriptions' });
  });
});
