import { Pool, type Dispatcher } from 'undici';
import { WebSocket } from 'ws';

import { internalKeyHeader } from '../http/internal-key.ts';
import { ChannelCaller, LinkLost, LinkRefused, NoLinks, type CallerLink, type CallPlainly } from './channel-caller.ts';
import { channelHeader } from './channel.ts';
import type { Frame } from './frames.ts';
import { createFrameSender, endWhenSilent, largestMessageBytes, takeFrames, type FrameSender } from './link.ts';
import { linkPath, linkProtocol, linkSilenceMs } from './link-route.ts';
import { Tunnel } from './tunnel.ts';

/** How links are opened. */
export interface LinkOptions {
  /** Of the service. */
  readonly origin: string;
  readonly internalKey: string;
  readonly connectTimeoutMs: number;
  /** Of a call: how long until its answer begins. */
  readonly headersTimeoutMs: number;
  /** What each call goes through besides. */
  readonly interceptors: readonly Dispatcher.DispatcherComposeInterceptor[];
  /** After five of these a channel that is told nothing is given up. */
  readonly tickMs?: number;
  /** Once it has ended. */
  readonly onClose: () => void;
}

/** So long a connection of HTTP within a link is kept for the next request. */
const idleTunnelMs = 10_000;
const normalClosure = 1_000;
/** A replica that takes longer to answer a ping is asked nothing new. */
const promptPongMs = 3_000;
/** What is told over a channel says something each 15 s; after four silent ones it is lost at one of the ends. */
const defaultTickMs = 15_000;
const mostSilentTicks = 4;
/** Statuses of a service of a version that knows of no links, or of none like these. */
const withoutLinks = new Set([400, 404, 426]);

/** undici and ws name a failure that has no code of its own otherwise. */
const connectFailure = (error: Error): Error =>
  'code' in error ? error : Object.assign(error, { code: 'UND_ERR_CONNECT_TIMEOUT' });

/** The caller's end of a link. */
export class Link implements CallerLink {
  readonly #socket: WebSocket;
  readonly #sender: FrameSender;
  readonly #opened: Promise<void>;
  readonly #dispatcher: Dispatcher;
  readonly #tunnels = new Map<number, Tunnel>();
  readonly #callers = new Map<number, ChannelCaller>();
  /** By the message that is being read. */
  readonly #told = new Set<ChannelCaller>();
  readonly #onClose: () => void;
  readonly #tickMs: number;
  readonly #openedAt = performance.now();
  #lastTunnel = 0;
  #lastChannel = 0;
  #isRetired = false;
  #tick = 0;

