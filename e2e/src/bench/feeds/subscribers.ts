// One process of readers of a feed, and of the one who writes what they read: so that one clock tells how long it took. Told
// by its input; tells by a line when all feeds are open, goes on when it is told to, and tells by its last line what came of it.
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { Client, Pool, type Dispatcher } from 'undici';
import type { FeedsOpened, FeedsOrder, FeedsResult } from './feeds-order.ts';

const lines = createInterface({ input: process.stdin });
const [first] = (await once(lines, 'line')) as [string];
const order = JSON.parse(first) as FeedsOrder;
const { origin, collection, people, feedsPerPerson } = order;
const readersOf = order.audience === 'all' ? people.length * feedsPerPerson : feedsPerPerson;

/** So many feeds are being opened at once. */
const opening = 50;
const openMs = 60_000;
/** What is not delivered by then is missing. */
const deliveryMs = 30_000;

interface Change {
  readonly sentAt: number;
  left: number;
  readonly delivered: () => void;
}

/** What is under way, by its number. */
const changes = new Map<number, Change>();
let latencies: number[] | undefined;

const marks = /"n":(\d+)/g;

function read(text: string): void {
  const now = performance.now();
  for (const [, n] of text.matchAll(marks)) {
    const change = changes.get(Number(n));
    if (change === undefined) continue;
    latencies?.push(now - change.sentAt);
    change.left -= 1;
    if (change.left > 0) continue;
    changes.delete(Number(n));
    change.delivered();
  }
}

const broken = (why: string): never => {
  console.error(`a feed ended: ${why}`);
  process.exit(1);
};

/** Resolves once the feed has said from where it is read. */
function openFeed(headers: Readonly<Record<string, string>>): Promise<void> {
  const client = new Client(origin, { bodyTimeout: 0, headersTimeout: openMs });
  return new Promise((resolve) => {
    /** The beginning of a block, until its end has come. */
    let rest = '';
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, status) => {
        if (status !== 200) broken(`answered with ${status}`);
      },
      onResponseData: (_controller, chunk) => {
        const text = rest + chunk.toString('latin1');
        const end = text.lastIndexOf('\n\n') + 2;
        if (end < 2) {
          rest = text;
          return;
        }
        rest = text.slice(end);
        if (text.includes('event: gap') || text.includes('event: end')) broken(text.slice(0, 200));
        resolve();
        read(text.slice(0, end));
      },
      onResponseEnd: () => broken('its answer is over'),
      onResponseError: (_controller, error) => broken(error.message),
    };
    const asked = { ...headers, accept: 'text/event-stream' };
    client.dispatch({ path: `${collection}/changes`, method: 'GET', headers: asked }, handler);
  });
}

async function openAll(): Promise<void> {
  const waiting = people.flatMap(({ headers }) => Array.from({ length: feedsPerPerson }, () => headers));
  const open = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await openFeed(next);
  };
  await Promise.all(Array.from({ length: opening }, open));
}

const writers = new Pool(origin, { connections: order.window, pipelining: 1 });
let written = 0;

/** Resolves when all whom it is for have read it; false where they have not in time. */
async function write(): Promise<boolean> {
  const n = written;
  written += 1;
  const audience = order.audience === 'all' ? 'all' : (people[n % people.length]?.audience ?? '');
  const delivered = new Promise<true>((resolve) => {
    changes.set(n, { sentAt: performance.now(), left: readersOf, delivered: () => resolve(true) });
  });
  const headers = { ...order.writer, 'content-type': 'application/json' };
  const body = JSON.stringify({ n, audience, title: 'A change that is told to whom it names' });
  const answer = await writers.request({ path: collection, method: 'POST', headers, body });
  await answer.body.dump();
  if (answer.statusCode !== 201) broken(`a write is answered with ${answer.statusCode}`);
  return Promise.race([delivered, wait(deliveryMs, false, { ref: false })]);
}

/** Writes with so many under way at once, and tells how many were delivered a second. */
async function full(forMs: number): Promise<number> {
  const startedAt = performance.now();
  let done = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() - startedAt < forMs) if (await write()) done += 1;
  };
  await Promise.all(Array.from({ length: order.window }, lane));
  return (done / (performance.now() - startedAt)) * 1000;
}

/** Writes at the pace asked for, as long as no more than a second's changes are under way. */
async function paced(forMs: number): Promise<FeedsResult['paced']> {
  latencies = [];
  const startedAt = performance.now();
  const writes: Promise<boolean>[] = [];
  for (let at = 0; at < forMs; at = performance.now() - startedAt) {
    while (writes.length < (at / 1000) * order.pace && changes.size < order.pace) writes.push(write());
    await wait(1);
  }
  const perSecond = (writes.length / (performance.now() - startedAt)) * 1000;
  await Promise.all(writes);
  const sorted = latencies.sort((left, right) => left - right);
  latencies = undefined;
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { perSecond, p50Ms: at(0.5), p99Ms: at(0.99) };
}

const startedAt = performance.now();
await openAll();
const opened: FeedsOpened = { opened: people.length * feedsPerPerson, tookMs: performance.now() - startedAt };
console.log(JSON.stringify(opened));
await once(lines, 'line');
await full(order.warmUpMs);
const result: FeedsResult = {
  full: { perSecond: await full(order.measureMs) },
  paced: await paced(order.measureMs),
  missing: [...changes.values()].reduce((sum, { left }) => sum + left, 0),
};
console.log(JSON.stringify(result));
process.exit(0);
