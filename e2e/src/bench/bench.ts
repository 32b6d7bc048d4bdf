// `npm run bench [-- --short] [--part <words>]… [--help]`: what the platform reaches on this machine, each figure beside the bare limit that it is
// measured against in the same run. A report, not a test.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { benchOptionsOrExit, type Part } from './bench-options.ts';
import { type BenchPlatform, makeCollection, recordBody, startBenchPlatform } from './bench-platform.ts';
import { measureAuth } from './auth/measure-auth.ts';
import { measureData } from './data/measure-data.ts';
import { measureGrowth } from './data/measure-growth.ts';
import { measureFeeds } from './feeds/measure-feeds.ts';
import { measureFlow } from './flow/measure-flow.ts';
import { loadInTurns, type Speed as Rate } from './in-turns.ts';
import { feedReader, kafkaReader, type Latency, measureLatency, type Reader } from './latency.ts';
import { load, type LoadOrder, type LoadResult, runProgram } from './load-order.ts';
import { milliseconds, perSecond, ratio, reportOf, type Row } from './report.ts';
import { measureRecovery } from './recovery.ts';
import { startBareServer, startGatewayBefore, startTraceSink } from './side-processes.ts';

const options = benchOptionsOrExit(process.argv.slice(2));
const span = options.short ? { warmUpMs: 500, measureMs: 1000 } : { warmUpMs: 2000, measureMs: 4000 };
/** What is compared is measured in turns, so that a neighbour who is loud for a while is loud for both. */
const turns = options.short ? 1 : 3;
const connections = 32;
/** Each of them is read once, so that every read is the first. */
const uncachedRecords = options.short ? 4000 : 20_000;
const latencyWrites = options.short ? 50 : 300;

const rows: Row[] = [];
const say = (text: string): void => console.error(text);

/** Measures one part; what cannot be measured is said, and the rest goes on. */
async function part(what: Part, measure: () => Promise<void>): Promise<void> {
  if (!options.parts.has(what)) return;
  const startedAt = performance.now();
  try {
    await measure();
    say(`${what}: ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
  } catch (error) {
    say(`${what}: not measured: ${error instanceof Error ? error.message : String(error)}`);
    rows.push({ what, measured: 'not measured' });
  }
}

const order = (origin: string, paths: readonly string[], more: Partial<LoadOrder> = {}): LoadOrder => ({
  origin,
  method: 'GET',
  paths,
  connections,
  ...span,
  ...more,
});

const creates = (bench: BenchPlatform, collection: string, headers: Readonly<Record<string, string>>): LoadOrder =>
  order(bench.gateway, [collection], {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: recordBody('Record {n}'),
  });

const driver = (bench: BenchPlatform, what: 'findOne' | 'insertOne'): Promise<Rate> =>
  runProgram('driver-limit.ts', { url: bench.platform.urls.mongodb, what, concurrency: connections, ...span }, 60_000);

/** The gateway alone, before an upstream that does nothing. */
async function measureProxy(bench: BenchPlatform): Promise<void> {
  const headers = await bench.signedIn();
  const upstream = await startBareServer();
  const proxy = await startBareServer(upstream.url);
  const gateway = await startGatewayBefore(upstream.url, bench, headers);
  try {
    const paths = ['/v1/users/usr_0'];
    const [bare, ours] = await loadInTurns(
      turns,
      () => load(order(proxy.url, paths, { headers })),
      () => load(order(gateway.url, paths, { headers })),
    );
    rows.push({
      what: 'proxied GET, signed in',
      measured: perSecond(ours.perSecond),
      beside: `bare Express + undici proxy ${perSecond(bare.perSecond)}`,
      ratio: ratio(ours.perSecond, bare.perSecond),
      aim: '≥ 0.6',
    });
  } finally {
    await Promise.all([gateway.stop(), proxy.stop(), upstream.stop()]);
  }
}

async function measureReads(bench: BenchPlatform): Promise<void> {
  const { path: collection, ids } = await makeCollection(bench, uncachedRecords);
  const headers = await bench.signedIn();
  const paths = ids.map((id) => `${collection}/${id}`);
  const row = (what: string, bare: Rate, result: LoadResult, aim: string): Row => ({
    what,
    measured: `${perSecond(result.perSecond)}, p99 ${milliseconds(result.p99Ms)}`,
    beside: `driver's findOne ${perSecond(bare.perSecond)}`,
    ratio: ratio(result.perSecond, bare.perSecond),
    aim,
  });
  // Whoever does not say what it has seen is answered from MongoDB, whatever the caches hold.
  const uncached = await loadInTurns(
    turns,
    () => driver(bench, 'findOne'),
    () => load(order(bench.gateway, paths, { headers })),
  );
  rows.push(row('read of a record, signed in, from MongoDB', ...uncached, '≥ 0.4'));
  const seen = await bench.havingSeen(headers);
  // Everything is warm but the records: each is read once.
  const unread = Array.from({ length: turns }, (_, turn) => paths.filter((_path, index) => index % turns === turn));
  const once = { headers: seen, onceEach: true, warmUpMs: 200 };
  const first = await loadInTurns(
    turns,
    () => driver(bench, 'findOne'),
    () => load(order(bench.gateway, unread.shift() ?? [], once)),
  );
  rows.push(row('the same, which also fills the caches', ...first, ''));
  const cached = await loadInTurns(
    turns,
    () => driver(bench, 'findOne'),
    () => load(order(bench.gateway, paths.slice(0, 100), { headers: seen })),
  );
  rows.push(row('the same, from the cache', ...cached, '≥ 1.5'));
}