  constructor(options: LinkOptions) {
    const { origin, internalKey, connectTimeoutMs, headersTimeoutMs, interceptors } = options;
    this.#socket = new WebSocket(new URL(linkPath, origin.replace(/^http/, 'ws')), linkProtocol, {
      headers: { [internalKeyHeader]: internalKey },
      perMessageDeflate: false,
      handshakeTimeout: connectTimeoutMs,
      maxPayload: largestMessageBytes,
    });
    this.#sender = createFrameSender(this.#socket);
    this.#onClose = options.onClose;
    this.#tickMs = options.tickMs ?? defaultTickMs;
    this.#opened = this.#open();
    this.#opened.catch(() => undefined);
    const pool = new Pool(origin, {
      pipelining: 1,
      keepAliveTimeout: idleTunnelMs,
      keepAliveMaxTimeout: idleTunnelMs,
      headersTimeout: headersTimeoutMs,
      connect: (_options, callback) => {
        this.#opened.then(
          () => {
            // It reads, writes, and ends: undici asks nothing more of a connection.
            if (this.#socket.readyState === WebSocket.OPEN) callback(null, this.#openTunnel() as never);
            else callback(new LinkLost('the link has ended'), null);
          },
          (error: unknown) => callback(error as Error, null),
        );
      },
    });
    this.#dispatcher = pool.compose(...interceptors);
  }

  /** Whether another call may go over it. */
  get isOpen(): boolean {
    return !this.#isRetired && this.#socket.readyState <= WebSocket.OPEN;
  }

  get ageMs(): number {
    return performance.now() - this.#openedAt;
  }

  /** Calls that it has taken. */
  get taken(): number {
    return this.#lastChannel;
  }

  get tick(): number {
    return this.#tick;
  }

  /** @param plainly - where the service offers no links */
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler, plainly: CallPlainly): boolean {
    this.#lastChannel += 1;
    const channel = this.#lastChannel;
    const caller = new ChannelCaller(channel, this, handler, plainly);
    this.#callers.set(channel, caller);
    const headers = { ...(options.headers as Record<string, string>), [channelHeader]: String(channel) };
    return this.#dispatcher.dispatch({ ...options, headers }, caller);
  }

  takenBy(channel: number, count: number): void {
    this.#send((frames) => frames.taken(channel, count));
  }

  leave(channel: number): void {
    if (!this.#callers.delete(channel)) return;
    this.#send((frames) => frames.close(channel));
    this.#endIfIdle();
  }

  /** Takes no more calls, and ends with the last of them. */
  retire(): void {
    this.#isRetired = true;
    this.#endIfIdle();
  }

  async close(): Promise<void> {
    this.#isRetired = true;
    await this.#dispatcher.destroy();
    this.#socket.terminate();
  }

  #open(): Promise<void> {
    const socket = this.#socket;
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const taken = (): void => {
      for (const caller of this.#told) caller.deliver();
      this.#told.clear();
    };
    takeFrames(socket, (frame) => this.#take(frame), taken);
    socket.once('open', () => {
      resolve(undefined);
      this.#watch();
      // Whoever asked may have gone meanwhile.
      this.#endIfIdle();
    });
    socket.once('unexpected-response', (request, { statusCode }) => {
      request.destroy();
      const why = `a link is answered with ${statusCode}`;
      reject(withoutLinks.has(statusCode ?? 0) ? new NoLinks(why) : new LinkRefused(why));
      socket.terminate();
    });
    socket.on('error', (error) => reject(connectFailure(error)));
    socket.once('close', () => {
      reject(new LinkLost('the link has ended'));
      this.#lose();
      this.#onClose();
    });
    return promise;
  }

  /** Pings, and looks who is still told something. */
  #watch(): void {
    const silentForMs = endWhenSilent(this.#socket, linkSilenceMs);
    const pings = setInterval(() => {
      const pingedAt = performance.now();
      this.#socket.ping();
      setTimeout(() => {
        if (silentForMs() > performance.now() - pingedAt) this.retire();
      }, promptPongMs).unref();
    }, linkSilenceMs / 3);
    const ticks = setInterval(() => {
      this.#tick += 1;
      for (const [channel, caller] of this.#callers) {
        if (caller.silentTicks <= mostSilentTicks) continue;
        this.leave(channel);
        caller.cut(new LinkLost('a channel has been silent for too long'));
      }
    }, this.#tickMs);
    this.#socket.once('close', () => {
      clearInterval(pings);
      clearInterval(ticks);
    });
  }

  #lose(): void {
    const error = new LinkLost('the link has ended');
    for (const tunnel of this.#tunnels.values()) tunnel.destroy(error);
    for (const caller of this.#callers.values()) caller.cut(error);
    this.#callers.clear();
  }

  #openTunnel(): Tunnel {
    this.#lastTunnel += 1;
    const id = this.#lastTunnel;
    const send = (bytes: Uint8Array): void => this.#send((frames) => frames.tunnel(id, bytes));
    const onClose = (): void => {
      if (this.#tunnels.delete(id)) send(Buffer.alloc(0));
    };
    const tunnel = new Tunnel({ send, onClose });
    this.#tunnels.set(id, tunnel);
    return tunnel;
  }

  #take(frame: Frame): void {
    switch (frame.kind) {
      case 'tell':
        this.#tell(frame);
        break;
      case 'end':
      case 'cut':
        this.#end(frame.channel, frame.kind);
        break;
      case 'tunnel':
        this.#tunnels.get(frame.tunnel)?.arrive(frame.bytes);
        break;
      case 'taken':
      case 'close':
        // Said by callers alone.
        break;
    }
  }

  #tell({ channels, shared, own }: Extract<Frame, { kind: 'tell' }>): void {
    for (const [index, channel] of channels.entries()) {
      const caller = this.#callers.get(channel);
      if (caller === undefined) continue;
      caller.tell(shared, own[index] ?? Buffer.alloc(0));
      this.#told.add(caller);
    }
  }

  #end(channel: number, how: 'end' | 'cut'): void {
    const caller = this.#callers.get(channel);
    if (how === 'end') caller?.end();
    else caller?.cut(new LinkLost('the service could not go on'));
    this.#callers.delete(channel);
    this.#endIfIdle();
  }

  #send(put: (frames: FrameSender['frames']) => void): void {
    put(this.#sender.frames);
    this.#sender.due();
  }

  #endIfIdle(): void {
    if (this.#isRetired && this.#callers.size === 0 && this.#socket.readyState === WebSocket.OPEN)
      this.#socket.close(normalClosure);
  }
}
