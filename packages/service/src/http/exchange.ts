import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

import { internalKeyHeader } from './internal-key.ts';

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
}

const requestIdForm = /^[\w-]{8,64}$/;

/** Made once a request; the signal only for those who ask. */
class HttpExchange implements Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly internal: boolean;
  #signal: AbortSignal | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, internal: boolean) {
    this.request = request;
    this.response = response;
    this.internal = internal;
    const given = request.headers['x-request-id'];
    this.requestId = internal && typeof given === 'string' && requestIdForm.test(given) ? given : randomUUID();
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
 * @param isInternal - compares the internal key
 */
export const beginExchange = (
  request: IncomingMessage,
  response: ServerResponse,
  isInternal: (header: string | string[] | undefined) => boolean,
): Exchange => new HttpExchange(request, response, isInternal(request.headers[internalKeyHeader]));
