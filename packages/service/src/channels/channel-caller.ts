import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';

import { channelHeader } from './channel.ts';

/** What a call needs of the link that it goes over. */
export interface CallerLink {
  /** Says how many tellings have been taken. */
  takenBy(channel: number, count: number): void;
  /** Nothing more is to be told, and what is on its way is thrown away. */
  leave(channel: number): void;
  /** The service has no room, or does not answer: another replica may. */
  retire(): void;
  /** Counts on while the link is open: what was told lately is told by it. */
  readonly tick: number;
}

/** What is to be done where the service offers no links: the call goes over a connection of its own. */
export type CallPlainly = () => void;

/** The service offers no links: it is of an older version. */
export class NoLinks extends Error {
  override readonly name = 'NoLinks';
}

/** The service has refused the link, or is not there for it. */
export class LinkRefused extends Error {
  override readonly name = 'LinkRefused';
  readonly code = 'ECONNREFUSED';
}

/** The link ended in the middle of what was told over it. */
export class LinkLost extends Error {
  override readonly name = 'LinkLost';
  readonly code = 'ECONNRESET';
}

const isSilence = (error: Error): boolean => 'code' in error && error.code === 'UND_ERR_HEADERS_TIMEOUT';

/**
 * One call over a link, as whoever made it sees it: an answer that streams. Where its answer goes on over the channel, what is told there is its
 * data; whoever is paused takes nothing, and the service hears of what was taken.
 */
export class ChannelCaller implements Dispatcher.DispatchHandler, Dispatcher.DispatchController {
  readonly #channel: number;
  readonly #link: CallerLink;
  readonly #handler: Dispatcher.DispatchHandler;
  #plainly: CallPlainly | undefined;
  /** Of the request; undefined once the answer goes on over the channel. */
  #request: Dispatcher.DispatchController | undefined;
  #state: 'asking' | 'telling' | 'over' = 'asking';
  #paused = false;
  #reason: Error | null = null;
  /** Told in the message that is being read. */
  #told: Buffer[] = [];
  /** Not taken yet: told before the answer had begun, or while it was paused; each all of one message. */
  #waiting: { readonly bytes: Buffer; readonly count: number }[] = [];
  #hasEnded = false;
  /** Why it has ended before the answer had begun. */
  #cutBy: Error | undefined;
  /** When it was told something; see {@link CallerLink.tick}. */
  #toldAt = 0;
  /** Given to the handler, and the service does not know. */
  #untold = 0;

  constructor(channel: number, link: CallerLink, handler: Dispatcher.DispatchHandler, plainly: CallPlainly) {
    this.#channel = channel;
    this.#link = link;
    this.#handler = handler;
    this.#plainly = plainly;
  }

  // What the caller has of it.

  get aborted(): boolean {
    return this.#reason !== null;
  }

  get paused(): boolean {
    return this.#state === 'asking' ? (this.#request?.paused ?? false) : this.#paused;
  }

  get reason(): Error | null {
    return this.#reason;
  }

  abort(reason: Error): void {
    if (this.#state === 'over' || this.#reason !== null) return;
    this.#reason = reason;
    this.#link.leave(this.#channel);
    if (this.#state === 'asking') {
      this.#request?.abort(reason);
      return;
    }
    this.#finish();
    this.#handler.onResponseError?.(this, reason);
  }

  pause(): void {
    if (this.#state === 'asking') this.#request?.pause();
    else this.#paused = true;
  }

  resume(): void {
    if (this.#state === 'asking') {
      this.#request?.resume();
      return;
    }
    this.#paused = false;
    this.#say();
    this.#deliver();
  }

  // What comes over the link.

  /** Since when it has been told nothing that it could have taken, in ticks. */
  get silentTicks(): number {
    return this.#state === 'telling' && !this.#paused ? this.#link.tick - this.#toldAt : 0;
  }

  /** What it is told in one message it is given as one piece, by {@link ChannelCaller.deliver}. */
  tell(shared: Buffer, own: Buffer): void {
    if (this.#state === 'over') return;
    this.#told.push(shared, own);
  }

  /** The message has been read, or the telling ends in it. */
  deliver(): void {
    const told = this.#told;
    if (told.length > 0) {
      this.#told = [];
      this.#toldAt = this.#link.tick;
      this.#waiting.push({ bytes: Buffer.concat(told), count: told.length / 2 });
    }
    this.#deliver();
  }

  end(): void {
    this.#hasEnded = true;
    this.deliver();
  }

  /** The link has ended, or the service could not go on. */
  cut(error: Error): void {
    this.deliver();
    // What was asked fails by itself, unless the answer is on its way.
    if (this.#state === 'asking') this.#cutBy = error;
    else if (this.#state === 'telling') this.#fail(error);
  }

  // What comes of the request.

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.#request = controller;
    if (this.#reason === null) this.#handler.onRequestStart?.(this, context);
    else controller.abort(this.#reason);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
    message?: string,
  ): void {
    if (headers[channelHeader] !== String(this.#channel)) {
      // RFC 9110 §15.6.4.
      if (status === 503) this.#link.retire();
      this.#handler.onResponseStart?.(this, status, headers, message);
      return;
    }
    const { [channelHeader]: _channel, 'content-length': _length, ...rest } = headers;
    this.#state = 'telling';
    this.#request = undefined;
    this.#plainly = undefined;
    this.#toldAt = this.#link.tick;
    this.#guarded(() => this.#handler.onResponseStart?.(this, status, rest, message));
    this.#deliver();
    if (this.#cutBy !== undefined) this.cut(this.#cutBy);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#state === 'asking') this.#handler.onResponseData?.(this, chunk);
  }

  onResponseEnd(_controller: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    if (this.#state !== 'asking') return;
    this.#finish();
    this.#link.leave(this.#channel);
    this.#handler.onResponseEnd?.(this, trailers);
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    // Of what goes on over the channel the request is over, whatever becomes of its connection.
    if (this.#state !== 'asking') return;
    this.#finish();
    this.#link.leave(this.#channel);
    if (isSilence(error)) this.#link.retire();
    if (error instanceof NoLinks && this.#reason === null) this.#plainly?.();
    else this.#handler.onResponseError?.(this, error);
  }

  #deliver(): void {
    while (this.#state === 'telling' && !this.#paused) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#untold += next.count;
      this.#guarded(() => this.#handler.onResponseData?.(this, next.bytes));
    }
    if (!this.#paused) this.#say();
    if (this.#state !== 'telling' || this.#paused || !this.#hasEnded) return;
    this.#finish();
    this.#handler.onResponseEnd?.(this, {});
  }

  #say(): void {
    if (this.#untold === 0) return;
    if (this.#state === 'telling') this.#link.takenBy(this.#channel, this.#untold);
    this.#untold = 0;
  }

  /** What goes wrong with one of them ends that alone. */
  #guarded(give: () => void): void {
    try {
      give();
    } catch (error) {
      this.#link.leave(this.#channel);
      this.#fail(error instanceof Error ? error : new Error('what takes an answer failed', { cause: error }));
    }
  }

  #fail(error: Error): void {
    if (this.#state === 'over') return;
    this.#finish();
    this.#handler.onResponseError?.(this, error);
  }

  #finish(): void {
    this.#state = 'over';
    this.#told = [];
    this.#waiting = [];
  }
}