async function measureCreates(bench: BenchPlatform): Promise<void> {
  const { path: collection } = await makeCollection(bench, 1);
  const headers = await bench.signedIn();
  const [bare, ours] = await loadInTurns(
    turns,
    () => driver(bench, 'insertOne'),
    () => load(creates(bench, collection, headers)),
  );
  rows.push({
    what: 'create of a record, signed in, with its event',
    measured: `${perSecond(ours.perSecond)}, p99 ${milliseconds(ours.p99Ms)}`,
    beside: `driver's insertOne, majority ${perSecond(bare.perSecond)}`,
    ratio: ratio(ours.perSecond, bare.perSecond),
    aim: '≥ 0.3',
  });
}

/** Node compiles what runs often: the figures are those of services that have run for a while, on both sides. */
async function warmUp(bench: BenchPlatform): Promise<void> {
  const { path: collection, ids } = await makeCollection(bench, 100);
  const headers = await bench.havingSeen(await bench.signedIn());
  const reads = ids.map((id) => `${collection}/${id}`);
  const measureMs = options.short ? 1000 : 10_000;
  await load(order(bench.gateway, reads, { headers, measureMs }));
  await load({ ...creates(bench, collection, headers), measureMs });
}

const shown = ({ p50Ms, p99Ms }: Latency): string => `p50 ${milliseconds(p50Ms)}, p99 ${milliseconds(p99Ms)}`;

/** @param makeReader - how the events are read */
async function measureEvents(
  bench: BenchPlatform,
  what: string,
  aim: string,
  makeReader: (path: string) => Reader | Promise<Reader>,
): Promise<void> {
  const { path: collection } = await makeCollection(bench, 1);
  const reader = await makeReader(collection);
  try {
    // The first events find connections to be opened and groups to be joined.
    await measureLatency(bench, collection, reader, 20);
    const idle = await measureLatency(bench, collection, reader, latencyWrites);
    rows.push({ what: `write to ${what}, idle`, measured: shown(idle), aim });
    const background = { ...creates(bench, collection, await bench.signedIn()), connections: 8, measureMs: 60_000 };
    const loading = new AbortController();
    const busy = runProgram('load.ts', background, 90_000, loading.signal).catch(() => undefined);
    const loaded = await measureLatency(bench, collection, reader, latencyWrites).finally(() => loading.abort());
    await busy;
    rows.push({ what: `write to ${what}, beside 8 connections that create all the time`, measured: shown(loaded) });
  } finally {
    await reader.stop();
  }
}

interface Speed {
  readonly read: number;
  readonly create: number;
}

async function measureSpeed(bench: BenchPlatform): Promise<Speed> {
  const { path: collection, ids } = await makeCollection(bench, 100);
  const headers = await bench.signedIn();
  const paths = ids.map((id) => `${collection}/${id}`);
  await warmUp(bench);
  const read = await load(order(bench.gateway, paths, { headers: await bench.havingSeen(headers) }));
  const create = await load(creates(bench, collection, headers));
  return { read: read.perSecond, create: create.perSecond };
}

