import process from 'node:process';
import type { Fault } from '@causeway/contracts';
import {
  createLogger,
  runningTelemetry,
  startTelemetry,
  telemetryOptions,
  type Logger,
  type Telemetry,
} from '@causeway/telemetry';

import { createApp, type Interceptor } from '../http/app.ts';
import { healthRoutes } from '../http/health-routes.ts';
import { closeServer, createHttpServer, listen } from '../http/http-server.ts';
import { metricsRoute } from '../http/ops-routes.ts';
import type { Route } from '../http/route.ts';
import type { Identity } from '../identity/identity.ts';
import type { processSettings } from '../settings/base-settings.ts';
import { readSettings, SettingsError, type SettingsCheck } from '../settings/read-settings.ts';
import type { Setting, Settings, SettingValues } from '../settings/setting.ts';
import { readiness, type Readiness, type ReadinessCheck } from './health.ts';
import { Shutdown } from './shutdown.ts';

type ProcessValues = SettingValues<typeof processSettings> & { readonly port: number };

/** The least that a service is configured with: `processSettings`, and its own port. */
export type ServiceSettings = typeof processSettings & {
  readonly port: Extract<Setting, { type: 'port' }>;
} & Settings;

/** What a service's start is given. */
export interface StartContext<Rows extends ServiceSettings> {
  readonly settings: SettingValues<Rows>;
  readonly logger: Logger;
  /** Aborted when the service begins to shut down, or its start has failed. */
  readonly draining: AbortSignal;
  /**
   * Something to be ended when the service ends. Hooks run in reverse order, after the last request has been answered or
   * cut off; one that is registered is run even where a later step of the start fails.
   */
  readonly onStop: (name: string, stop: () => Promise<void> | void) => void;
  /**
   * Names what the start is about to wait for: until the service takes traffic, `/readyz` says which of it is not there. A test
   * that starts a service's parts by themselves has nobody to tell.
   */
  readonly awaits?: (checks: Readonly<Record<string, ReadinessCheck>>) => void;
}

/** What a service is, once it has connected. */
export interface ServiceParts {
  readonly routes: readonly Route[];
  readonly identity?: Identity;
  /** By the name of what is looked at: `/readyz` names those that fail. */
  readonly readiness?: Readonly<Record<string, ReadinessCheck>>;
  /** What the service takes traffic without, if it must: `/readyz` names it as degraded. */
  readonly helpful?: Readonly<Record<string, ReadinessCheck>>;
  readonly intercept?: Interceptor;
  readonly translateError?: (error: unknown) => Fault | undefined;
  /** Whether a second factor is set up for an account, for routes that ask for it then. */
  readonly hasSecondFactor?: (accountId: string) => Promise<boolean>;
}

/** A service's declaration. */
export interface ServiceDeclaration<Rows extends ServiceSettings> {
  readonly name: string;
  readonly settings: Rows;
  /** Of what no row can judge alone; told together with what is wrong with the rows. */
  readonly check?: SettingsCheck<Rows>;
  /** Whether callers come from outside: the gateway. */
  readonly edge?: boolean;
  /** Connects, then starts consumers, then gives what is to be served. */
  readonly start: (context: StartContext<Rows>) => Promise<ServiceParts>;
}

/** EX_CONFIG of sysexits.h: starting it again as it is cannot help. */
const badConfiguration = 78;

/** Whoever reads metrics or health at the very end has so long. */
const lastScrapeMs = 250;

const readOrExit = <Rows extends ServiceSettings>(declaration: ServiceDeclaration<Rows>): SettingValues<Rows> => {
  try {
    return readSettings(declaration.settings, process.env, declaration.check);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`${declaration.name}: ${error.message}\n`);
    process.exit(badConfiguration);
  }
};

const telemetryOf = (name: string, settings: ProcessValues, logger: Logger): Telemetry => {
  const running = runningTelemetry();
  if (running !== undefined) return running;
  if (settings.otlpEndpoint !== undefined) {
    logger.warn('started without --import @causeway/telemetry/preload: calls of MongoDB and Redis are not traced');
  }
  return startTelemetry({ ...telemetryOptions(), service: name, sampleRatio: settings.traceSampleRatio });
};

