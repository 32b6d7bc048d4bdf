import { spawn } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { StackError, wordsOf } from '../stack-error.ts';
import { backoffMs, type Backoff } from './backoff.ts';
import type { ChildLog } from './child-log.ts';
import type { ChildSpec, ChildState, ChildStatus } from './child-spec.ts';
import { endProcess, signalGroup } from './end-process.ts';
import { identify, type ProcessIdentity } from './identity.ts';

export interface ChildLimits {
  readonly backoff: Backoff;
  /** How often in a row it may end or hang before it is given up: before it was ready once, and later. */
  readonly attemptsAtStart: number;
  readonly attemptsLater: number;
  /** Once ready for so long, earlier failures are forgotten. */
  readonly stableAfterMs: number;
}

export interface ChildEvents {
  readonly say: (text: string) => void;
  /** Called synchronously whenever process or state have changed. */
  readonly changed: () => void;
}

const probeEveryMs = 50;
const probeTimeoutMs = 5000;

/** One child: started, watched, started again with backoff when it ends by itself, and ended. */
export class SupervisedChild {
  readonly spec: ChildSpec;
  readonly #log: ChildLog;
  readonly #limits: ChildLimits;
  readonly #events: ChildEvents;
  #state: ChildState = 'stopped';
  #identity: ProcessIdentity | undefined;
  #restarts = 0;
  #wasReady = false;
  #stopping = new AbortController();
  #loop: Promise<void> = Promise.resolve();

  constructor(spec: ChildSpec, log: ChildLog, limits: ChildLimits, events: ChildEvents) {
    this.spec = spec;
    this.#log = log;
    this.#limits = limits;
    this.#events = events;
  }

  get identity(): ProcessIdentity | undefined {
    return this.#identity;
  }

  get log(): ChildLog {
    return this.#log;
  }

  status(): ChildStatus {
    const { name, kind, address } = this.spec;
    const pid = this.#identity === undefined ? {} : { pid: this.#identity.pid };
    return { name, kind, address, log: this.#log.file, state: this.#state, restarts: this.#restarts, ...pid };
  }

  /**
   * @returns when it is ready for the first time
   * @throws StackError when it is given up before; the signal's reason when it was stopped meanwhile
   */
  start(): Promise<void> {
    this.#stopping = new AbortController();
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    this.#loop = this.#run(() => resolve(undefined)).then(() => {
      const error = this.#stopping.signal.aborted
        ? new StackError(`${this.spec.name} was stopped while it started`)
        : new StackError(this.#lastWords());
      reject(error);
    }, reject);
    return promise;
  }

  /** Ends it for good: SIGTERM, then SIGKILL after its bound. Never throws. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    if (this.#identity !== undefined) {
      const outcome = await endProcess(this.#identity, this.spec.stopTimeoutMs);
      if (outcome === 'killed') {
        this.#events.say(`${this.spec.name} did not end within ${this.spec.stopTimeoutMs / 1000} s, and was killed`);
      }
    }
    await this.#loop;
    await this.spec.cleanUp?.();
    this.#become('stopped');
  }

  /** Sends a signal to the child and what it has started. */
  kill(signal: NodeJS.Signals): void {
    if (this.#identity !== undefined) signalGroup(this.#identity.pid, signal);
  }

  async #run(onReady: () => void): Promise<void> {
    const { signal } = this.#stopping;
    let failures = 0;
    this.#wasReady = false;
    const limitNow = (): number => (this.#wasReady ? this.#limits.attemptsLater : this.#limits.attemptsAtStart);
    for (;;) {
      const { reason, readyForMs } = await this.#live(() => {
        this.#wasReady = true;
        onReady();
      });
      if (signal.aborted) return;
      failures = readyForMs > this.#limits.stableAfterMs ? 1 : failures + 1;
      const limit = limitNow();
      if (failures >= limit) {
        this.#become('given-up');
        this.#events.say(
          `${this.spec.name} ${reason}, ${failures} times in a row, and is not started again.\n${this.#lastWords()}`,
        );
        return;
      }
      await this.#pause(reason, failures, limit, signal);
      if (this.#stopping.signal.aborted) return;
    }
  }

  async #pause(reason: string, failures: number, limit: number, signal: AbortSignal): Promise<void> {
    const delayMs = backoffMs(failures, this.#limits.backoff);
    this.#become('waiting');
    this.#events.say(
      `${this.spec.name} ${reason}; starting it again in ${(delayMs / 1000).toFixed(1)} s (${failures} of ${limit - 1}; log: ${this.#log.file})`,
    );
    await wait(delayMs, undefined, { signal }).catch(() => undefined);
    this.#restarts += 1;
  }

  /** One life of the process, from its start to its end. */
  async #live(onReady: () => void): Promise<{ reason: string; readyForMs: number }> {
    const { signal } = this.#stopping;
    try {
      await this.spec.prepare?.(signal);
    } catch (error) {
      return { reason: `could not be prepared: ${wordsOf(error)}`, readyForMs: 0 };
    }
    if (signal.aborted) return { reason: 'was stopped', readyForMs: 0 };
    let readyAt: number | undefined;
    let hung: string | undefined;
    const life = new AbortController();
    const ended = this.#spawn();
    const watching = this.#untilReady(AbortSignal.any([signal, life.signal])).then(
      (isReady) => {
        if (!isReady) return;
        readyAt = performance.now();
        this.#become('ready');
        onReady();
      },
      (error: unknown) => {
        hung = wordsOf(error);
        this.kill('SIGKILL');
      },
    );
    const reason = await ended;
    life.abort();
    await watching;
    return { reason: hung ?? reason, readyForMs: readyAt === undefined ? 0 : performance.now() - readyAt };
  }

  /** @returns when the process has ended, in words that say how */
  #spawn(): Promise<string> {
    const { command, args, cwd, env } = this.spec;
    this.#log.rotateIfLarge();
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', this.#log.fd, this.#log.fd], detached: true });
    this.#identity = child.pid === undefined ? undefined : identify(child.pid);
    this.#become('starting');
    return new Promise((resolve) => {
      child.once('error', (error) => resolve(`could not be started: ${wordsOf(error)}`));
      child.once('exit', (code, signal) => {
        // What it had started itself does not outlive it.
        if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
        this.#identity = undefined;
        this.#events.changed();
        resolve(signal === null ? `ended with status ${code ?? 'unknown'}` : `was ended by ${signal}`);
      });
    });
  }

  /**
   * @returns true when it is ready, false when it was stopped or ended before
   * @throws StackError when it is not ready in time
   */
  async #untilReady(signal: AbortSignal): Promise<boolean> {
    const until = performance.now() + this.spec.readyTimeoutMs;
    for (;;) {
      try {
        await this.spec.probe(AbortSignal.any([signal, AbortSignal.timeout(probeTimeoutMs)]));
        return !signal.aborted;
      } catch (error) {
        if (signal.aborted) return false;
        if (performance.now() >= until) {
          throw new StackError(`was not ready after ${this.spec.readyTimeoutMs / 1000} s (${wordsOf(error)})`);
        }
      }
      await wait(probeEveryMs, undefined, { signal }).catch(() => undefined);
    }
  }

  #become(state: ChildState): void {
    this.#state = state;
    this.#events.changed();
  }

  #lastWords(): string {
    return this.#log.lastLines(8).join('\n');
  }
}
