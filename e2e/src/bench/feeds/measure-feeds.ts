import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { residentBytes } from '@causeway/stack/testing';
import { type BenchPlatform, startBenchPlatform } from '../bench-platform.ts';
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

/** Feeds that are open, in a process of their own. */
interface OpenFeeds {
  readonly count: number;
  /** Writes, and has all of them read. */
  readonly measure: () => Promise<FeedsResult>;
  readonly close: () => Promise<void>;
}

/** @throws Error where one of them is refused, or ends */
async function openFeeds(order: FeedsOrder): Promise<OpenFeeds> {
  const file = path.join(import.meta.dirname, 'subscribers.ts');
  const child = spawn(process.execPath, ['--conditions=development', file], {
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: limitMs,
  });
  const ended = once(child, 'close');
  const close = async (): Promise<void> => {
    child.kill();
    await ended;
  };
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async <Told>(): Promise<Told> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error('the readers of feeds ended early');
    return JSON.parse(value) as Told;
  };
  child.stdin.write(`${JSON.stringify(order)}\n`);
  try {
    const { opened: count } = await line<FeedsOpened>();
    const measure = (): Promise<FeedsResult> => {
      child.stdin.write('\n');
      return line<FeedsResult>();
    };
    return { count, measure, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Makes a collection, people, and what readers of it are told to do. */
async function orderFor(
  bench: BenchPlatform,
  { what: _what, people: count, ...audience }: Audience,
  span: FeedsBenchOptions['span'],
): Promise<FeedsOrder> {
  const writer = await bench.signedIn();
  const collection = await makeToldCollection(bench, writer);
  const people: Person[] = [];
  while (people.length < count) people.push(await signUp(bench));
  return { ...audience, ...span, origin: bench.gateway, collection, people, writer };
}

/** The same for the bare server, which knows people by what they are named by. */
const bareOrder = (order: FeedsOrder, origin: string): FeedsOrder => ({
  ...order,
  origin,
  people: order.people.map(({ audience }) => ({ audience, headers: { authorization: audience } })),
});

const many = ({ people, feedsPerPerson }: Audience): string => (people * feedsPerPerson).toLocaleString('en');

async function measureOne({ bench, span }: FeedsBenchOptions, audience: Audience): Promise<Row[]> {
  const order = await orderFor(bench, audience, span);
  const measured = async (own: FeedsOrder): Promise<FeedsResult> => {
    const feeds = await openFeeds(own);
    return feeds.measure().finally(feeds.close);
  };
  const ours = await measured(order);
  const server = await startServer('feeds/bare-feed.ts');
  const proxy = await startServer('feeds/bare-feed.ts', [server.url]);
  const bare = await measured(bareOrder(order, server.url));
  const passedOn = await measured(bareOrder(order, proxy.url)).finally(() =>
    Promise.all([server.stop(), proxy.stop()]),
  );

  const { what, pace } = audience;
  const told = ({ paced }: FeedsResult): string => `p50 ${milliseconds(paced.p50Ms)}, p99 ${milliseconds(paced.p99Ms)}`;
  const lost = ours.missing > 0 ? `, ${ours.missing} deliveries missing` : '';
  return [
    {
      what: `${what}: changes that all whom they are for have read`,
      measured: `${perSecond(ours.full.perSecond)}${lost}`,
      beside: `a bare server of event streams ${perSecond(bare.full.perSecond)}`,
      ratio: ratio(ours.full.perSecond, bare.full.perSecond),
      aim: `≥ ${pace.toLocaleString('en')}/s`,
    },
    {
      what: 'the same, beside two bare processes as they are here a gateway and a service',
      measured: perSecond(ours.full.perSecond),
      beside: `a bare proxy before a bare server ${perSecond(passedOn.full.perSecond)}`,
      ratio: ratio(ours.full.perSecond, passedOn.full.perSecond),
    },
    {
      what: `the same at ${perSecond(ours.paced.perSecond)} (asked for: ${pace}), from the write to each reader`,
      measured: told(ours),
      beside: `at ${perSecond(bare.paced.perSecond)} ${told(bare)}`,
      ratio: ratio(ours.paced.p99Ms, bare.paced.p99Ms),
    },
  ];
}

/** Before what a feed takes is measured, so many are open: the first of all take what is there once, compiled code and the young generation. */
const firstPeople = 20;

/**
 * What a further feed takes that is open and told nothing, on a platform that has done nothing else: in one that has, what is free of its heap
 * would hide it. What opening them leaves to be collected counts, so that it is a bound.
 */
async function measureMemory(audience: Audience, span: FeedsBenchOptions['span']): Promise<Row> {
  const home = await mkdtemp(path.join(tmpdir(), 'causeway-bench-feeds-'));
  const bench = await startBenchPlatform(home);
  const server = await startServer('feeds/bare-feed.ts');
  try {
    const order = await orderFor(bench, audience, span);
    const firstOrder = await orderFor(bench, { ...audience, people: firstPeople }, span);
    const kibibytesEach = async (
      pids: readonly number[],
      ofOrder: (order: FeedsOrder) => FeedsOrder = (own) => own,
    ): Promise<string> => {
      const first = await openFeeds(ofOrder(firstOrder));
      const before = pids.map(residentBytes);
      const feeds = await openFeeds(ofOrder(order));
      const each = pids.map((pid, at) => (residentBytes(pid) - (before[at] ?? 0)) / feeds.count / 1024);
      await Promise.all([first.close(), feeds.close()]);
      return each.map((kibibytes) => `${kibibytes.toFixed(1)} KiB`).join(', ');
    };
    const services = ['gateway', 'data'].map((name) => bench.platform.services[name]?.pid ?? 0);
    return {
      what: `memory of a further feed, of ${many(audience)} after ${many({ ...audience, people: firstPeople })}, resident, in gateway and data`,
      measured: await kibibytesEach(services),
      beside: `the bare server’s ${await kibibytesEach([server.pid], (own) => bareOrder(own, server.url))}`,
      aim: '≤ 20 KB each',
    };
  } finally {
    await Promise.all([server.stop(), bench.platform.stop()]);
    await rm(home, { recursive: true, force: true });
  }
}

/** Feeds of many readers under a rule that holds for each of them by itself, beside the least that a feed can be. */
export async function measureFeeds(options: FeedsBenchOptions): Promise<Row[]> {
  const share = options.short ? 10 : 1;
  const toAll: Audience = {
    what: `a change told to all of ${500 / share}`,
    people: 50 / share,
    feedsPerPerson: 10,
    audience: 'all',
    pace: 100,
    window: 16,
  };
  const toSome: Audience = {
    what: `a change told to 1 % of ${(5_000 / share).toLocaleString('en')}`,
    people: 100,
    feedsPerPerson: 50 / share,
    audience: 'each',
    pace: 1_000,
    window: 128,
  };
  const rows: Row[] = [];
  for (const each of [toAll, toSome]) rows.push(...(await measureOne(options, each)));
  rows.push(await measureMemory(toSome, options.span));
  return rows;
}
