import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, it } from 'node:test';
import type { Channel } from '@causeway/service';

import { createChannelWriter } from './channel-writer.ts';
import { messageOf } from './feed-writer.ts';

/** A channel whose reader takes what it is told to. */
const createFakeChannel = () => {
  const told: { readonly shared: string; readonly own: string }[] = [];
  const listeners: (() => void)[] = [];
  let ended = false;
  let taken: (count: number) => void = () => undefined;
  let untaken = 0;
  const end = (): void => {
    ended = true;
    for (const listener of listeners.splice(0)) listener();
  };
  const channel: Channel = {
    id: 1,
    get ended() {
      return ended;
    },
    tell(shared, own) {
      told.push({ shared, own });
      untaken += 1;
    },
    onTaken: (listener) => (taken = listener),
    onEnd: (listener) => void listeners.push(listener),
    end,
    carry: () => assert.fail(),
  };
  return {
    ...{ channel, told, end },
    take(count = untaken) {
      untaken -= count;
      taken(count);
    },
  };
};

describe('an event stream over a channel', () => {
  const setUp = () => {
    const fake = createFakeChannel();
    return { ...fake, writer: createChannelWriter(fake.channel) };
  };

  it('has its blocks in order, what others are told too first, the last with the end', () => {
    const { writer, told, channel } = setUp();
    let ends = 0;
    writer.onEnd(() => (ends += 1));
    writer.write(messageOf({ event: 'created', data: '{}' }, { event: 'updated', data: '{}' }), 'a');
    writer.write(messageOf(), 'b');
    writer.write(messageOf({ event: 'current', data: '{}' }));
    writer.end(messageOf({ event: 'end', data: '{}' }));
    assert.deepEqual(told, [
      { shared: 'event: created\ndata: {}\n\nevent: updated\ndata: {}\n', own: 'id: a\n\n' },
      { shared: '', own: 'id: b\n\n' },
      { shared: 'event: current\ndata: {}\n', own: '\n' },
      { shared: 'event: end\ndata: {}\n', own: '\n' },
    ]);
    assert.deepEqual([channel.ended, writer.ended, ends], [true, true, 1]);
    assert.equal(writer.write(messageOf(), 'c'), true);
    writer.end(messageOf());
    assert.equal(told.length, 4);
  });

  it('takes no more than a reader who takes nothing may have on its way', () => {
    const { writer, take } = setUp();
    let written = 0;
    while (writer.write(messageOf({ event: 'created', data: 'x' }), `${written}`)) written += 1;
    assert.equal(written, 1_000);
    take(1);
    assert.equal(writer.write(messageOf(), 'x'), true);
    assert.equal(writer.write(messageOf(), 'x'), false);
    take();
    assert.equal(writer.write(messageOf(), 'x'), true);
  });

  it('counts the bytes of what has no id', () => {
    const { writer, take } = setUp();
    const data = 'x'.repeat(100_000);
    let written = 0;
    while (writer.write(messageOf({ event: 'current', data }))) written += 1;
    assert.equal(written, 11);
    take(2);
    assert.equal(writer.write(messageOf(), 'x'), true);
  });

  it('waits for a reader who is behind, until half is taken or it has gone', async () => {
    const { writer, take, end } = setUp();
    assert.equal(await writer.drained(), true);
    const fill = (): void => {
      for (let index = 0; index < 600; index += 1) writer.write(messageOf(), `${index}`);
    };
    fill();
    let isDrained: boolean | undefined;
    const waiting = (async () => (isDrained = await writer.drained()))();
    take(99);
    await nextTurn();
    assert.equal(isDrained, undefined);
    take(1);
    assert.equal(await waiting, true);
    fill();
    const second = writer.drained();
    end();
    assert.equal(await second, true);
  });
});
