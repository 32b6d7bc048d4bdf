import { setTimeout as wait } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { type FeedBlock, readEventStream } from '../harness/event-stream.ts';
import { cyan, dim, type Narrator } from './narrator.ts';

const patienceMs = 30_000;

/** What a call sends. */
export interface Sent {
  readonly token?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly body?: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What came back. */
export interface Received {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
}

/** A feed that is being read. */
export interface OpenFeed {
  readonly blocks: readonly FeedBlock[];
  /** Resolves when there are that many changes, or the time is up; the caller looks which. */
  readonly until: (changes: number) => Promise<readonly FeedBlock[]>;
  readonly close: () => void;
}

/** The platform's HTTP interface, each call told as it is made. */
export class Api {
  readonly #url: string;
  readonly #narrator: Narrator;
  readonly #agent = new Agent({ headersTimeout: patienceMs, bodyTimeout: patienceMs });

  constructor(url: string, narrator: Narrator) {
    this.#url = url;
    this.#narrator = narrator;
  }

  async call(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, sent: Sent = {}): Promise<Received> {
    const startedAt = performance.now();
    const response = await request(this.#address(path, sent.query), {
      method,
      dispatcher: this.#agent,
      headers: this.#headers(sent),
      body: sent.json === undefined ? (sent.body ?? null) : JSON.stringify(sent.json),
    });
    const text = await response.body.text();
    const took = `${Math.round(performance.now() - startedAt)} ms`;
    const query = new URLSearchParams(sent.query).toString();
    const shown = decodeURIComponent(`${path}${query === '' ? '' : `?${query.replaceAll('+', ' ')}`}`);
    this.#narrator.say(`${cyan(`${method} ${shown}`)} ${dim(`→ ${response.statusCode}, ${took}`)}`);
    const isJson = /\bjson\b/.test(String(response.headers['content-type']));
    return { status: response.statusCode, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  }

  /** Subscribes; returns once the feed has said from where it tells. */
  async feed(path: string, sent: Sent): Promise<OpenFeed> {
    const abort = new AbortController();
    const response = await request(this.#address(path, sent.query), {
      dispatcher: this.#agent,
      signal: abort.signal,
      headers: { ...this.#headers(sent), accept: 'text/event-stream' },
    });
    this.#narrator.say(`${cyan(`GET ${path}`)} ${dim(`→ ${response.statusCode}`)}`);
    if (response.statusCode !== 200) throw new Error(`the feed is refused: ${await response.body.text()}`);
    const blocks: FeedBlock[] = [];
    readEventStream(response.body, (block) => blocks.push(block)).catch((error: unknown) => {
      if (!abort.signal.aborted) throw error;
    });
    const until = async (isEnough: () => boolean): Promise<void> => {
      const deadline = performance.now() + patienceMs;
      while (!isEnough() && performance.now() < deadline) await wait(5);
    };
    await until(() => blocks.length > 0);
    const changes = (): FeedBlock[] => blocks.filter((each) => each.event !== undefined);
    return {
      blocks,
      until: async (count) => {
        await until(() => changes().length >= count);
        return changes();
      },
      close: () => abort.abort(),
    };
  }

  #address(path: string, query: Readonly<Record<string, string>> = {}): URL {
    const url = new URL(path, this.#url);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return url;
  }

  #headers({ token, json, body, type = 'application/json', headers }: Sent): Record<string, string> {
    const hasBody = json !== undefined || body !== undefined;
    return {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(hasBody ? { 'content-type': type } : {}),
      ...headers,
    };
  }
}
