import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { identify, isAlive, type ProcessIdentity } from '../processes/identity.ts';
import type { Supervisor } from '../processes/supervisor.ts';
import type { Reporter } from '../report.ts';
import type { StackSettings } from '../settings.ts';
import { wordsOf } from '../stack-error.ts';
import { watchSources } from './dev-watch.ts';
import type { RunMode } from './service-child.ts';
import { startPlatform } from './start-platform.ts';
import { readyTable } from './table.ts';

export interface RunOptions {
  readonly settings: StackSettings;
  readonly reporter: Reporter;
  readonly serversOnly: boolean;
  readonly mode: RunMode;
  /** Start a service again when its sources change. */
  readonly watching: boolean;
}

const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const parentEveryMs = 1000;

/**
 * Starts the platform, and keeps it running until this process is told to stop, or the `npm` that started it has gone.
 *
 * @returns the exit status: 0 after an orderly stop, 1 when a child had to be given up
 */
export async function runCommand({ settings, reporter, serversOnly, mode, watching }: RunOptions): Promise<number> {
  const parent = process.env.npm_lifecycle_event === undefined ? undefined : identify(process.ppid);
  const stopping = untilStopped(parent, (text) => reporter.say(text));
  const platform = await startPlatform({
    settings,
    serversOnly,
    mode,
    reporter,
    parent,
    signal: stopping.signal,
  }).catch((error: unknown) => {
    if (stopping.signal.aborted) return undefined;
    throw error;
  });
  if (platform === undefined) return 0;
  reporter.say(readyTable(platform, settings));
  const watcher = watching ? restartOnChange(settings, platform, reporter) : undefined;
  stopping.whenForced(() => killAll(platform.supervisor));
  await stopping.promise;
  watcher?.close();
  const hasFallen = platform.supervisor.statuses().some(({ state }) => state === 'given-up');
  await platform.stop();
  reporter.say('everything has ended');
  return hasFallen ? 1 : 0;
}

interface Stopping {
  readonly promise: Promise<unknown>;
  readonly signal: AbortSignal;
  /** @param kill - what to do when somebody asks a second time */
  readonly whenForced: (kill: () => void) => void;
}

function untilStopped(parent: ProcessIdentity | undefined, say: (text: string) => void): Stopping {
  const controller = new AbortController();
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let force: () => void = () => undefined;
  const stop = (why: string): void => {
    if (controller.signal.aborted) return;
    say(`${why}: stopping everything`);
    controller.abort();
    resolve(undefined);
  };
  for (const signal of stopSignals) {
    process.on(signal, () => {
      // npm passes on the Ctrl-C that the terminal has already sent, so only a later one is meant.
      if (controller.signal.aborted && performance.now() - abortedAt > 1000) force();
      stop(signal);
    });
  }
  let abortedAt = 0;
  controller.signal.addEventListener('abort', () => (abortedAt = performance.now()));
  if (parent !== undefined) void watchParent(parent, controller.signal).then(() => stop('npm has gone'));
  return { promise, signal: controller.signal, whenForced: (kill) => (force = kill) };
}

async function watchParent(parent: ProcessIdentity, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && isAlive(parent)) await wait(parentEveryMs, undefined, { ref: false });
}

function killAll(supervisor: Supervisor): void {
  for (const { name } of supervisor.statuses()) supervisor.child(name).kill('SIGKILL');
}

function restartOnChange(
  settings: StackSettings,
  platform: { readonly supervisor: Supervisor; readonly services: Readonly<Record<string, string>> },
  reporter: Reporter,
): { close(): void } {
  const running = Object.keys(platform.services);
  const restart = async (name: string, file: string): Promise<void> => {
    const startedAt = performance.now();
    reporter.say(`${file} has changed: starting ${name} again`);
    try {
      await platform.supervisor.restart(name);
      reporter.say(`${name} is ready again after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
    } catch (error) {
      reporter.say(`${name} waits for the next change: ${wordsOf(error)}`);
    }
  };
  // One after the other: two restarts of one service must not cross.
  let queue = Promise.resolve();
  const watcher = watchSources(settings.checkout, running, (services, file) => {
    for (const name of services) queue = queue.then(() => restart(name, file));
  });
  // Not before it is so: a change that comes at these words is seen.
  reporter.say(`watching the sources of ${running.join(', ')}`);
  return watcher;
}
