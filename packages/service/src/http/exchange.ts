import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** A request and its answer, before anything is known about the route. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** What every event of this request has as its correlation id. */
  readonly requestId: string;
  /** Whether the call came from another service of this installation, which its key proves. */
  readonly internal: boolean;
  readonly clientIp: string;
  /** Aborted when the client goes before the answer is complete. */
  readonly signal: AbortSignal;
  /** What every answer has, whoever writes it; an answer may say otherwise. */
  readonly headers: Readonly<Record<string, string>>;
}

/** How an exchange begins. */
export interface ExchangeOptions {
  readonly internal: boolean;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Where nothing is a page: no script, no frame, no sniffing; answers are not kept unless they say so. */
const securityHeaders = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
} as const;

const requestIdForm = /^[\w-]{8,64}$/;

/** Made once a request; the signal only for those who ask. */
class HttpExchange implements Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly internal: boolean;
  readonly headers: Readonly<Record<string, string>>;
  #signal: AbortSignal | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, { internal, headers }: ExchangeOptions) {
    this.request = request;
    this.response = response;
    this.internal = internal;
    const given = request.headers['x-request-id'];
    this.requestId = internal && typeof given === 'string' && requestIdForm.test(given) ? given : randomUUID();
    this.headers = { ...securityHeaders, 'X-Request-Id': this.requestId, ...headers };
  }

  get clientIp(): string {
    const forwarded = this.internal ? this.request.headers['x-forwarded-for'] : undefined;
    const [first = ''] = typeof forwarded === 'string' ? forwarded.split(',', 1) : [];
    return first.trim() === '' ? (this.request.socket.remoteAddress ?? '') : first.trim();
  }

  get signal(): AbortSignal {
    this.#signal ??= abortedOnClose(this.response);
    return this.#signal;
  }
}

const abortedOnClose = (response: ServerResponse): AbortSignal => {
  const controller = new AbortController();
  const gone = (): void => {
    if (!response.writableFinished) controller.abort();
  };
  if (response.closed) gone();
  else response.once('close', gone);
  return controller.signal;
};

/**
 * Begins an exchange. A request id, and the client's address, are taken from the headers only where the caller proves to
 * be one of ours.
 *
 * @param options - whether it does; further headers of the answer
 */
export const beginExchange = (request: IncomingMessage, response: ServerResponse, options: ExchangeOptions): Exchange =>
  new HttpExchange(request, response, options);

/**
 * Sets the headers that every answer has, for those who write an answer themselves.
 *
 * @param exchange - whose answer has not begun
 */
export const applyHeaders = ({ response, headers }: Exchange): void => {
  for (const name in headers) if (!response.hasHeader(name)) response.setHeader(name, headers[name] ?? '');
};
