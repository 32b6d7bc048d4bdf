import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { request } from 'undici';
import { WebSocket } from 'ws';
import { readMetrics } from '@causeway/events/testing';
import { createRecord, defineCollection } from '../harness/collections.ts';
import { type FeedBlock, readEventStream } from '../harness/event-stream.ts';
import { eventually } from '../harness/eventually.ts';
import { type Feed, changesIn, openFeed } from '../harness/feed.ts';
import { blockOf, type SocketMessage } from '../harness/feed-socket.ts';
import { admin, type Person, signUp } from '../harness/people.ts';
import { addressOf } from '../harness/platform.ts';

const patienceMs = 60_000;
/** More than the buffers of both systems and all processes between hold: 40 MiB. */
const records = 100;
const text = 'x'.repeat(400 * 1024);

/** A reader who can stop taking what is sent, as one on a train does. */
interface Reader {
  readonly blocks: readonly FeedBlock[];
  readonly stall: () => void;
  readonly goOn: () => void;
  readonly isOver: () => boolean;
  readonly close: () => void;
}

const overStream = async (collection: string, token: string): Promise<Reader> => {
  const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' };
  const asked = get(new URL(`/v1/data/${collection}/changes`, addressOf('gateway')), { headers });
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  assert.equal(response.statusCode, 200);
  const [blocks, read] = [[] as FeedBlock[], new PassThrough()];
  let isOver = false;
  response.on('data', (chunk: Buffer) => read.write(chunk));
  response.on('close', () => read.end());
  void readEventStream(read, (block) => blocks.push(block)).finally(() => (isOver = true));
  const stall = (): void => void response.pause();
  return { blocks, stall, goOn: () => void response.resume(), isOver: () => isOver, close: () => asked.destroy() };
};

const overSocket = async (collection: string, token: string): Promise<Reader> => {
  const address = `${addressOf('gateway').replace(/^http/, 'ws')}/v1/changes`;
  const socket = new WebSocket(address, ['causeway.v1']);
  await once(socket, 'open');
  const blocks: FeedBlock[] = [];
  let isOver = false;
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as SocketMessage;
    if (message.id !== 'it' || message.type === 'subscribed') return;
    blocks.push(blockOf(message));
    // Of its subscription; the socket stays.
    isOver ||= message.type === 'gap';
  });
  for (const message of [
    { type: 'hello', token },
    { type: 'subscribe', id: 'it', collection },
  ])
    socket.send(JSON.stringify(message));
  return {
    blocks,
    stall: () => socket.pause(),
    goOn: () => socket.resume(),
    isOver: () => isOver,
    close: () => socket.terminate(),
  };
};

/** How many feeds were told that their readers are too slow. */
const slowGaps = async (): Promise<number> => {
  const { body } = await request(new URL('/metrics', addressOf('data-ops')));
  return readMetrics(await body.text()).value('causeway_data_feed_gaps_total', { reason: 'slow' }) ?? 0;
};

describe('a reader who takes nothing for a while', () => {
  let administrator: string;
  let person: Person;
  const open: (Reader | Feed)[] = [];
  before(async () => {
    [administrator, person] = await Promise.all([admin(), signUp()]);
  });
  after(() => {
    for (const each of open) each.close();
  });

  for (const [over, read] of [
    ['an event stream', overStream],
    ['a socket', overSocket],
  ] as const) {
    it(`is told of the gap over ${over}, and is told the rest where it left off`, async () => {
      const token = person.accessToken;
      const collection = await defineCollection(administrator, { properties: { text: {} }, required: [] });
      const before = await slowGaps();
      const reader = await read(collection, token);
      open.push(reader);
      // Quick all the while: what one does not take keeps nothing from another.
      const quick = await openFeed(collection, { token });
      open.push(quick);
      await eventually(() => assert.ok(reader.blocks.length > 0), { withinMs: patienceMs });
      reader.stall();
      const ids: string[] = [];
      for (let n = 0; n < records; n += 1) ids.push((await createRecord(collection, token, { text })).id);
      await quick.count(records, patienceMs);
      await eventually(async () => assert.ok((await slowGaps()) > before, 'it was told of no gap'), {
        withinMs: patienceMs,
        everyMs: 200,
      });
      reader.goOn();
      await eventually(() => assert.ok(reader.isOver(), 'it is told on'), { withinMs: patienceMs });
      assert.deepEqual([reader.blocks.at(-1)?.event, reader.blocks.at(-1)?.data], ['gap', '{"reason":"slow"}']);
      const told = changesIn(reader.blocks).map(({ data }) => data.record?.id);
      assert.ok(told.length < records, 'nothing was missing');
      const lastEventId = reader.blocks.findLast(({ id }) => id !== undefined)?.id;
      const resumed = await openFeed(collection, { token, lastEventId });
      open.push(resumed);
      const rest = await resumed.count(records - told.length, patienceMs);
      assert.deepEqual([...told, ...rest.map(({ data }) => data.record?.id)], ids);
    });
  }
});
