import { AssertionError } from 'node:assert';
import { setTimeout as wait } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { ApiDocument, type Exchange, type OpenApiDocument } from '../harness/api-document.ts';
import { checkExchange, headersOf } from '../harness/check-exchange.ts';
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
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** A feed that is being read. */
export interface OpenFeed {
  readonly blocks: readonly FeedBlock[];
  /** Resolves when there are that many changes, or the time is up; the caller looks which. */
  readonly until: (changes: number) => Promise<readonly FeedBlock[]>;
  readonly close: () => void;
}

/** The platform's HTTP interface: each call is told as it is made, and held against the platform's own /openapi.json. */
export class Api {
  readonly #url: string;
  readonly #narrator: Narrator;
  readonly #agent = new Agent({ headersTimeout: patienceMs, bodyTimeout: patienceMs });
  #document: Promise<ApiDocument> | undefined;
  #exchanges = 0;
  #deviations = 0;

  constructor(url: string, narrator: Narrator) {
    this.#url = url;
    this.#narrator = narrator;
  }

  async call(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, sent: Sent = {}): Promise<Received> {
    const startedAt = performance.now();
    const url = this.#address(path, sent.query);
    const response = await request(url, {
      method,
      dispatcher: this.#agent,
      headers: this.#headers(sent),
      body: sent.json === undefined ? (sent.body ?? null) : JSON.stringify(sent.json),
    });
    const text = await response.body.text();
    const headers = headersOf(response.headers);
    const took = `${Math.round(performance.now() - startedAt)} ms`;
    const query = new URLSearchParams(sent.query).toString();
    const shown = decodeURIComponent(`${path}${query === '' ? '' : `?${query.replaceAll('+', ' ')}`}`);
    this.#narrator.say(`${cyan(`${method} ${shown}`)} ${dim(`→ ${response.statusCode}, ${took}`)}`);
    const status = response.statusCode;
    await this.#compare(sent, { method, target: targetOf(url), status, headers, text });
    const isJson = /\bjson\b/.test(headers['content-type'] ?? '');
    return { status, headers, body: isJson ? JSON.parse(text) : text };
  }

  /** Tells whether all that was sent and answered so far was what /openapi.json says; what was not has been told already. */
  tellConformance(): void {
    const said = `${this.#exchanges - this.#deviations} of ${this.#exchanges} requests and answers were as /openapi.json has them`;
    this.#narrator.check(this.#deviations === 0, said);
  }

  /** Subscribes; returns once the feed has said from where it tells. */
  async feed(path: string, sent: Sent): Promise<OpenFeed> {
    const abort = new AbortController();
    const url = this.#address(path, sent.query);
    const response = await request(url, {
      dispatcher: this.#agent,
      signal: abort.signal,
      headers: { ...this.#headers(sent), accept: 'text/event-stream' },
    });
    this.#narrator.say(`${cyan(`GET ${path}`)} ${dim(`→ ${response.statusCode}`)}`);
    const status = response.statusCode;
    const text = status === 200 ? undefined : await response.body.text();
    await this.#compare(sent, {
      method: 'GET',
      target: targetOf(url),
      status,
      headers: headersOf(response.headers),
      text,
    });
    if (text !== undefined) throw new Error(`the feed is refused: ${text}`);
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

  /** What is not as the document says is told, and is no reason to end the tour. */
  async #compare(sent: Sent, answered: Omit<Exchange, 'requestType' | 'requestJson'>): Promise<void> {
    this.#document ??= this.#readDocument();
    const document = await this.#document;
    const requestType = this.#headers(sent)['content-type'];
    this.#exchanges += 1;
    try {
      checkExchange(document, { ...answered, requestType, requestJson: sent.json });
    } catch (error) {
      if (!(error instanceof AssertionError)) throw error;
      this.#deviations += 1;
      this.#narrator.check(false, error.message);
    }
  }

  async #readDocument(): Promise<ApiDocument> {
    const { statusCode, body } = await request(this.#address('/openapi.json'), { dispatcher: this.#agent });
    if (statusCode !== 200) throw new Error(`GET /openapi.json → ${statusCode}: ${await body.text()}`);
    return new ApiDocument((await body.json()) as OpenApiDocument);
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

const targetOf = (url: URL): string => url.pathname + url.search;
