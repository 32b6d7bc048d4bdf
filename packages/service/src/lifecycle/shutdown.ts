import process from 'node:process';
import { endLogger, type Logger } from '@causeway/telemetry';

/** What a shutdown is made of. */
export interface ShutdownOptions {
  readonly logger: Logger;
  /** For everything, the flush of telemetry included. */
  readonly timeoutMs: number;
  readonly flush: (timeoutMs: number) => Promise<void>;
}

interface Step {
  readonly name: string;
  readonly run: () => Promise<void> | void;
}

/** Part of the time that is kept for the last flush, so that the traces of a shutdown that hangs are sent too. */
const flushShare = 0.2;

/** Part of the time that requests have to finish: one whose client is slow takes nothing from what comes after it. */
const requestsShare = 0.4;

/** The end of a process: what is to be done, in order, within a bound. */
export class Shutdown {
  readonly #options: ShutdownOptions;
  readonly #draining = new AbortController();
  readonly #stops: Step[] = [];
  readonly #finishing: Step[] = [];
  #ending: Promise<void> | undefined;
  #current = 'nothing';

  constructor(options: ShutdownOptions) {
    this.#options = options;
  }

  /** Aborted as soon as the end begins. */
  get draining(): AbortSignal {
    return this.#draining.signal;
  }

  /** Registers something to be ended; the last that was started ends first. */
  onStop(name: string, run: () => Promise<void> | void): void {
    this.#stops.unshift({ name, run });
  }

  /**
   * Registers what waits for requests that have begun: before everything that they may need is ended.
   *
   * @param finish - takes how long it may wait; gives whether all were answered by then
   */
  finishRequests(finish: (withinMs: number) => Promise<boolean>): void {
    const { logger, timeoutMs } = this.#options;
    const withinMs = timeoutMs * requestsShare;
    const run = async (): Promise<void> => {
      if (!(await finish(withinMs))) logger.warn({ withinMs }, 'requests that took too long were cut off');
    };
    this.#finishing.push({ name: 'requests', run });
  }

  /** Ends the process on SIGTERM, SIGINT, and on what nobody caught. A second signal does not hurry it: the bound does. */
  listen(): void {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void this.#end(0, signal));
    process.on('uncaughtException', (error) => void this.fail(error, 'nobody caught this'));
    process.on('unhandledRejection', (error) => void this.fail(error, 'nobody handled this rejection'));
  }

  /**
   * Ends the process with exit code 1.
   *
   * @param error - why
   */
  async fail(error: unknown, message: string): Promise<void> {
    this.#options.logger.fatal({ error }, message);
    await this.#end(1, 'failure');
  }

  #end(code: number, why: string): Promise<void> {
    this.#ending ??= this.#run(code, why);
    return this.#ending;
  }

  async #run(code: number, why: string): Promise<void> {
    const { logger, timeoutMs, flush } = this.#options;
    const startedAt = performance.now();
    logger.info({ why }, 'stopping');
    this.#draining.abort(new Error('the service is stopping'));
    const inTime = await this.#steps(timeoutMs * (1 - flushShare));
    this.#current = 'telemetry';
    await flush(timeoutMs * flushShare * 0.9);
    const tookMs = Math.round(performance.now() - startedAt);
    if (inTime) logger.info({ tookMs }, 'stopped');
    await endLogger(logger, timeoutMs * flushShare * 0.1);
    process.exit(inTime ? code : 1);
  }

  /** @returns whether all steps ended in time */
  async #steps(timeoutMs: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(resolve, timeoutMs, false);
    const inTime = await Promise.race([this.#inOrder().then(() => true), promise]);
    clearTimeout(timer);
    if (!inTime) this.#options.logger.error({ hanging: this.#current, timeoutMs }, 'the shutdown takes too long');
    return inTime;
  }

  async #inOrder(): Promise<void> {
    for (const step of [...this.#finishing, ...this.#stops]) {
      this.#current = step.name;
      try {
        await step.run();
      } catch (error) {
        this.#options.logger.error({ error, step: step.name }, 'a step of the shutdown failed');
      }
    }
  }
}
