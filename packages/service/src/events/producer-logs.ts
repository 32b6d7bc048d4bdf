import type { EventEnvelope } from '@causeway/contracts';
import { request } from 'undici';

import { internalKeyHeader } from '../http/internal-key.ts';
import type { PlacedEvent } from './event-routes.ts';

/** One read of a log takes no longer. */
const timeoutMs = 10_000;

/** Where the other services are, and what lets us ask them. */
export interface ProducerLogOptions {
  /** Base URLs by topic: `{ 'causeway.auth': 'http://127.0.0.1:8081' }`. */
  readonly urls: Readonly<Record<string, string>>;
  readonly internalKey: string;
}

interface Extent {
  readonly from: number;
  readonly to: number;
}

/** The log of another service, over HTTP. */
export interface RemoteLog {
  after(from: {
    readonly slot: number;
    readonly afterEvent: string | undefined;
    readonly limit: number;
  }): Promise<readonly EventEnvelope[]>;
  read(from: { readonly slot: number; readonly from: number; readonly limit: number }): Promise<readonly PlacedEvent[]>;
  extent(question: {
    readonly slot: number;
    readonly since?: Date | undefined;
    readonly upTo?: string | undefined;
  }): Promise<Extent>;
}

/**
 * Reads other services' logs over HTTP: what Kafka no longer holds, or never held for us.
 *
 * @returns the `producerLogs` of `createEvents`
 */
export const producerLogs =
  ({ urls, internalKey }: ProducerLogOptions) =>
  (topic: string): RemoteLog | undefined => {
    const base = urls[topic];
    if (base === undefined) return undefined;

    const ask = async (
      path: string,
      query: Readonly<Record<string, string | number | undefined>>,
    ): Promise<unknown> => {
      const url = new URL(path, base);
      for (const [name, value] of Object.entries(query))
        if (value !== undefined) url.searchParams.set(name, String(value));
      const answer = await request(url, {
        headers: { [internalKeyHeader]: internalKey },
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
      });
      if (answer.statusCode === 200) return answer.body.json();
      await answer.body.dump();
      throw new Error(`the log behind ${topic} answered ${answer.statusCode}`);
    };

    return {
      async after({ slot, afterEvent: after, limit }) {
        const { items } = (await ask('/internal/log', { slot, after, limit })) as { items: EventEnvelope[] };
        return items;
      },
      async read({ slot, from, limit }) {
        const { items } = (await ask(`/internal/log/${slot}`, { from, limit })) as { items: PlacedEvent[] };
        return items;
      },
      async extent({ slot, since, upTo }) {
        const query = { since: since?.toISOString(), upTo };
        return (await ask(`/internal/log/${slot}/extent`, query)) as Extent;
      },
    };
  };
