import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { residentBytes } from '@causeway/stack/testing';
import type { BenchPlatform } from '../bench-platform.ts';
import { milliseconds, perSecond, ratio, type Row } from '../report.ts';
import { startServer } from '../side-processes.ts';
import type { FeedsOpened, FeedsOrder, FeedsResult } from './feeds-order.ts';

/** How feeds are measured. */
export interface FeedsBenchOptions {
  readonly bench: BenchPlatform;
  readonly span: { readonly warmUpMs: number; readonly measureMs: number };
  readonly short: boolean;
}

type Headers = Readonly<Record<string, string>>;
type Person = FeedsOrder['people'][number];

/** How many read, and how much of what is written is for each. */
interface Audience {
  readonly what: string;
  readonly people: number;
  readonly feedsPerPerson: number;
  readonly audience: FeedsOrder['audience'];
  readonly pace: number;
  readonly window: number;
}

const limitMs = 240_000;

/** Somebody new: who is named by a change reads it. */
async function signUp(bench: BenchPlatform): Promise<Person> {
  const account = { email: `bench-${randomUUID()}@example.com`, password: randomUUID(), name: 'Reader' };
  const { body } = await bench.call('POST', '/v1/auth/sign-up', { body: JSON.stringify(account) });
  const {
    accessToken,
    account: { id },
  } = body as { accessToken: string; account: { id: string } };
  return { audience: id, headers: { authorization: `Bearer ${accessToken}` } };
}

/** A collection whose rule tells each reader something else. */
async function makeToldCollection(bench: BenchPlatform, headers: Headers): Promise<string> {
  const name = `told-${randomUUID().slice(0, 8)}`;
  const text = { type: 'string' };
  const schema = { type: 'object', properties: { n: { type: 'integer' }, audience: text, title: text } };
  const rules = { read: [{ audience: { $auth: 'sub' } }, { audience: 'all' }], create: 'signed-in' };
  await bench.call('PUT', `/v1/collections/${name}`, { headers, body: JSON.stringify({ schema, rules }) });
  return `/v1/data/${name}`;
}

/**
 * Opens feeds in a process of their own, and measures them.
 *
 * @param opened - called while all of them are open and nothing is written
 */
async function measured(order: FeedsOrder, opened: (all: FeedsOpened) => void): Promise<FeedsResult> {
  const file = path.join(import.meta.dirname, 'subscribers.ts');
  const child = spawn(process.execPath, ['--conditions=development', file], {
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: limitMs,
  });
  const ended = once(child, 'close');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async <Told>(): Promise<Told> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error('the readers of feeds ended early');
    return JSON.parse(value) as Told;
  };
  child.stdin.write(`${JSON.stringify(order)}\n`);
  try {
    opened(await line<FeedsOpened>());
    child.stdin.write('\n');
    return await line<FeedsResult>();
  } finally {
    child.kill();
    await ended;
  }
}

async function measureOne(
  { bench, span }: FeedsBenchOptions,
  { what, people: count, ...audience }: Audience,
): Promise<Row[]> {
  const writer = await bench.signedIn();
  const collection = await makeToldCollection(bench, writer);
  const people: Person[] = [];
  while (people.length < count) people.push(await signUp(bench));
  const order = { ...audience, ...span, collection, people, writer };

  const processes = ['gateway', 'data'].map((name) => bench.platform.services[name]?.pid ?? 0);
  const before = processes.map(residentBytes);
  let idle: readonly number[] = [];
  const ours = await measured({ ...order, origin: bench.gateway }, ({ opened }) => {
    idle = processes.map((pid, at) => (residentBytes(pid) - (before[at] ?? 0)) / opened / 1024);
  });

  const server = await startServer('feeds/bare-feed.ts');
  const bareBefore = residentBytes(server.pid);
  let bareIdle = 0;
  const own = people.map(({ audience: name }) => ({ audience: name, headers: { authorization: name } }));
  const bare = await measured({ ...order, people: own, origin: server.url }, ({ opened }) => {
    bareIdle = (residentBytes(server.pid) - bareBefore) / opened / 1024;
  }).finally(() => server.stop());

  const told = ({ paced }: FeedsResult): string => `p50 ${milliseconds(paced.p50Ms)}, p99 ${milliseconds(paced.p99Ms)}`;
  const lost = ours.missing > 0 ? `, ${ours.missing} deliveries missing` : '';
  return [
    {
      what: `${what}: changes that all whom they are for have read`,
      measured: `${perSecond(ours.full.perSecond)}${lost}`,
      beside: `a bare server of event streams ${perSecond(bare.full.perSecond)}`,
      ratio: ratio(ours.full.perSecond, bare.full.perSecond),
      aim: `≥ ${audience.pace.toLocaleString('en')}/s`,
    },
    {
      what: `the same at ${perSecond(ours.paced.perSecond)} (asked for: ${audience.pace}), from the write to each reader`,
      measured: told(ours),
      beside: `at ${perSecond(bare.paced.perSecond)} ${told(bare)}`,
      ratio: ratio(ours.paced.p99Ms, bare.paced.p99Ms),
    },
    {
      what: 'the same, memory of a feed that is open, resident, in gateway and data',
      measured: idle.map((kibibytes) => `${kibibytes.toFixed(1)} KiB`).join(', '),
      beside: `the bare server’s ${bareIdle.toFixed(1)} KiB`,
      aim: '≤ 20 KB each',
    },
  ];
}

/** Feeds of many readers under a rule that holds for each of them by itself, beside the least that a feed can be. */
export async function measureFeeds(options: FeedsBenchOptions): Promise<Row[]> {
  const share = options.short ? 10 : 1;
  const audiences: readonly Audience[] = [
    {
      what: `a change told to all of ${500 / share}`,
      people: 50 / share,
      feedsPerPerson: 10,
      audience: 'all',
      pace: 100,
      window: 16,
    },
    {
      what: `a change told to 1 % of ${(5_000 / share).toLocaleString('en')}`,
      people: 100,
      feedsPerPerson: 50 / share,
      audience: 'each',
      pace: 1_000,
      window: 128,
    },
  ];
  const rows: Row[] = [];
  for (const each of audiences) rows.push(...(await measureOne(options, each)));
  return rows;
}
