import { fork, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import type { LinkProxy } from './link-proxy.ts';
import type { FromReplica, HandlerFacts, Order, Question } from './replica/protocol.ts';

/** The ways from a replica to the servers. */
export interface ReplicaLinks {
  readonly mongodb: LinkProxy;
  readonly kafka: LinkProxy;
}

/** How a {@link ReplicaProcess} is made. */
export interface ReplicaProcessOptions {
  readonly service: string;
  readonly name: string;
  readonly module: URL;
  readonly links: ReplicaLinks;
  /** Its environment, as of now. */
  readonly env: (skewMs: number) => NodeJS.ProcessEnv;
  readonly nodeArgs: readonly string[];
  readonly logFile: string;
  /** Before it is started again after it has ended. */
  readonly pauseMs: () => number;
  readonly onHandlers: (handlers: readonly HandlerFacts[]) => void;
  /** It ended although nobody had ended it, in words. */
  readonly onCrash: (what: string) => void;
}

interface Asker {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** A process that was told to leave and has not is ended. */
const leaveMs = 20_000;

const until = async (isThere: () => boolean, withinMs: number): Promise<boolean> => {
  const deadline = performance.now() + withinMs;
  while (!isThere()) {
    if (performance.now() > deadline) return false;
    await delay(20);
  }
  return true;
};

/** One of a service's replicas: a place that is filled again when its process ends. */
export class ReplicaProcess {
  readonly service: string;
  readonly name: string;
  readonly links: ReplicaLinks;
  readonly #options: ReplicaProcessOptions;
  readonly #log: number;
  #askers = new Map<number, Asker>();
  #child: ChildProcess | undefined;
  #ready = false;
  #held = false;
  #wanted = false;
  /** It was told to end. */
  #expected = false;
  #skewMs = 0;
  #asked = 0;
  #starts = 0;
  #ends = 0;

  constructor(options: ReplicaProcessOptions) {
    this.#options = options;
    this.service = options.service;
    this.name = options.name;
    this.links = options.links;
    this.#log = openSync(options.logFile, 'a');
  }

  /** It has started, and takes commands. */
  get ready(): boolean {
    return this.#ready;
  }

  /** How often its process has been started. */
  get starts(): number {
    return this.#starts;
  }

  /** Whether somebody has come to a failpoint and is held there. */
  get held(): boolean {
    return this.#held;
  }

  /** Starts it, and again whenever it ends, until it is stopped. */
  start(): void {
    this.#wanted = true;
    this.#launch();
  }

  /** Ends it, in order or as a power cut would; it stays away until `start`. */
  async stop(how: 'leave' | 'kill'): Promise<void> {
    this.#wanted = false;
    this.#expected = true;
    if (how === 'leave') {
      this.#send({ do: 'stop' } satisfies Order);
      if (await until(() => this.#child === undefined, leaveMs)) return;
      this.#options.onCrash(`${this.name} was told to leave, and has not in ${leaveMs} ms`);
    }
    this.#child?.kill('SIGKILL');
    await until(() => this.#child === undefined, leaveMs);
  }

  /** SIGKILL, of which it learns nothing, or SIGSTOP and SIGCONT. */
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal);
  }

  /** Sets its clock wrong, and that of the processes that follow. */
  setClock(skewMs: number): void {
    this.#skewMs = skewMs;
    this.#send({ do: 'clock', skewMs } satisfies Order);
  }

  tell(order: Order): void {
    if (order.do === 'disarm') this.#held = false;
    this.#send(order);
  }

  /** @throws Error - it said why it could not; it has ended; no answer in time */
  ask(question: Question, withinMs: number): Promise<unknown> {
    if (!this.#ready) return Promise.reject(new Error(`${this.name} is not ready`));
    this.#asked += 1;
    const id = this.#asked;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const late = (): void => {
      this.#askers.delete(id);
      reject(new Error(`${this.name} has not answered in ${withinMs} ms`));
    };
    this.#askers.set(id, { resolve, reject, timer: setTimeout(late, withinMs) });
    this.#send({ ...question, id });
    return promise;
  }

  /** @throws Error - not ready in time */
  async untilReady(withinMs: number): Promise<void> {
    if (!(await until(() => this.#ready, withinMs))) throw new Error(`${this.name} is not ready after ${withinMs} ms`);
  }

  /** @returns whether its process, the `starts`th, has ended within that time */
  untilEnded(starts: number, withinMs: number): Promise<boolean> {
    return until(() => this.#ends >= starts, withinMs);
  }

  /** @returns whether its log has these words within that time */
  untilSays(words: string, withinMs: number): Promise<boolean> {
    return until(() => readFileSync(this.#options.logFile, 'utf8').includes(words), withinMs);
  }

  async close(): Promise<void> {
    await this.stop('kill');
    await Promise.all([this.links.mongodb.close(), this.links.kafka.close()]);
    closeSync(this.#log);
  }

  #launch(): void {
    if (!this.#wanted || this.#child !== undefined) return;
    this.#starts += 1;
    this.#expected = false;
    const { module, nodeArgs, env } = this.#options;
    const child = fork(fileURLToPath(module), [], {
      execArgv: [...nodeArgs],
      env: env(this.#skewMs),
      stdio: ['ignore', this.#log, this.#log, 'ipc'],
    });
    this.#child = child;
    child.on('message', (message) => this.#hear(message as FromReplica));
    // What cannot be sent to it any more is told by its end.
    child.on('error', () => undefined);
    child.once('exit', (code, signal) => this.#ended(signal ?? `status ${code ?? 0}`));
  }

  #ended(how: string): void {
    const askers = this.#askers;
    this.#askers = new Map();
    [this.#child, this.#ready, this.#held] = [undefined, false, false];
    this.#ends += 1;
    for (const { reject, timer } of askers.values()) {
      clearTimeout(timer);
      reject(new Error(`${this.name} has ended`));
    }
    // SIGKILL comes from us alone, or from a failpoint that we have set.
    if (!this.#expected && how !== 'SIGKILL') this.#options.onCrash(`${this.name} ended by itself with ${how}`);
    if (this.#wanted) setTimeout(() => this.#launch(), this.#options.pauseMs()).unref();
  }

  #hear(message: FromReplica): void {
    if (message.is === 'ready') {
      this.#options.onHandlers(message.handlers);
      this.#ready = true;
    } else if (message.is === 'held') {
      this.#held = true;
    } else {
      const asker = this.#askers.get(message.id);
      this.#askers.delete(message.id);
      clearTimeout(asker?.timer);
      if (message.is === 'answer') asker?.resolve(message.value);
      else asker?.reject(new Error(message.error));
    }
  }

  #send(message: object): void {
    if (this.#child?.connected === true) this.#child.send(message, () => undefined);
  }
}
