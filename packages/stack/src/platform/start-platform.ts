import process from 'node:process';
import { claimHome } from '../home/claim-home.ts';
import { createHome, homeAt, type Home } from '../home/home.ts';
import { secretsOf } from '../home/secrets.ts';
import type { ChildSpec } from '../processes/child-spec.ts';
import type { ProcessIdentity } from '../processes/identity.ts';
import { residentBytes } from '../processes/process-table.ts';
import { endStrays } from '../processes/strays.ts';
import type { ChildLimits } from '../processes/supervised-child.ts';
import { assertPortsFree, Supervisor } from '../processes/supervisor.ts';
import type { Reporter } from '../report.ts';
import { StackError } from '../stack-error.ts';
import type { StackSettings } from '../settings.ts';
import type { ServerName } from '../topology.ts';
import { findServers } from './server-children.ts';
import { type RunMode, serviceChild, servicesOf, serviceUrl } from './service-child.ts';

export interface PlatformOptions {
  readonly settings: StackSettings;
  /** Start MongoDB, Kafka and Redis, and no service. */
  readonly serversOnly: boolean;
  readonly mode: RunMode;
  readonly reporter: Reporter;
  /** How often what ends is started again; as `npm start` does where nothing is said. */
  readonly limits?: ChildLimits;
  /** The `npm` that started this process: when it has gone, so has the terminal. */
  readonly parent?: ProcessIdentity | undefined;
  /** Ends a start that is under way. */
  readonly signal?: AbortSignal;
}

/** A running platform. */
export interface Platform {
  readonly home: Home;
  readonly supervisor: Supervisor;
  /** The addresses of the servers, as a service is to be given them (MongoDB's without a database). */
  readonly servers: Readonly<Record<ServerName, string>>;
  /** The addresses of the services that were started, by name. */
  readonly services: Readonly<Record<string, string>>;
  /** From the beginning of the start until everything was ready, in milliseconds. */
  readonly startedInMs: number;
  /** The resident memory of all children and of this process, in bytes. */
  readonly memoryBytes: () => number;
  /** Ends everything in the reverse of its order, and gives the home free. */
  readonly stop: () => Promise<void>;
}

/**
 * Starts the servers, then the services, and keeps them running.
 *
 * @throws StackError when something cannot be had, a port is taken, or a child does not become ready; nothing is left then
 */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const startedAt = performance.now();
  const { settings, reporter, mode, signal } = options;
  const home = homeAt(settings.home);
  const present = options.serversOnly ? [] : servicesOf(settings.checkout, mode);
  createHome(home);
  const lock = await claimHome(home, addressOf(settings, present.length > 0), options.parent, (text) =>
    reporter.say(text),
  );
  const supervisor = new Supervisor(home, (text) => reporter.say(text), options.limits);
  const stop = async (): Promise<void> => {
    signal?.removeEventListener('abort', abort);
    await supervisor.stop();
    lock.release();
  };
  const abort = (): void => void supervisor.stop();
  try {
    await endStrays(home.children, (text) => reporter.say(text));
    const servers = await unlessAborted(findServers(settings, home, reporter), signal);
    const secrets = secretsOf(home);
    const children = present.map((service) => serviceChild(service, settings, servers.addresses, secrets, mode));
    await assertPortsFree([...servers.children, ...children]);
    signal?.throwIfAborted();
    signal?.addEventListener('abort', abort);
    const waves = [servers.children, ...inWaves(children, new Map(present.map(({ name, after }) => [name, after])))];
    for (const wave of waves.filter((each) => each.length > 0)) {
      reporter.say(`starting ${wave.map(({ name }) => name).join(', ')}`);
      await supervisor.start(wave);
      signal?.throwIfAborted();
    }
    const pids = (): number[] => supervisor.statuses().flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
    return {
      home,
      supervisor,
      servers: servers.addresses,
      services: Object.fromEntries(present.map(({ name }) => [name, serviceUrl(settings, name)])),
      startedInMs: performance.now() - startedAt,
      memoryBytes: () => [...pids(), process.pid].reduce((sum, pid) => sum + residentBytes(pid), 0),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A download is not waited for by somebody who has pressed Ctrl-C. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(new StackError('the start was broken off'));
  signal.addEventListener('abort', abort);
  return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', abort));
}

/** @returns children that may start beside each other, wave by wave; `after` names by child whom it waits for */
export function inWaves(
  children: readonly ChildSpec[],
  after: ReadonlyMap<string, readonly string[]>,
): readonly ChildSpec[][] {
  const waves: ChildSpec[][] = [];
  let waiting = [...children];
  while (waiting.length > 0) {
    const names = new Set(waiting.map(({ name }) => name));
    const wave = waiting.filter(({ name }) => !(after.get(name) ?? []).some((each) => names.has(each)));
    if (wave.length === 0) throw new Error(`these wait for each other: ${[...names].join(', ')}`);
    waves.push(wave);
    waiting = waiting.filter((child) => !wave.includes(child));
  }
  return waves;
}

function addressOf(settings: StackSettings, withServices: boolean): string {
  return withServices ? serviceUrl(settings, 'gateway') : `the servers only, logs in ${settings.home}/logs`;
}
