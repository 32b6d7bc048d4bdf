import assert from 'node:assert/strict';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';

import type { TestReplica } from './test-data.ts';
import type { SocketMessage, TestSocket } from './test-socket.ts';
import { openSocket, SocketRefused } from './test-socket.ts';

/** What is published, or one's own, is seen in the feeds of specs. */
export const feedDefinition = {
  schema: {
    properties: {
      status: { enum: ['draft', 'published'] },
      author: { type: 'string' },
      n: { type: 'number' },
      text: { type: 'string' },
    },
  },
  rules: { read: [{ status: 'published' }, { author: { $auth: 'sub' } }], create: 'signed-in', update: 'signed-in' },
};

/** One block of an event stream. */
export interface FeedBlock {
  readonly event?: string;
  readonly id?: string;
  readonly data?: string;
}

/** What a block tells of a change. */
export interface Told {
  readonly event: string;
  readonly id: string;
  readonly record?: Readonly<Record<string, unknown>>;
  readonly previous?: Readonly<Record<string, unknown>>;
  readonly recordId: string;
  readonly revision: number;
  readonly eventId: string;
}

/** An open feed. */
export interface TestFeed {
  readonly status: number;
  readonly blocks: readonly FeedBlock[];
  /** Those that tell of changes, once all of their commit have come. */
  told(): Told[];
  lastId(): string;
  /** Waits, for at most a minute. */
  until(what: string, condition: () => boolean): Promise<void>;
  /** Waits for so many changes, and gives what was told. */
  count(changes: number): Promise<Told[]>;
  /** Waits until the server has ended it. */
  ended(): Promise<FeedBlock | undefined>;
  /** Stops reading, without closing. */
  pause(): void;
  resume(): void;
  close(): void;
}

const patienceMs = 60_000;
const changeEvents: ReadonlySet<string> = new Set(['created', 'updated', 'deleted', 'entered', 'left']);

/** Gives what was told of one commit the `id` that its last block has; what has not come whole has none. */
function withPlaces(blocks: readonly FeedBlock[]): FeedBlock[] {
  let place: string | undefined;
  return blocks
    .toReversed()
    .map((block) => {
      const isChange = block.event !== undefined && changeEvents.has(block.event);
      place = block.id ?? (isChange ? place : undefined);
      return isChange && place !== undefined ? { ...block, id: place } : block;
    })
    .toReversed();
}

/** What feeds are told over. */
export type Transport = 'event-stream' | 'socket';

/** How a feed is opened. */
export interface OpenFeedOptions {
  readonly token?: string;
  readonly filter?: unknown;
  readonly after?: string;
  readonly snapshot?: boolean | string;
  /** Reads nothing until it is resumed, and does not wait for anything. */
  readonly paused?: boolean;
  readonly transport?: Transport;
}

/** What comes of one transport. */
interface Reading {
  readonly status: number;
  readonly blocks: readonly FeedBlock[];
  readonly isOver: () => boolean;
  pause(): void;
  resume(): void;
  close(): void;
}

async function readEventStream(
  { service }: TestReplica,
  collection: string,
  { token, filter, after, snapshot, paused = false }: OpenFeedOptions,
): Promise<Reading> {
  const parameters = new URLSearchParams({
    ...(filter === undefined ? {} : { filter: JSON.stringify(filter) }),
    ...(snapshot === undefined ? {} : { snapshot: String(snapshot) }),
  });
  const query = parameters.size === 0 ? '' : `?${parameters.toString()}`;
  const answered = Promise.withResolvers<IncomingMessage>();
  const asking = request({
    port: service.port,
    path: `/v1/data/${collection}/changes${query}`,
    agent: false,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(after === undefined ? {} : { 'last-event-id': after }),
    },
  });
  asking.once('response', answered.resolve).once('error', answered.reject).end();
  const response = await answered.promise;
  response.on('error', () => undefined);
  const blocks: FeedBlock[] = [];
  let isOver = false;
  let block: Record<string, string> = {};
  const take = (line: string): void => {
    const [, name = '', value = ''] = /^([^:]*):? ?([^]*)$/.exec(line) ?? [];
    if (line !== '') block[name] = value;
    else {
      blocks.push(block);
      block = {};
    }
  };
  // Of an event stream other line ends than these are part of a line, as U+2028 is, at which others break one.
  let rest = '';
  response.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
  if (paused) response.pause();
  response.once('close', () => (isOver = true));
  return {
    status: response.statusCode ?? 0,
    blocks,
    isOver: () => isOver,
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    close: () => asking.destroy(),
  };
}

