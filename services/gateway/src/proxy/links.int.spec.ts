import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';
import { randomUUID } from 'node:crypto';
import { faults } from '@causeway/contracts';
import { defineRoute, linkRoute, type Channel } from '@causeway/service';
import { startTestService } from '@causeway/service/testing';
import { z } from 'zod';

import { eventually } from '../testing/eventually.ts';
import { startTestEdge } from '../testing/test-edge.ts';

/** A service whose feeds go on over links, and an edge before it. */
const setUp = async () => {
  const internalKey = randomUUID();
  const channels: Channel[] = [];
  const ids: (string | string[] | undefined)[] = [];
  let links = 0;
  const feed = defineRoute({
    method: 'get',
    path: '/v1/data/{collection}/changes',
    operationId: 'follow',
    tag: 'test',
    summary: 'Follows.',
    access: 'anonymous',
    params: z.object({ collection: z.string() }),
    responses: { 200: { description: 'The feed.', mediaTypes: ['text/event-stream'] } },
    handle({ params, headers }) {
      if (params.collection === 'nothing') throw faults.notFound();
      ids.push(headers['x-request-id']);
      return {
        status: 200,
        headers: { 'Content-Type': 'text/event-stream' },
        stream: () => assert.fail('over a connection of its own'),
        channel: (channel) => {
          channels.push(channel);
          return new Promise((resolve) => channel.onEnd(resolve));
        },
      };
    },
  });
  const logger = { debug: () => void (links += 1), error: () => undefined };
  const service = await startTestService([feed, linkRoute({ logger })], { internalKey });
  const edge = await startTestEdge(service.url, { internalKey });
  const follow = async (): Promise<IncomingMessage> => {
    const asked = httpRequest(`${edge.service.url}/v1/data/a/changes`).end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    return response;
  };
  return {
    ...{ edge, service, channels, ids, follow },
    links: () => links,
    [Symbol.asyncDispose]: async () => {
      await edge[Symbol.asyncDispose]();
      await service.stop();
    },
  };
};

describe('feeds over a link', () => {
  it('reach their readers as answers do, many over one', async () => {
    await using world = await setUp();
    const feeds = await Promise.all([world.follow(), world.follow(), world.follow()]);
    await eventually(() => world.channels.length === 3);
    const texts: string[] = feeds.map(() => '');
    for (const [index, feed] of feeds.entries()) {
      assert.equal(feed.statusCode, 200);
      assert.equal(feed.headers['content-type'], 'text/event-stream');
      assert.equal(feed.headers['causeway-channel'], undefined);
      assert.equal(feed.headers['content-length'], undefined);
      assert.ok(world.ids.includes(feed.headers['x-request-id']));
      feed.setEncoding('utf8').on('data', (text: string) => (texts[index] = (texts[index] ?? '') + text));
    }
    for (const channel of world.channels) channel.tell('data: ü\n', 'id: 1\n\n');
    await eventually(() => texts.every((text) => text === 'data: ü\nid: 1\n\n'));
    for (const channel of world.channels) channel.end();
    await eventually(() => feeds.every(({ readableEnded }) => readableEnded));
    assert.equal(world.links(), 1);
  });

  it('are refused with the problem that the service gave', async () => {
    await using world = await setUp();
    const response = await world.edge.service.fetch('/v1/data/nothing/changes');
    assert.equal(response.status, 404);
    assert.equal(response.headers.get('content-type'), 'application/problem+json');
  });

  it('end at the service when the client goes', async () => {
    await using world = await setUp();
    const feed = await world.follow();
    await eventually(() => world.channels.length === 1);
    feed.on('error', () => undefined).destroy();
    await eventually(() => world.channels[0]?.ended === true);
  });

  it('are told no faster than the client takes them, and others are not held up by it', async () => {
    await using world = await setUp();
    const slow = await world.follow();
    await eventually(() => world.channels.length === 1);
    const quick = await world.follow();
    await eventually(() => world.channels.length === 2);
    const [held, free] = world.channels as [Channel, Channel];
    slow.pause();
    let taken = 0;
    held.onTaken((count) => (taken += count));
    const text = 'x'.repeat(65_536);
    const tellings = 512;
    for (let told = 0; told < tellings; told += 1) held.tell(text, '');
    free.tell('on', '');
    const [chunk] = (await once(quick, 'data')) as [Buffer];
    assert.equal(chunk.toString(), 'on');
    assert.ok(taken < tellings, `${taken}`);
    let length = 0;
    slow.on('data', (part: Buffer) => (length += part.length)).resume();
    await eventually(() => length === tellings * text.length);
    await eventually(() => taken === tellings);
  });

  it('are cut off for the client where the service goes', async () => {
    await using world = await setUp();
    const feed = await world.follow();
    const failed = once(feed, 'error') as Promise<[Error & { code?: string }]>;
    feed.resume();
    await world.service.stop();
    const [error] = await failed;
    assert.equal(error.code, 'ECONNRESET');
  });

  it('end whole for the client when the edge drains', async () => {
    await using world = await setUp();
    const feed = await world.follow();
    await eventually(() => world.channels.length === 1);
    world.channels[0]?.tell('last', '');
    const [chunk] = (await once(feed, 'data')) as [Buffer];
    assert.equal(chunk.toString(), 'last');
    world.edge.drain();
    await once(feed, 'end');
    await eventually(() => world.channels[0]?.ended === true);
  });
});
