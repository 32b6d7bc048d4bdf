import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';

import { eventually, startLinkedService } from '../testing/linked-service.ts';
import { linkPath, linkProtocol } from './link-route.ts';

describe('answers over a link, and how they end', () => {
  it('end for the reader when the service ends them, with all that was told before', async () => {
    await using world = await startLinkedService();
    const { follow } = world;
    const { reader, channel, finish } = await follow('a');
    channel.tell('last', ' words');
    finish();
    await eventually('the end', () => reader.ended);
    assert.equal(reader.text, 'last words');
    assert.equal(channel.ended, true);
    channel.tell('more', '');
  });

  it('are cut off where the service fails, so that nobody takes a part for the whole', async () => {
    await using world = await startLinkedService();
    const { follow } = world;
    const broken = await follow('a');
    const other = await follow('b');
    broken.finish(new Error('it failed'));
    await eventually('the end', () => broken.reader.error !== undefined);
    assert.equal(broken.reader.ended, false);
    assert.equal(broken.reader.error?.code, 'ECONNRESET');
    other.channel.tell('on', '');
    await eventually('another one is told', () => other.reader.text === 'on');
  });

  it('are cut off where the service fails as soon as the answer has begun', async () => {
    await using world = await startLinkedService();
    const readers = ['broken', 'broken', 'broken'].map((name) => world.call(name));
    for (const reader of readers) await eventually('the end', () => reader.error !== undefined);
    assert.deepEqual(
      readers.map(({ ended, error }) => [ended, error?.code]),
      readers.map(() => [false, 'ECONNRESET']),
    );
  });

  it('are cut off where they are told nothing for too long, unless the reader takes nothing', async () => {
    await using world = await startLinkedService({ tickMs: 20 });
    const { follow } = world;
    const [silent, paused] = [await follow('silent'), await follow('paused')];
    paused.reader.pauses = true;
    paused.channel.tell('x', '');
    await eventually('the end', () => silent.reader.error !== undefined);
    assert.equal(silent.reader.error?.code, 'ECONNRESET');
    await eventually('the service knows', () => silent.channel.ended);
    await delay(300);
    assert.equal(paused.reader.error, undefined);
  });

  it('go over another link once a replica has no room', async () => {
    await using world = await startLinkedService();
    const { call, follow, opened } = world;
    const { reader, channel } = await follow('a');
    const refused = call('full');
    await eventually('the refusal', () => refused.ended);
    assert.equal(refused.status, 503);
    await follow('b');
    assert.equal(opened.length, 2);
    // What goes over the first one already goes on.
    channel.tell('on', '');
    await eventually('the first is told', () => reader.text === 'on');
  });

  it('are still given to who has asked when the service drains', async () => {
    await using world = await startLinkedService();
    const { service, call, follow, goOn, isPending } = world;
    await follow('a');
    const asked = call('late');
    await eventually('the call is there', isPending);
    service.drain();
    await delay(200);
    assert.equal(asked.error, undefined);
    goOn();
    await eventually('an answer', () => asked.status !== 0);
    assert.deepEqual([asked.status, asked.error], [200, undefined]);
  });

  it('end for the service when the reader goes', async () => {
    await using world = await startLinkedService();
    const { follow } = world;
    const { reader, channel } = await follow('a');
    let ends = 0;
    channel.onEnd(() => (ends += 1));
    reader.controller?.abort(new Error('gone'));
    await eventually('the end', () => ends === 1);
    assert.equal(channel.ended, true);
    assert.equal(reader.error?.message, 'gone');
    channel.onEnd(() => (ends += 1));
    assert.equal(ends, 2);
  });

  it('do not begin for a reader that has gone before', async () => {
    await using world = await startLinkedService();
    const { call, told, aborted, goOn, isPending, follow } = world;
    const reader = call('late');
    await eventually('the call is there', isPending);
    reader.controller?.abort(new Error('gone'));
    await eventually('the service knows', () => aborted.length === 1);
    goOn();
    await follow('other');
    assert.equal(told.get('late')?.channel.ended ?? true, true);
  });

  it('end whole when the service drains, and so does their link', async () => {
    await using world = await startLinkedService();
    const { service, follow, calls } = world;
    const feeds = await Promise.all(['a', 'b'].map(follow));
    feeds[0]?.channel.tell('last', '');
    service.drain();
    for (const { reader } of feeds) await eventually('the end', () => reader.ended || reader.error !== undefined);
    assert.deepEqual(
      feeds.map(({ reader }) => [reader.ended, reader.error, reader.text]),
      [
        [true, undefined, 'last'],
        [true, undefined, ''],
      ],
    );
    await calls.close();
  });

  it('are cut off with their link; what was only asked fails as over a connection that is lost', async () => {
    await using world = await startLinkedService();
    const { service, follow, call, isPending } = world;
    const { reader, channel } = await follow('a');
    const asked = call('late');
    await eventually('the call is there', isPending);
    await service.stop();
    await eventually('both hear of it', () => reader.error !== undefined && asked.error !== undefined);
    assert.equal(reader.error?.code, 'ECONNRESET');
    assert.ok(['UND_ERR_SOCKET', 'ECONNRESET'].includes(asked.error?.code ?? ''), asked.error?.code);
    await eventually('the service knows', () => channel.ended);
    // Nobody is there.
    const later = call('b');
    await eventually('an error', () => later.error !== undefined);
    assert.equal(later.error?.code, 'ECONNREFUSED');
  });

  it('come over connections of their own from a service that offers no links', async () => {
    await using world = await startLinkedService({ offersLinks: false });
    const { call, plain } = world;
    const readers = ['a', 'b'].map((name) => call(name));
    for (const reader of readers) await eventually('the end', () => reader.ended);
    assert.deepEqual(
      readers.map(({ text, error }) => [text, error]),
      readers.map(() => ['over a connection of its own', undefined]),
    );
    assert.equal(plain(), 2);
    // It is not asked again at once.
    const third = call('c');
    await eventually('the end', () => third.ended);
    assert.equal(plain(), 3);
  });

  it('are for services of the installation alone', async () => {
    await using world = await startLinkedService();
    const { service } = world;
    const stranger = new WebSocket(`${service.url.replace('http', 'ws')}${linkPath}`, linkProtocol, {
      headers: { 'causeway-internal': 'guessed' },
    });
    const [, response] = (await once(stranger, 'unexpected-response')) as [unknown, { readonly statusCode: number }];
    assert.equal(response.statusCode, 404);
    stranger.on('error', () => undefined).terminate();
    // Over a connection of HTTP nobody is given a channel by its header.
    const answer = await service.fetch('/tell/a', { headers: { 'causeway-channel': '1' } });
    assert.equal(await answer.text(), 'over a connection of its own');
  });

  for (const [what, message] of [
    ['text', 'hello'],
    ['what is no frame', Buffer.from([99])],
    ['a frame that is cut short', Buffer.from([1, 0, 0])],
  ] as const)
    it(`ends a link on which ${what} is sent`, async () => {
      await using world = await startLinkedService();
      const { service } = world;
      const socket = new WebSocket(`${service.url.replace('http', 'ws')}${linkPath}`, linkProtocol, {
        headers: service.internalHeaders,
      });
      await once(socket, 'open');
      socket.send(message);
      const [code] = (await once(socket, 'close')) as [number];
      assert.equal(code, 1_002);
    });
});
