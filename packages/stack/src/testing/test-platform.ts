import process from 'node:process';
import { homeAt } from '../home/home.ts';
import { secretsOf } from '../home/secrets.ts';
import { startPlatform as start } from '../platform/start-platform.ts';
import { servicePort } from '../platform/service-child.ts';
import { loopback } from '../processes/ports.ts';
import { type Reporter, silent } from '../report.ts';
import { readSettings, throwAwaySettings } from '../settings.ts';
import type { ServerName } from '../topology.ts';
import { testChild, type TestChild, testLimits } from './test-child.ts';
import { checkout } from './throw-away-servers.ts';

export interface TestPlatformOptions {
  /** The home: data, logs and secrets. It stays when the platform is stopped. */
  readonly dir: string;
  /** Ports that nobody uses, and servers of its own whatever the environment names. */
  readonly freePorts: boolean;
  /** Settings that the services get besides, by the names that they read. */
  readonly env?: Readonly<Record<string, string>>;
  /** The checkout whose services are run; this one by default. */
  readonly checkout?: string;
  /** Told what `npm start` would print; nobody by default. */
  readonly reporter?: Reporter;
}

/** A whole platform under test: the same supervisor as behind `npm start`, so a child that is killed comes back. */
export interface TestPlatform {
  /** The addresses of services and servers by name: `gateway`, `auth`, …, `mongodb`, `kafka`, `redis`; and where data gives its metrics, `data-ops`. */
  readonly urls: Readonly<Record<string, string>>;
  readonly services: Readonly<Record<string, TestChild & { readonly url: string }>>;
  readonly servers: Readonly<Record<ServerName, TestChild>>;
  readonly adminEmail: string;
  readonly adminPassword: string;
  readonly startedInMs: number;
  readonly memoryBytes: () => number;
  readonly stop: () => Promise<void>;
}

/**
 * Starts every service that the checkout has, and the servers they need.
 *
 * @throws StackError as `npm start` would say it
 */
export async function startPlatform(options: TestPlatformOptions): Promise<TestPlatform> {
  const { dir, freePorts, env = {}, reporter = silent } = options;
  const root = options.checkout ?? checkout;
  const base = freePorts
    ? await throwAwaySettings(root, dir)
    : readSettings(root, { ...process.env, CAUSEWAY_HOME: dir });
  const settings = { ...base, env: { ...base.env, ...env } };
  const platform = await start({ settings, serversOnly: false, mode: 'source', reporter, limits: testLimits });
  const child = (name: string): TestChild => testChild(platform.supervisor, name);
  // A getter is not copied by a spread, and the process behind it changes: hence the prototype.
  const service = (name: string, url: string) =>
    Object.create(child(name), { url: { value: url, enumerable: true } }) as TestChild & { readonly url: string };
  return {
    urls: {
      ...platform.servers,
      ...platform.services,
      'data-ops': `http://${loopback}:${servicePort(settings, 'data', 'OPS_PORT')}`,
    },
    services: Object.fromEntries(Object.entries(platform.services).map(([name, url]) => [name, service(name, url)])),
    servers: { mongodb: child('mongodb'), kafka: child('kafka'), redis: child('redis') },
    adminEmail: settings.adminEmail,
    adminPassword: settings.adminPassword ?? secretsOf(homeAt(dir)).adminPassword,
    startedInMs: platform.startedInMs,
    memoryBytes: platform.memoryBytes,
    stop: platform.stop,
  };
}