/** A platform as it is, and others that differ from it in nothing but what is told. */
interface Comparison {
  readonly what: string;
  readonly env: Readonly<Record<string, string>>;
}

/** What tracing and logging cost: the same calls on platforms that differ in nothing else. */
async function measureTelemetry(traces: string, usual: Speed): Promise<void> {
  const traced = { OTEL_EXPORTER_OTLP_ENDPOINT: traces };
  const comparisons: readonly Comparison[] = [
    { what: 'without tracing', env: {} },
    { what: 'without tracing and logs', env: { LOG_LEVEL: 'silent' } },
    { what: 'with every request traced', env: { ...traced, TRACE_SAMPLE_RATIO: '1' } },
  ];
  for (const { what, env } of options.short ? comparisons.slice(1, 2) : comparisons) {
    const bench = await startBenchPlatform(home, env);
    try {
      const other = await measureSpeed(bench);
      rows.push({
        what: `cached read and create ${what}`,
        measured: `${perSecond(other.read)} and ${perSecond(other.create)}`,
        beside: `with everything switched on ${perSecond(usual.read)} and ${perSecond(usual.create)}`,
        ratio: `${ratio(other.read, usual.read)} and ${ratio(other.create, usual.create)}`,
      });
    } finally {
      await bench.platform.stop();
    }
  }
}

/** A start as `npm start` has it, on data of a start before. */
async function measureStart(): Promise<void> {
  const { platform } = await startBenchPlatform(home);
  rows.push(
    {
      what: 'start, with data there, to ready',
      measured: `${(platform.startedInMs / 1000).toFixed(1)} s`,
      aim: '< 15 s',
    },
    {
      what: 'memory, resident, all processes',
      measured: `${(platform.memoryBytes() / 2 ** 30).toFixed(2)} GB`,
      aim: '< 1.5 GB',
    },
  );
  await platform.stop();
}

async function measureRunning(bench: BenchPlatform): Promise<Speed | undefined> {
  await part('warming up', () => warmUp(bench));
  await part('the gateway alone', () => measureProxy(bench));
  await part('reads', () => measureReads(bench));
  await part('creates', () => measureCreates(bench));
  await part('data', async () => {
    const { short } = options;
    rows.push(...(await measureData({ bench, span, turns, connections, short })));
  });
  await part('growth', async () => {
    rows.push(...(await measureGrowth({ bench, span, turns, connections, short: options.short, say })));
  });
  await part('signing in', async () => {
    const { short } = options;
    rows.push(...(await measureAuth({ bench, span, turns, connections, short })));
  });
  await part('feeds of many', async () => {
    rows.push(...(await measureFeeds({ bench, span, short: options.short })));
  });
  await part('write to the feed', () =>
    measureEvents(bench, 'feed', 'p50 ≤ 15 ms, p99 ≤ 60 ms', (collection) => feedReader(bench, collection)),
  );
  await part('write to Kafka', () =>
    measureEvents(bench, 'a subscriber of Kafka’s (kafkajs)', '', () => kafkaReader(bench)),
  );
  await part('the flow of events', async () => {
    const { mongodb = '', kafka = '' } = bench.platform.urls;
    rows.push(...(await measureFlow({ mongodb, kafka, short: options.short })));
  });
  let usual: Speed | undefined;
  await part('with everything switched on', async () => {
    usual = await measureSpeed(bench);
  });
  return usual;
}

const home = await mkdtemp(path.join(tmpdir(), 'causeway-bench-'));
const sink = await startTraceSink();
try {
  say('a first start, to have data');
  await (await startBenchPlatform(home)).platform.stop();
  await part('a second start', measureStart);
  // Everything switched on: logs, and a tenth of all requests traced to somewhere, as is the default where there is a collector.
  const bench = await startBenchPlatform(home, { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url });
  const usual = await measureRunning(bench).finally(() => bench.platform.stop());
  // By itself, once the platform has gone: it takes what the machine has.
  await part('recovery from faults', async () => {
    rows.push(...(await measureRecovery({ short: options.short })));
  });
  if (usual !== undefined) await part('what tracing and logs cost', () => measureTelemetry(sink.url, usual));
} finally {
  await sink.stop();
  await rm(home, { recursive: true, force: true });
}
console.log(reportOf(rows));
