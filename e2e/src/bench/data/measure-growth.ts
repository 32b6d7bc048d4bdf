import { randomUUID } from 'node:crypto';
import { type BenchPlatform, recordBody } from '../bench-platform.ts';
import { load, type LoadOrder } from '../load-order.ts';
import { perSecond, type Row } from '../report.ts';

/** How growth is measured. */
export interface GrowthBenchOptions {
  readonly bench: BenchPlatform;
  readonly span: { readonly warmUpMs: number; readonly measureMs: number };
  readonly turns: number;
  readonly connections: number;
  readonly short: boolean;
  /** Told while the collections are filled, which takes minutes. */
  readonly say: (text: string) => void;
}

/** A collection of so many records. */
interface Grown {
  readonly size: number;
  readonly collection: string;
  /** Some of its records. */
  readonly ids: readonly string[];
}

/** Lines of one import: an answer has to come within the time that the gateway gives to a call. */
const importLines = 10_000;

/** Fills a collection whose records are spread over its index, and which has some of them in each part of it. */
async function grow({ bench, say }: GrowthBenchOptions, size: number): Promise<Grown> {
  const name = `grown-${randomUUID().slice(0, 8)}`;
  const text = { type: 'string' };
  const properties = { title: text, status: text, score: { type: 'number' }, tags: { type: 'array', items: text } };
  const signedIn = 'signed-in';
  const definition = {
    schema: { type: 'object', properties },
    indexes: [{ keys: { status: 1, score: -1 } }],
    rules: { read: signedIn, create: signedIn },
  };
  await bench.call('PUT', `/v1/collections/${name}`, {
    headers: await bench.signedIn(),
    body: JSON.stringify(definition),
  });
  const collection = `/v1/data/${name}`;
  const startedAt = performance.now();
  for (let from = 0; from < size; from += importLines) {
    const lines = Array.from({ length: Math.min(importLines, size - from) }, (_, at) =>
      recordBody(`Record ${from + at}`).replace('"score":7', `"score":${(from + at) % 10_007}`),
    );
    // Tokens live for five minutes.
    const headers = await bench.signedIn();
    const sent = { headers, body: lines.join('\n'), type: 'application/x-ndjson' };
    const { created } = (await bench.call('POST', collection, sent)).body as { created: number };
    if (created !== lines.length) throw new Error(`${created} of ${lines.length} lines were created`);
    if (from % (importLines * 20) === 0 && from > 0)
      say(`${from.toLocaleString('en')} of ${size.toLocaleString('en')}`);
  }
  say(`${size.toLocaleString('en')} records in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
  return { size, collection, ids: await spreadIds(bench, collection) };
}

/** Ids of records from all over a collection: what lies beside what was just read is read more quickly. */
async function spreadIds(bench: BenchPlatform, collection: string): Promise<string[]> {
  const headers = await bench.signedIn();
  const ids: string[] = [];
  for (let part = 0; part < 100; part += 1) {
    const filter = encodeURIComponent(JSON.stringify({ status: 'published', score: { $gte: part * 100 } }));
    const path = `${collection}?filter=${filter}&sort=score&limit=10&fields=title`;
    const { items } = (await bench.call('GET', path, { headers })).body as { items: readonly { id: string }[] };
    ids.push(...items.map(({ id }) => id));
  }
  return ids;
}

/** How lists, reads and creates fare as a collection grows: each size in turn, beside the smallest of them. */
export async function measureGrowth(options: GrowthBenchOptions): Promise<Row[]> {
  const { bench, span, turns, connections, short } = options;
  const sizes = short ? [1_000, 10_000] : [10_000, 100_000, 1_000_000];
  const grown: Grown[] = [];
  for (const size of sizes) grown.push(await grow(options, size));

  const orders: readonly { readonly what: string; readonly aim?: string; readonly of: (grown: Grown) => Ordered }[] = [
    {
      what: 'list of 20 by an index, each another, from MongoDB',
      aim: '≤ 1.3 times as long',
      of: ({ collection }) => ({
        method: 'GET',
        paths: Array.from({ length: 512 }, (_, index) => {
          // Each is another, so that none is kept.
          const filter = `{"status":"published","score":{"$lt":${(index + 1) * 19}.`;
          return `${collection}?filter=${encodeURIComponent(filter)}{n}${encodeURIComponent('1}}')}&sort=-score&limit=20`;
        }),
      }),
    },
    {
      what: 'read of a record, from MongoDB',
      of: ({ collection, ids }) => ({ method: 'GET', paths: ids.map((id) => `${collection}/${id}`) }),
    },
    {
      what: 'create of a record, with its event',
      of: ({ collection }) => ({
        method: 'POST',
        paths: [collection],
        headers: { 'content-type': 'application/json' },
        body: recordBody('Record {n}'),
      }),
    },
  ];
  const rows: Row[] = [];
  for (const { what, aim, of } of orders) {
    const rates = grown.map(() => 0);
    for (let turn = 0; turn < turns; turn += 1) {
      for (const [at, each] of grown.entries()) {
        const order = of(each);
        const headers = { ...(await bench.signedIn()), ...order.headers };
        const { perSecond: rate } = await load({ origin: bench.gateway, connections, ...span, ...order, headers });
        rates[at] = (rates[at] ?? 0) + rate / turns;
      }
    }
    const [smallest = 0, ...others] = rates;
    rows.push({
      what: `${what}, of ${sizes.map((size) => size.toLocaleString('en')).join(', ')} records`,
      measured: rates.map(perSecond).join(', '),
      beside: `the first of them`,
      ratio: others.map((rate) => `${(smallest / rate).toFixed(2)} times as long`).join(', '),
      ...(aim === undefined ? {} : { aim }),
    });
  }
  return rows;
}

type Ordered = Pick<LoadOrder, 'method' | 'paths' | 'headers' | 'body'>;