class ServiceProcess<Rows extends ServiceSettings> {
  readonly #declaration: ServiceDeclaration<Rows>;
  readonly #values: SettingValues<Rows>;
  readonly #settings: ProcessValues;
  readonly #logger: Logger;
  readonly #telemetry: Telemetry;
  readonly #shutdown: Shutdown;
  #parts: ServiceParts | undefined;
  /** What the start waits for. */
  #awaited: Readonly<Record<string, ReadinessCheck>> = {};

  constructor(declaration: ServiceDeclaration<Rows>) {
    this.#declaration = declaration;
    this.#values = readOrExit(declaration);
    // Every configuration holds these rows; the compiler cannot see it through the type parameter.
    this.#settings = this.#values;
    const { logLevel: level, logFormat: format } = this.#settings;
    this.#logger = createLogger({ service: declaration.name, level, format });
    this.#telemetry = telemetryOf(declaration.name, this.#settings, this.#logger);
    this.#shutdown = new Shutdown({
      logger: this.#logger,
      timeoutMs: this.#settings.shutdownTimeoutMs,
      flush: (timeoutMs) => this.#telemetry.shutdown(timeoutMs),
    });
  }

  async run(): Promise<void> {
    this.#shutdown.listen();
    const startedAt = performance.now();
    try {
      await this.#serveOperations();
      this.#parts = await this.#declaration.start({
        settings: this.#values,
        logger: this.#logger,
        draining: this.#shutdown.draining,
        onStop: (name, stop) => this.#shutdown.onStop(name, stop),
        awaits: (checks) => (this.#awaited = { ...this.#awaited, ...checks }),
      });
      // A signal that came meanwhile has ended what there was; nothing is opened after it.
      if (this.#shutdown.draining.aborted) return;
      const port = await this.#serveTraffic(this.#parts);
      const readyMs = Math.round(performance.now() - startedAt);
      this.#logger.info({ host: this.#settings.host, port, readyMs }, 'listening');
    } catch (error) {
      await this.#shutdown.fail(error, 'the service could not start');
    }
  }

  /** First of all, so that a service that waits for a database says so. */
  async #serveOperations(): Promise<void> {
    const { opsHost, opsPort } = this.#settings;
    const routes = [...healthRoutes(() => this.#ready()), metricsRoute(this.#telemetry)];
    await this.#serve(routes, {}, opsHost, opsPort, 'operations port');
  }

  #serveTraffic(parts: ServiceParts): Promise<number> {
    const { host, port } = this.#settings;
    const routes = [...parts.routes, ...healthRoutes(() => this.#ready())];
    return this.#serve(routes, parts, host, port, 'requests');
  }

  async #serve(
    routes: readonly Route[],
    parts: Partial<ServiceParts>,
    host: string,
    port: number,
    name: string,
  ): Promise<number> {
    const { publicUrl, internalKey } = this.#settings;
    const { name: service, edge = false } = this.#declaration;
    const { draining } = this.#shutdown;
    const logger = this.#logger;
    const app = createApp({ name: service, edge, publicUrl, internalKey, draining, logger, ...parts, routes });
    const server = createHttpServer({ listener: app, publicUrl });
    const listeningOn = await listen(server, port, host);
    if (name === 'requests') this.#shutdown.finishRequests((withinMs) => closeServer(server, withinMs));
    else this.#shutdown.onStop(name, () => closeServer(server, lastScrapeMs).then(() => undefined));
    return listeningOn;
  }

  async #ready(): Promise<Readiness> {
    if (this.#shutdown.draining.aborted) return { status: 'not-ready', notReady: ['draining'], degraded: [] };
    if (this.#parts === undefined) {
      const { notReady } = await readiness(this.#awaited);
      return { status: 'not-ready', notReady: ['starting', ...notReady], degraded: [] };
    }
    const { identity, readiness: checks = {}, helpful } = this.#parts;
    return readiness({ ...checks, ...(identity !== undefined && { identity: () => identity.ready() }) }, helpful);
  }
}

/**
 * Runs a service until it is told to stop: settings, telemetry, connections, consumers, then it listens. On SIGTERM or
 * SIGINT it is not ready any more, finishes the requests that have begun (those that take too long are cut off), runs the stop
 * hooks, flushes its telemetry and exits with 0; with 1 and the name of what hung when that takes longer than `SHUTDOWN_TIMEOUT`, or when anything was
 * thrown that nobody caught.
 *
 * @param declaration - name, settings, and what to start
 */
export const runService = <Rows extends ServiceSettings>(declaration: ServiceDeclaration<Rows>): Promise<void> =>
  new ServiceProcess(declaration).run();
