import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, it } from 'node:test';

import { createFakeResponse } from '../testing/fake-response.ts';
import { createEventStreamWriter } from './event-stream-writer.ts';
import { messageOf } from './feed-writer.ts';

describe('an event stream', () => {
  const setUp = () => {
    const fake = createFakeResponse();
    return { ...fake, writer: createEventStreamWriter(fake.response) };
  };

  it('has its blocks in order, the last with the end', async () => {
    const { writer, blocks } = setUp();
    writer.write(messageOf({ event: 'created', data: '{}' }), 'a');
    writer.write(messageOf(), 'b');
    await nextTurn();
    writer.write(messageOf({ event: 'updated', data: '{}' }));
    writer.end(messageOf({ event: 'end', data: '{}' }));
    assert.deepEqual(blocks(), [
      { event: 'created', data: '{}', id: 'a' },
      { id: 'b' },
      { event: 'updated', data: '{}' },
      { event: 'end', data: '{}' },
    ]);
    assert.equal(writer.write(messageOf(), 'c'), true);
    assert.equal(blocks().length, 4);
  });

  it('takes no more than a reader who takes nothing may have on its way', async () => {
    const { writer, hold } = setUp();
    hold(true);
    let written = 0;
    while (writer.write(messageOf({ event: 'created', data: 'x' }), `${written}`)) written += 1;
    assert.equal(written, 1_000);
    await nextTurn();
    assert.equal(writer.write(messageOf(), 'x'), false);
    hold(false);
    await nextTurn();
    assert.equal(writer.write(messageOf(), 'x'), true);
  });

  it('counts the bytes of what has no id, and of what has not gone out', async () => {
    const { writer, hold } = setUp();
    hold(true);
    const data = 'x'.repeat(100_000);
    let written = 0;
    while (writer.write(messageOf({ event: 'current', data }))) written += 1;
    assert.equal(written, 11);
    await nextTurn();
    assert.equal(writer.write(messageOf(), 'x'), false);
  });

  it('waits for a reader who is behind, until half is taken or it has gone', async () => {
    const { writer, hold, response } = setUp();
    assert.equal(await writer.drained(), true);
    hold(true);
    const fill = (): void => {
      for (let index = 0; index < 600; index += 1) writer.write(messageOf(), `${index}`);
    };
    fill();
    let isDrained: boolean | undefined;
    const waiting = (async () => (isDrained = await writer.drained()))();
    await nextTurn();
    await nextTurn();
    assert.equal(isDrained, undefined);
    hold(false);
    assert.equal(await waiting, true);
    hold(true);
    fill();
    const second = writer.drained();
    response.destroy();
    assert.equal(await second, true);
  });
});
