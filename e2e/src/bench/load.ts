// One process of load: so many connections, each of which sends its next request when it has its answer. Told by its
// input, tells by its last line.
import { json } from 'node:stream/consumers';
import process from 'node:process';
import { Client, type Dispatcher } from 'undici';
import type { LoadOrder, LoadResult } from './load-order.ts';

const order = (await json(process.stdin)) as LoadOrder;
const { origin, method, paths, headers = {}, body, connections, warmUpMs, measureMs } = order;
const maySkip = order.onceEach === true;

let next = 0;
let isMeasuring = false;
let isOver = false;
let errors = 0;
const latencies: number[] = [];
const statuses = new Map<number, number>();

function nextPath(): string | undefined {
  if (maySkip && next >= paths.length) return undefined;
  const path = paths[next % paths.length];
  next += 1;
  return path?.replaceAll('{n}', String(next));
}

/** One request and its answer, with as little around it as can be: what is measured is the other side. */
function send(client: Client, path: string): Promise<void> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    let status = 0;
    const done = (): void => {
      if (isMeasuring) {
        latencies.push(performance.now() - startedAt);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
      resolve();
    };
    const handler: Dispatcher.DispatchHandler = {
      onResponseStart: (_controller, statusCode) => {
        status = statusCode;
      },
      onResponseData: () => undefined,
      onResponseEnd: done,
      onResponseError: () => {
        errors += 1;
        done();
      },
      onRequestStart: () => undefined,
    };
    const text = body?.replaceAll('{n}', String(next));
    client.dispatch({ path, method, headers, body: text ?? null }, handler);
  });
}

async function connection(): Promise<void> {
  const client = new Client(origin, { pipelining: 1 });
  for (;;) {
    const path = isOver ? undefined : nextPath();
    if (path === undefined) break;
    await send(client, path);
  }
  await client.close();
}

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

const working = Promise.all(Array.from({ length: connections }, connection));
let from = performance.now();
const warm = setTimeout(() => {
  isMeasuring = true;
  from = performance.now();
}, warmUpMs);
const end = setTimeout(() => (isOver = true), warmUpMs + measureMs);
await working;
const seconds = (performance.now() - from) / 1000;
clearTimeout(warm);
clearTimeout(end);
latencies.sort((left, right) => left - right);
const result: LoadResult = {
  perSecond: latencies.length / seconds,
  p50Ms: percentile(latencies, 0.5),
  p99Ms: percentile(latencies, 0.99),
  errors,
  statuses: Object.fromEntries(statuses),
};
console.log(JSON.stringify(result));
