import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Fault } from '@causeway/contracts';
import type { Upgrade } from '@causeway/service';
import type { Dispatcher } from 'undici';

import { joinSockets } from './join-sockets.ts';
import { responseHeaders } from './response-headers.ts';
import { isConnectionFailure, upstreamFault } from './upstream-fault.ts';

/** What one call is passed on with. */
export interface ForwardOptions {
  readonly dispatcher: Pick<Dispatcher, 'dispatch'>;
  readonly response: ServerResponse;
  /** What every answer has, and what this one has besides (by lower-case name). */
  readonly headers: Readonly<Record<string, string>>;
  readonly extra: Readonly<Record<string, string>>;
  /** Whether a second attempt does no harm: the call changes nothing and has no body. */
  readonly repeatable: boolean;
  /** The client's connection, where the request asks to go on as a WebSocket. */
  readonly upgrade?: Upgrade | undefined;
  /** How long nothing may move over that. */
  readonly silenceMs: number;
}

/** A client that takes nothing of its answer for so long is let go, and the service with it. */
const stalledAfterMs = 60_000;

/** Least and most pause before a second attempt: callers that failed together do not come back together. */
const leastPauseMs = 10;
const mostPauseMs = 60;

/** The client went, or has ended what it was waiting for: nobody is left to be answered. */
class Abandoned extends Error {
  override readonly name = 'Abandoned';
}

/** What a caller has sent has been passed on: thousands of feeds do not keep a token each. */
function forgetHeaders(request: IncomingMessage): void {
  request.headers = {};
  request.rawHeaders = [];
}

/**
 * One call on its way: what the service sends goes to the client as fast as it takes it. When the client goes, the service is
 * told; when the service goes in the middle, the client's connection is cut, so that nobody takes a part for the whole.
 */
export class Forward implements Dispatcher.DispatchHandler {
  readonly #options: ForwardOptions;
  /** As it was asked; of an answer that has begun, which may go on for long, nothing is kept that is not needed. */
  #request: Dispatcher.DispatchOptions | undefined;
  readonly #begun = Promise.withResolvers<undefined>();
  #onOver: (() => void) | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #retries: number;
  /** Bytes that are still to come, where the service has said how many. */
  #restBytes = Number.NaN;
  #pause: NodeJS.Timeout | undefined;
  #stalled: NodeJS.Timeout | undefined;
  #abandoned: Abandoned | undefined;

  /** @param request - as the service is to have it */
  constructor(options: ForwardOptions, request: Dispatcher.DispatchOptions) {
    this.#options = options;
    this.#request = request;
    this.#retries = options.repeatable ? 1 : 0;
  }

  /**
   * @param onOver - is called once, when the answer has been sent, or nobody is left to take it
   * @returns when the answer has begun, which may go on for long, or nobody is left to take it
   * @throws Fault where the service gave no answer and nothing has been sent
   */
  run(onOver: () => void): Promise<undefined> {
    const { response } = this.#options;
    this.#onOver = onOver;
    response.on('close', () => {
      if (!response.writableFinished) this.#abandon();
    });
    if (response.closed) this.#abandon();
    else this.#dispatch();
    return this.#begun.promise;
  }

  /** Ends an answer that would go on for ever, when the gateway stops. What was sent so far stands. */
  finish(): void {
    const { response } = this.#options;
    if (response.headersSent) response.end();
    else response.destroy();
    this.#abandon();
  }

  #dispatch(): void {
    if (this.#request !== undefined) this.#options.dispatcher.dispatch(this.#request, this);
  }

  #abandon(): void {
    this.#abandoned ??= new Abandoned('the client went');
    clearTimeout(this.#pause);
    clearTimeout(this.#stalled);
    this.#controller?.abort(this.#abandoned);
    this.#end();
  }

  #end(): void {
    this.#onOver?.();
    this.#onOver = undefined;
    this.#begun.resolve(undefined);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#abandoned !== undefined) controller.abort(this.#abandoned);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
    statusMessage?: string,
  ): void {
    const { response, headers: defaults, extra } = this.#options;
    // An interim answer (RFC 9110 §15.2): the answer is still to come.
    if (status < 200 || response.headersSent) return;
    this.#request = undefined;
    const head = responseHeaders(headers, defaults, extra);
    if (statusMessage === undefined || statusMessage === '') response.writeHead(status, head);
    else response.writeHead(status, statusMessage, head);
    // A feed says nothing for a while: its subscriber is to know that it is open.
    if (headers['content-length'] === undefined) {
      response.flushHeaders();
      forgetHeaders(response.req);
    } else this.#restBytes = Number(headers['content-length']);
    this.#begun.resolve(undefined);
  }

  /** Both have agreed to go on as a WebSocket: its end is that of the client's connection. */
  onRequestUpgrade(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
    upstream: Duplex,
  ): void {
    const { response, headers: defaults, extra, upgrade: client, silenceMs } = this.#options;
    if (client === undefined || this.#abandoned !== undefined || response.headersSent) {
      upstream.on('error', () => undefined).destroy();
      return;
    }
    const head = { ...responseHeaders(headers, defaults, extra), connection: 'Upgrade', upgrade: 'websocket' };
    response.writeHead(status, head);
    response.flushHeaders();
    joinSockets({ client, upstream, silenceMs });
    this.#begun.resolve(undefined);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { response } = this.#options;
    this.#restBytes -= chunk.length;
    if (this.#restBytes === 0) {
      // Head and last piece in one go to the socket.
      response.end(chunk);
      return;
    }
    if (response.write(chunk)) return;
    controller.pause();
    this.#stalled = setTimeout(() => response.destroy(), stalledAfterMs);
    response.once('drain', () => {
      clearTimeout(this.#stalled);
      controller.resume();
    });
  }

  onResponseEnd(): void {
    if (!this.#options.response.writableEnded) this.#options.response.end();
    this.#end();
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    const { response } = this.#options;
    if (this.#abandoned !== undefined) return;
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (this.#retries > 0 && isConnectionFailure(error)) {
      this.#retries -= 1;
      this.#pause = setTimeout(() => this.#dispatch(), leastPauseMs + Math.random() * (mostPauseMs - leastPauseMs));
      return;
    }
    this.#begun.reject(error instanceof Fault ? error : upstreamFault(error));
    this.#end();
  }
}