/** Of a socket that was refused. */
const nothing: Omit<Reading, 'status'> = {
  blocks: [],
  isOver: () => true,
  pause: () => undefined,
  resume: () => undefined,
  close: () => undefined,
};

/** One subscription of a socket of its own, as blocks; the status of the problem that it is refused with. */
async function readSocket(
  { service }: TestReplica,
  collection: string,
  { token, filter, after, snapshot, paused = false }: OpenFeedOptions,
): Promise<Reading> {
  let client: TestSocket;
  try {
    client = await openSocket(service.port, { token });
  } catch (error) {
    if (!(error instanceof SocketRefused)) throw error;
    return { ...nothing, status: error.status };
  }
  const { socket } = client;
  const blocks: FeedBlock[] = [];
  let isOver = false;
  socket.on('close', () => (isOver = true));
  socket.on('message', (data: Buffer) => {
    const { type, id, cursor, data: told } = JSON.parse(data.toString()) as SocketMessage;
    if (id !== 'it' || type === 'subscribed') return;
    blocks.push({
      ...(type === 'place' ? {} : { event: type }),
      ...(cursor === undefined ? {} : { id: cursor }),
      ...(told === undefined ? {} : { data: JSON.stringify(told) }),
    });
    if (type === 'end' || (type === 'gap' && told?.reason === 'slow')) isOver = true;
  });
  client.send({ type: 'subscribe', id: 'it', collection, filter, resume: after, snapshot });
  const answer = await client.next('an answer', ({ id }) => id === 'it');
  if (paused) socket.pause();
  return {
    status: answer.type === 'error' ? (answer.problem?.status ?? 0) : 200,
    blocks,
    isOver: () => isOver,
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close: () => socket.terminate(),
  };
}

/** Opens a feed, and waits until it has said from where it tells. */
export async function openFeed(
  replica: TestReplica,
  collection: string,
  options: OpenFeedOptions = {},
): Promise<TestFeed> {
  const { after, paused = false, transport = 'event-stream' } = options;
  const read = transport === 'socket' ? readSocket : readEventStream;
  const reading = await read(replica, collection, options);
  const { blocks, status } = reading;

  const until: TestFeed['until'] = async (what, condition) => {
    const deadline = performance.now() + patienceMs;
    while (!condition()) {
      const last = JSON.stringify(blocks.slice(-3)).slice(0, 500);
      assert.ok(performance.now() < deadline, `waited in vain for ${what}; ${blocks.length} blocks, the last ${last}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const told = (): Told[] =>
    withPlaces(blocks).flatMap(({ event, id, data }) => {
      if (event === undefined || id === undefined || !changeEvents.has(event)) return [];
      const {
        record,
        previous,
        id: recordId,
        revision,
        eventId,
      } = JSON.parse(data ?? '') as Record<string, never> & {
        record?: { id: string };
        previous?: Record<string, unknown>;
        id?: string;
        revision: number;
        eventId: string;
      };
      const about = { event, id, recordId: record?.id ?? recordId ?? '', revision, eventId };
      return [{ ...about, ...(record ? { record } : {}), ...(previous ? { previous } : {}) }];
    });
  const feed: TestFeed = {
    status,
    blocks,
    told,
    lastId: () => blocks.findLast(({ id }) => id !== undefined)?.id ?? after ?? '',
    until,
    async count(changes) {
      await until(`${changes} changes`, () => told().length >= changes);
      return told();
    },
    async ended() {
      await until('the end', reading.isOver);
      return blocks.findLast(({ event }) => event === 'end' || event === 'gap');
    },
    pause: reading.pause,
    resume: reading.resume,
    close: reading.close,
  };
  if (status === 200 && !paused) await until('the first block', () => blocks.length > 0);
  return feed;
}
