import type { Logger } from '@causeway/telemetry';
import type { WebSocket } from 'ws';

import type { Upgrade } from '../http/upgrade.ts';
import { ServiceTunnel, type Channel } from './channel.ts';
import type { Frame } from './frames.ts';
import { createFrameSender, takeFrames, type FrameSender } from './link.ts';

/** What a link tells of itself. */
export type LinkLogger = Pick<Logger, 'debug' | 'error'>;

/** What the channels of a link need of it. */
interface Ground {
  readonly sender: FrameSender;
  readonly forget: (id: number) => void;
  readonly logger: LinkLogger;
}

class LinkChannel implements Channel {
  readonly id: number;
  readonly #ground: Ground;
  #ended: boolean;
  #taken: ((count: number) => void) | undefined;
  #listeners: (() => void)[] = [];

  /** @param ended - whether it has before it has begun */
  constructor(id: number, ground: Ground, ended: boolean) {
    this.id = id;
    this.#ground = ground;
    this.#ended = ended;
  }

  get ended(): boolean {
    return this.#ended;
  }

  tell(shared: string, own: string): void {
    if (this.#ended) return;
    const { sender } = this.#ground;
    sender.frames.tell(this.id, shared, own);
    sender.due();
  }

  onTaken(listener: (count: number) => void): void {
    this.#taken = listener;
  }

  taken(count: number): void {
    try {
      this.#taken?.(count);
    } catch (error) {
      this.#fail(error);
    }
  }

  end(): void {
    this.#finish('end');
  }

  /** The other side has, or the link has ended. */
  close(): void {
    this.#finish();
  }

  onEnd(listener: () => void): void {
    if (this.ended) listener();
    else this.#listeners.push(listener);
  }

  carry(work: Promise<void>): void {
    work.then(
      () => this.#finish('end'),
      (error: unknown) => this.#fail(error),
    );
  }

  #fail(error: unknown): void {
    this.#ground.logger.error({ error }, 'what is told over a channel failed');
    this.#finish('cut');
  }

  #finish(say?: 'end' | 'cut'): void {
    if (this.#ended) return;
    this.#ended = true;
    const { sender, forget } = this.#ground;
    if (say !== undefined) {
      sender.frames[say](this.id);
      sender.due();
    }
    const listeners = this.#listeners;
    this.#listeners = [];
    // Whoever ends it is in the middle of something.
    for (const listener of listeners) queueMicrotask(listener);
    forget(this.id);
  }
}

/** How a link is served. */
export interface ServiceLinkOptions {
  /** What serves the connections of HTTP within it. */
  readonly server: Pick<Upgrade, 'inject' | 'isAnswering'>;
  readonly logger: LinkLogger;
}

/** The service's end of a link. */
export class ServiceLink {
  readonly #sender: FrameSender;
  readonly #server: ServiceLinkOptions['server'];
  readonly #tunnels = new Map<number, ServiceTunnel>();
  readonly #channels = new Map<number, LinkChannel>();
  readonly #ground: Ground;

  constructor(socket: WebSocket, { server, logger }: ServiceLinkOptions) {
    this.#sender = createFrameSender(socket);
    this.#server = server;
    const forget = (id: number): void => void this.#channels.delete(id);
    this.#ground = { sender: this.#sender, forget, logger };
    takeFrames(socket, (frame) => this.#take(frame));
  }

  /** Whether nothing is told, and nobody waits for an answer. */
  get isIdle(): boolean {
    if (this.#channels.size > 0) return false;
    for (const tunnel of this.#tunnels.values()) if (this.#server.isAnswering(tunnel)) return false;
    return true;
  }

  cut(): void {
    for (const channel of this.#channels.values()) channel.close();
    for (const tunnel of this.#tunnels.values()) tunnel.destroy();
  }

  #take(frame: Frame): void {
    if (frame.kind === 'taken') this.#channels.get(frame.channel)?.taken(frame.count);
    else if (frame.kind === 'close') this.#channels.get(frame.channel)?.close();
    else if (frame.kind === 'tunnel') (this.#tunnels.get(frame.tunnel) ?? this.#openTunnel(frame)).arrive(frame.bytes);
  }

  #openTunnel({ tunnel: id, bytes }: Extract<Frame, { kind: 'tunnel' }>): ServiceTunnel {
    const send = (sent: Uint8Array): void => {
      this.#sender.frames.tunnel(id, sent);
      this.#sender.due();
    };
    const onClose = (): void => {
      if (this.#tunnels.delete(id)) send(Buffer.alloc(0));
    };
    const tunnel: ServiceTunnel = new ServiceTunnel({ send, onClose }, (channel) => this.#openChannel(channel, tunnel));
    // The end of one that has ended here already.
    if (bytes.length === 0) return tunnel;
    this.#tunnels.set(id, tunnel);
    this.#server.inject(tunnel);
    return tunnel;
  }

  /** Who has gone meanwhile has said so over the tunnel. */
  #openChannel(id: number, tunnel: ServiceTunnel): Channel {
    if (this.#channels.has(id)) throw new Error('a channel is opened once');
    const channel = new LinkChannel(id, this.#ground, tunnel.destroyed);
    if (!channel.ended) this.#channels.set(id, channel);
    return channel;
  }
}
