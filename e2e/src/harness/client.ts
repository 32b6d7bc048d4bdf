import assert from 'node:assert/strict';
import type { Readable } from 'node:stream';
import { Agent, type Dispatcher, request } from 'undici';
import { ApiDocument, type Exchange, type OpenApiDocument } from './api-document.ts';
import { checkExchange, headersOf } from './check-exchange.ts';
import { addressOf } from './platform.ts';
import { noteSecrets, noteToken } from './secrets-used.ts';

/** What a call sends besides method and path. */
export interface CallOptions {
  /** An access token. */
  readonly token?: string | undefined;
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is; `type` says what it is. */
  readonly body?: string | Uint8Array | Readable;
  /** The media type of the body; `application/json` by default. */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The route is one that does not exist, or exists for other methods: the answer has to say so. */
  readonly isUnknown?: boolean;
  /** The head of the request is larger than any server reads: it may be refused before its route is known. */
  readonly isRefusedEarly?: boolean;
  readonly signal?: AbortSignal;
  /** A gateway; the platform's own by default. */
  readonly at?: string | undefined;
}

/** An answer as tests look at it. */
export class Answer {
  readonly method: string;
  readonly target: string;
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;

  constructor(method: string, target: string, response: Dispatcher.ResponseData, text: string) {
    this.method = method;
    this.target = target;
    this.status = response.statusCode;
    this.headers = headersOf(response.headers);
    this.text = text;
  }

  /** The ids of the events that the call recorded, as `Causeway-Event` names them. */
  get events(): readonly string[] {
    const header = this.headers['causeway-event'] ?? '';
    return header.split(',').flatMap((each) => (each.trim() === '' ? [] : [each.trim()]));
  }

  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- /openapi.json has vouched for the shape
  json<T = Record<string, unknown>>(): T {
    return JSON.parse(this.text) as T;
  }
}

// Generous where a platform recovers from a kill, bounded all the same.
const agent = new Agent({ connections: 64, connect: { timeout: 5000 }, headersTimeout: 40_000, bodyTimeout: 40_000 });

let loading: Promise<ApiDocument> | undefined;

/** @returns the gateway's document, read once a process */
export function apiDocument(): Promise<ApiDocument> {
  loading ??= request(new URL('/openapi.json', addressOf('gateway')), { dispatcher: agent }).then(async (response) => {
    assert.equal(response.statusCode, 200, 'GET /openapi.json');
    return new ApiDocument((await response.body.json()) as OpenApiDocument);
  });
  return loading;
}

/** Reads /openapi.json again: what is newly started may have been missing from it. */
export function forgetApiDocument(): void {
  loading = undefined;
}

/**
 * Makes a call through the gateway. Request and answer are held against /openapi.json.
 *
 * @throws AssertionError when they do not agree; the transport's error when there is no answer
 */
export async function call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
  const document = await apiDocument();
  const { target, response } = await send(method, path, options);
  const text = await response.body.text();
  const answer = new Answer(method, target, response, text);
  noteExchange(answer, options);
  check(document, exchangeOf(answer, options, text), options);
  return answer;
}

/** What it has sent or was answered must be found nowhere, in the end. */
function noteExchange({ method, target, headers, text }: Answer, { token, json }: CallOptions): void {
  const what = `${method} ${target.split('?')[0] ?? ''}`;
  noteToken(what, token);
  noteSecrets(what, json);
  // Lines of JSON are none.
  const isJson = /^application\/(?:[\w.-]+\+)?json\b/.test(headers['content-type'] ?? '');
  if (isJson && text !== '') noteSecrets(what, JSON.parse(text));
}

/** A call whose answer is read as it comes. */
export interface OpenStream {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Dispatcher.ResponseData['body'];
}

/** Makes a call whose answer is a stream; its head is held against /openapi.json. */
export async function open(path: string, options: CallOptions = {}): Promise<OpenStream> {
  const document = await apiDocument();
  const { target, response } = await send('GET', path, options);
  const isProblem = response.statusCode >= 400;
  const answer = new Answer('GET', target, response, isProblem ? await response.body.text() : '');
  check(document, exchangeOf(answer, options, isProblem ? answer.text : undefined), options);
  return { status: answer.status, headers: answer.headers, body: response.body };
}

async function send(method: string, path: string, options: CallOptions) {
  const url = new URL(path, options.at ?? addressOf('gateway'));
  for (const [name, value] of Object.entries(options.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  const body = options.json === undefined ? options.body : JSON.stringify(options.json);
  const response = await request(url, {
    method: method,
    dispatcher: agent,
    headers: {
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...(body === undefined ? {} : { 'content-type': options.type ?? 'application/json' }),
      ...options.headers,
    },
    body: body ?? null,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  return { target: url.pathname + url.search, response };
}

const exchangeOf = (answer: Answer, options: CallOptions, text: string | undefined): Exchange => ({
  method: answer.method,
  target: answer.target,
  requestType:
    options.json === undefined && options.body === undefined ? undefined : (options.type ?? 'application/json'),
  requestJson: options.json,
  status: answer.status,
  headers: answer.headers,
  text,
});

const check = (document: ApiDocument, exchange: Exchange, { isUnknown, isRefusedEarly }: CallOptions): void =>
  checkExchange(document, exchange, { publicUrl: addressOf('gateway'), isUnknown, isRefusedEarly });
