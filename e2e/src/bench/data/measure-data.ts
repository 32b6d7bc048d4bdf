import { request } from 'undici';
import { type BenchPlatform, makeCollection, recordBody } from '../bench-platform.ts';
import type { DriverOrder } from '../driver-limit.ts';
import { inTurns, type Speed } from '../in-turns.ts';
import { load, type LoadOrder, type LoadResult, runProgram } from '../load-order.ts';
import { perSecond, ratio, type Row } from '../report.ts';
import type { DriverDataOrder } from './driver-data.ts';

/** How the data service is measured. */
export interface DataBenchOptions {
  readonly bench: BenchPlatform;
  readonly span: { readonly warmUpMs: number; readonly measureMs: number };
  readonly turns: number;
  readonly connections: number;
  readonly short: boolean;
}

/** A figure of ours, and the bare one that it is held against. */
interface Compared {
  readonly what: string;
  readonly ours: () => Promise<Speed>;
  readonly limit: string;
  readonly bare: () => Promise<Speed>;
  readonly unit?: string;
  readonly aim?: string;
}

const operatorsType = 'application/vnd.causeway.operators+json';
const limitMs = 300_000;

async function compare(turns: number, { what, ours, limit, bare, unit = '', aim }: Compared): Promise<Row> {
  const [limited, own] = await inTurns(turns, bare, ours);
  return {
    what,
    measured: perSecond(own).replace('/s', `${unit}/s`),
    beside: `${limit} ${perSecond(limited)}`,
    ratio: ratio(own, limited),
    ...(aim === undefined ? {} : { aim }),
  };
}

/** Lists, changes, batches, creates that arrive together, imports and exports, each beside what the driver reaches alone. */
export async function measureData(options: DataBenchOptions): Promise<Row[]> {
  const { bench, span, turns, connections, short } = options;
  const { mongodb: url = '' } = bench.platform.urls;
  const documents = short ? 2_000 : 20_000;
  const { path: collection, ids } = await makeCollection(bench, documents);
  const paths = ids.slice(0, connections * 4).map((id) => `${collection}/${id}`);
  const json = { 'content-type': 'application/json' };

  const ours = async (
    order: Omit<LoadOrder, 'origin' | 'connections' | 'warmUpMs' | 'measureMs'> & Partial<LoadOrder>,
  ): Promise<LoadResult> => {
    const headers = { ...(await bench.signedIn()), ...order.headers };
    return load({ origin: bench.gateway, connections, ...span, ...order, headers });
  };
  const driver = (what: DriverOrder['what']): Promise<Speed> =>
    runProgram<Speed>(
      'driver-limit.ts',
      { url, what, concurrency: connections, ...span } satisfies DriverOrder,
      limitMs,
    );
  const driverData = (what: DriverDataOrder['what'], concurrency: number, there = documents): Promise<Speed> =>
    runProgram<Speed>(
      'data/driver-data.ts',
      { url, what, concurrency, documents: there, ...span } satisfies DriverDataOrder,
      limitMs,
    );

  const listBelow = (score: string): string => {
    const filter = encodeURIComponent('{"status":"published","score":{"$lt":SCORE}}').replace('SCORE', score);
    return `${collection}?filter=${filter}&sort=-score&limit=20`;
  };
  // All of them find the same; what is the same is read once for all who ask for it at once.
  const lists = Array.from({ length: 512 }, (_, index) => listBelow(String(1_000 + index)));
  const { 'causeway-after': seen = '' } = await bench.havingSeen(await bench.signedIn());
  const batch = JSON.stringify({
    operations: Array.from({ length: 100 }, () => ({
      op: 'create',
      collection: collection.split('/').at(-1),
      fields: JSON.parse(recordBody('Record {n}')) as unknown,
    })),
  });
  const patched = { method: 'PATCH', paths } as const;
  const compared: readonly Compared[] = [
    {
      what: 'list of 20 by an index, each another, from MongoDB',
      ours: () => ours({ method: 'GET', paths: [listBelow('1000{n}')] }),
      limit: 'driver’s find of 20',
      bare: () => driverData('list', connections),
      aim: '≥ 0.55',
    },
    {
      what: 'the same, where all ask for one',
      ours: () => ours({ method: 'GET', paths: lists.slice(0, 1) }),
      limit: 'driver’s find of 20',
      bare: () => driverData('list', connections),
    },
    {
      what: 'the same, of 512, from the cache, held against all that is committed',
      ours: () => ours({ method: 'GET', paths: lists }),
      limit: 'driver’s find of 20',
      bare: () => driverData('list', connections),
    },
    {
      what: 'the same, of 512, from the cache, by who says what it has seen',
      ours: () => ours({ method: 'GET', paths: lists, headers: { 'causeway-after': seen } }),
      limit: 'driver’s find of 20',
      bare: () => driverData('list', connections),
      aim: '≥ 2',
    },
    {
      what: 'change of a record by a merge patch, with its event',
      ours: () =>
        ours({
          ...patched,
          headers: { 'content-type': 'application/merge-patch+json' },
          body: '{"title":"Record {n}"}',
        }),
      limit: 'driver’s compare-and-set, majority',
      bare: () => driver('compareAndSet'),
    },
    {
      what: 'the same by an operator, $inc',
      ours: () => ours({ ...patched, headers: { 'content-type': operatorsType }, body: '{"$inc":{"score":1}}' }),
      limit: 'driver’s compare-and-set, majority',
      bare: () => driver('compareAndSet'),
    },
    {
      what: 'creates that arrive together, over 256 connections',
      ours: () =>
        ours({ method: 'POST', paths: [collection], headers: json, body: recordBody('Record {n}'), connections: 256 }),
      limit: 'driver’s insertOne, majority',
      bare: () => driver('insertOne'),
      aim: '≥ 0.6',
    },
    {
      what: 'batch of 100 creates, 4 at once',
      ours: () =>
        ours({ method: 'POST', paths: ['/v1/batch?return=minimal'], headers: json, body: batch, connections: 4 }),
      limit: 'driver’s transactions of 100',
      bare: () => driverData('transaction', 4, 0),
      unit: ' batches',
    },
    {
      what: 'import, one at a time, with its events',
      ours: () => importing(options, collection),
      limit: 'driver’s unordered inserts of 500',
      bare: () => driverData('insertMany', 1, 0),
      unit: ' lines',
    },
    {
      what: 'export, one at a time',
      ours: () => exporting(options, collection),
      limit: 'driver’s cursor over all, and JSON',
      bare: () => driverData('scan', 1),
      unit: ' lines',
    },
  ];
  const rows: Row[] = [];
  for (const each of compared) rows.push(await compare(turns, each));
  return rows;
}

async function importing({ bench, short }: DataBenchOptions, collection: string): Promise<Speed> {
  const lines = short ? 2_000 : 20_000;
  const body = Array.from({ length: lines }, (_, at) => recordBody(`Record ${at}`)).join('\n');
  const headers = await bench.signedIn();
  const startedAt = performance.now();
  await bench.call('POST', collection, { headers, body, type: 'application/x-ndjson' });
  return { perSecond: (lines / (performance.now() - startedAt)) * 1000 };
}

async function exporting({ bench }: DataBenchOptions, collection: string): Promise<Speed> {
  const headers = { ...(await bench.signedIn()), accept: 'application/x-ndjson' };
  const startedAt = performance.now();
  const { body, statusCode } = await request(new URL(collection, bench.gateway), { headers });
  if (statusCode !== 200) throw new Error(`export: ${statusCode}`);
  let lines = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines += 1;
  }
  return { perSecond: (lines / (performance.now() - startedAt)) * 1000 };
}
