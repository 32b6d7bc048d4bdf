import { setTimeout as wait } from 'node:timers/promises';
import { request } from 'undici';
import { readEventStream } from '../harness/event-stream.ts';
import { eventually } from '../harness/eventually.ts';
import { startSubscriber } from '../harness/subscriber.ts';
import { type BenchPlatform, recordBody } from './bench-platform.ts';

/** How long it took from sending a write to reading its event, in milliseconds. */
export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** How events are read, and when each was. */
export interface Reader {
  /** By the id of the event, in `performance.now()`. */
  readonly readAt: (eventId: string) => number | undefined;
  readonly stop: () => Promise<void> | void;
}

/** Reads through the feed. */
export async function feedReader(bench: BenchPlatform, path: string): Promise<Reader> {
  const abort = new AbortController();
  const headers = { ...(await bench.signedIn()), accept: 'text/event-stream' };
  const response = await request(new URL(`${path}/changes`, bench.gateway), { headers, signal: abort.signal });
  if (response.statusCode !== 200) throw new Error(`the feed answers ${response.statusCode}`);
  const times = new Map<string, number>();
  let hasBegun = false;
  readEventStream(response.body, ({ data, readAt }) => {
    hasBegun = true;
    if (data !== undefined) times.set((JSON.parse(data) as { eventId: string }).eventId, readAt);
  }).catch((error: unknown) => {
    if (!abort.signal.aborted) throw error;
  });
  await eventually(() => {
    if (!hasBegun) throw new Error('the feed has not begun');
  });
  return { readAt: (id) => times.get(id), stop: () => abort.abort() };
}

/** Reads through Kafka, as an outside subscriber does: the example that users are given. */
export function kafkaReader(bench: BenchPlatform): Reader {
  const subscriber = startSubscriber(bench.platform.urls.kafka ?? '');
  return {
    readAt: (eventId) => subscriber.find(eventId)?.readAt,
    stop: () => subscriber.stop(),
  };
}

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

/**
 * Writes one record after another, and looks when each one's event was read.
 *
 * @param writes - how many
 * @throws Error when an event does not come
 */
export async function measureLatency(
  bench: BenchPlatform,
  path: string,
  reader: Reader,
  writes: number,
): Promise<Latency> {
  const headers = await bench.signedIn();
  const sent: { readonly event: string; readonly sentAt: number }[] = [];
  for (let index = 0; index < writes; index += 1) {
    const sentAt = performance.now();
    const { events } = await bench.call('POST', path, { headers, body: recordBody(`Latency ${index}`) });
    sent.push({ event: events[0] ?? '', sentAt });
    await wait(5);
  }
  const took = await eventually(
    () =>
      sent.map(({ event, sentAt }) => {
        const readAt = reader.readAt(event);
        if (readAt === undefined) throw new Error(`event ${event} has not come`);
        return readAt - sentAt;
      }),
    { withinMs: 60_000 },
  );
  took.sort((left, right) => left - right);
  return { p50Ms: percentile(took, 0.5), p99Ms: percentile(took, 0.99) };
}
