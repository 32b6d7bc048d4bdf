import type { EventEnvelope } from '@causeway/contracts';
import { request } from 'undici';

import { internalKeyHeader } from '../http/internal-key.ts';

/** One read of a log takes no longer. */
const timeoutMs = 10_000;

/** Where the other services are, and what lets us ask them. */
export interface ProducerLogOptions {
  /** Base URLs by topic: `{ 'causeway.auth': 'http://127.0.0.1:8081' }`. */
  readonly urls: Readonly<Record<string, string>>;
  readonly internalKey: string;
}

/**
 * Reads another service's log over HTTP, for events that Kafka no longer holds.
 *
 * @returns the `readProducerLog` of `createEvents`
 */
export const producerLogs =
  ({ urls, internalKey }: ProducerLogOptions) =>
  async (
    topic: string,
    from: { readonly slot: number; readonly afterEvent: string | undefined; readonly limit: number },
  ): Promise<readonly EventEnvelope[]> => {
    const base = urls[topic];
    if (base === undefined) throw new Error(`no address is known for the service behind ${topic}`);
    const url = new URL('/internal/log', base);
    url.searchParams.set('slot', String(from.slot));
    url.searchParams.set('limit', String(from.limit));
    if (from.afterEvent !== undefined) url.searchParams.set('after', from.afterEvent);
    const answer = await request(url, {
      headers: { [internalKeyHeader]: internalKey },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
    if (answer.statusCode !== 200) {
      await answer.body.dump();
      throw new Error(`the log behind ${topic} answered ${answer.statusCode}`);
    }
    const { items } = (await answer.body.json()) as { items: EventEnvelope[] };
    return items;
  };
