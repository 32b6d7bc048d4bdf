import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';

import { eventually, startLinkedService, sumOf } from '../testing/linked-service.ts';

/** What is told after it goes in another message. */
const nextMessage = async (): Promise<void> => {
  await nextTurn();
  await nextTurn();
};

describe('answers that go on over a link', () => {
  it('are told each what is its own, in order, over one connection', async () => {
    await using world = await startLinkedService();
    const { follow, opened } = world;
    const feeds = await Promise.all(['a', 'b', 'c'].map(follow));
    for (let n = 0; n < 100; n += 1)
      for (const { channel } of feeds) channel.tell(`data: ${n}\n`, `id: ${channel.id}.${n}\n\n`);
    for (const { reader, channel, taken } of feeds) {
      const whole = Array.from({ length: 100 }, (_, n) => `data: ${n}\nid: ${channel.id}.${n}\n\n`).join('');
      await eventually('all is told', () => reader.text.length >= whole.length);
      assert.equal(reader.text, whole);
      await eventually('all is taken', () => sumOf(taken) === 100);
      assert.equal(reader.headers['content-type'], 'text/event-stream');
      assert.equal(reader.headers['content-length'], undefined);
      assert.equal(reader.headers['causeway-channel'], undefined);
    }
    assert.equal(opened.length, 1);
  });

  it('are asked for many at once, with long headers, and are told much at once', async () => {
    await using world = await startLinkedService();
    const { call, told, opened } = world;
    const names = Array.from({ length: 100 }, (_, n) => `${'n'.repeat(4_000)}${n}`);
    const readers = names.map((name) => call(name));
    await eventually('all are told', () => told.size === names.length);
    const text = 'ü'.repeat(500_000);
    for (const { channel } of told.values()) channel.tell(text, '.');
    for (const reader of readers) await eventually('it is told', () => reader.text.length === text.length + 1);
    assert.deepEqual(
      readers.filter(({ error }) => error !== undefined),
      [],
    );
    assert.equal(opened.length, 1);
  });

  it('are refused as over a connection', async () => {
    await using world = await startLinkedService();
    const { call, follow } = world;
    const refused = call('nothing');
    await eventually('an answer', () => refused.ended);
    assert.equal(refused.status, 404);
    assert.equal(refused.headers['content-type'], 'application/problem+json');
    assert.match(refused.text, /"code":"not-found"/);
    const { reader, channel } = await follow('after');
    channel.tell('still', '');
    await eventually('another one is told', () => reader.text === 'still');
  });

  it('are taken no faster than the reader takes them', async () => {
    await using world = await startLinkedService();
    const { follow } = world;
    const { reader, channel, taken } = await follow('slow');
    const { reader: quick, channel: beside } = await follow('quick');
    reader.pauses = true;
    for (let n = 0; n < 5; n += 1) {
      channel.tell(String(n), '');
      await nextMessage();
    }
    beside.tell('x', '');
    await eventually('the other one is told', () => quick.text === 'x');
    await eventually('the first of them', () => reader.text === '0');
    assert.deepEqual(taken, []);
    reader.controller?.resume();
    await eventually('the second', () => reader.text === '01');
    await eventually('the first is taken', () => sumOf(taken) === 1);
    reader.pauses = false;
    reader.controller?.resume();
    await eventually('all', () => reader.text === '01234');
    await eventually('all is taken', () => sumOf(taken) === 5);
  });

  it('hold back the end, too, from a reader that is paused', async () => {
    await using world = await startLinkedService();
    const { follow } = world;
    const { reader, channel, finish } = await follow('slow');
    reader.pauses = true;
    channel.tell('a', '');
    await nextMessage();
    channel.tell('b', '');
    finish();
    await eventually('the first', () => reader.text === 'a');
    await delay(50);
    assert.equal(reader.ended, false);
    reader.controller?.resume();
    await eventually('the second', () => reader.text === 'ab');
    assert.equal(reader.ended, false);
    reader.controller?.resume();
    await eventually('the end', () => reader.ended);
  });
});
