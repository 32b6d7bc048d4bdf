import { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';

/** What goes wrong between the processes of a test; each from 0 to 1, for each message. */
export interface Losses {
  /** A message is lost, and nobody is told. */
  readonly lost: number;
  /** The connection breaks before it; what was on the way is lost. */
  readonly broken: number;
  /** Most milliseconds that a message is on its way. */
  readonly delayMs: number;
}

/** Publish and subscribe as of Redis, between connections in memory, that loses what it is told to lose. */
export interface LossyRedis {
  /** A connection of a process. */
  connect(): Redis;
  /** Changes what goes wrong from now on. */
  losses: Losses;
}

class Connection extends EventEmitter {
  status = 'wait';
  readonly #bus: Bus;
  #channels = new Set<string>();
  /** When the last message that is on its way arrives: none overtakes another. */
  #arrivesAt = 0;
  #generation = 0;

  constructor(bus: Bus) {
    super();
    this.#bus = bus;
    bus.connections.add(this);
  }

  duplicate(): Connection {
    return new Connection(this.#bus);
  }

  connect(): Promise<void> {
    this.status = 'connecting';
    setTimeout(() => {
      if (this.status !== 'connecting') return;
      this.status = 'ready';
      this.emit('ready');
    }, 20);
    return Promise.resolve();
  }

  subscribe(...channels: string[]): Promise<void> {
    if (this.status !== 'ready') return Promise.reject(new Error('no connection'));
    for (const each of channels) this.#channels.add(each);
    return Promise.resolve();
  }

  publish(channel: string, message: string): Promise<number> {
    return this.#bus.publish(channel, message);
  }

  hears(channel: string): boolean {
    return this.status === 'ready' && this.#channels.has(channel);
  }

  deliver(channel: string, message: string): void {
    const { lost, broken, delayMs } = this.#bus.losses;
    if (this.#bus.random() < broken) {
      this.#break();
      return;
    }
    if (this.#bus.random() < lost) return;
    const generation = this.#generation;
    const now = this.#bus.now();
    this.#arrivesAt = Math.max(this.#arrivesAt, now + this.#bus.random() * delayMs);
    setTimeout(() => {
      if (generation === this.#generation && this.status === 'ready') this.emit('message', channel, message);
    }, this.#arrivesAt - now);
  }

  #break(): void {
    this.#generation += 1;
    this.#channels = new Set();
    this.status = 'close';
    this.emit('close');
    void this.connect();
  }

  disconnect(reconnect = false): void {
    if (reconnect) {
      this.#break();
      return;
    }
    this.status = 'end';
    this.#bus.connections.delete(this);
  }
}

class Bus {
  readonly connections = new Set<Connection>();
  readonly random: () => number;
  readonly now: () => number;
  losses: Losses;

  constructor(random: () => number, now: () => number, losses: Losses) {
    this.random = random;
    this.now = now;
    this.losses = losses;
  }

  publish(channel: string, message: string): Promise<number> {
    const hearing = [...this.connections].filter((each) => each.hears(channel));
    for (const each of hearing) each.deliver(channel, message);
    return Promise.resolve(hearing.length);
  }
}

/**
 * @param random - from 0 to 1
 * @param now - milliseconds
 */
export const lossyRedis = (random: () => number, now: () => number, losses: Losses): LossyRedis => {
  const bus = new Bus(random, now, losses);
  return {
    connect: () => new Connection(bus) as unknown as Redis,
    get losses() {
      return bus.losses;
    },
    set losses(value) {
      bus.losses = value;
    },
  };
};
