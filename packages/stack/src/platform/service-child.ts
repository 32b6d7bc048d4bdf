import { existsSync } from 'node:fs';
import { Agent, get } from 'node:http';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import type { ChildSpec } from '../processes/child-spec.ts';
import { loopback } from '../processes/ports.ts';
import type { Secrets } from '../home/secrets.ts';
import { mongodbAddressFor } from '../servers/address.ts';
import { portSetting, type StackSettings } from '../settings.ts';
import { StackError } from '../stack-error.ts';
import { type ServerName, type ServiceDefinition, services } from '../topology.ts';

/** How the services are run: their TypeScript as it is, or what `npm run build` made of it. */
export type RunMode = 'source' | 'dist';

/**
 * The young generation, of which each service has one, by default of up to 48 MB: at half of that a service keeps a quarter
 * less memory under load, and answers as many requests.
 */
const youngGeneration = '--max-semi-space-size=8';

/** @returns the file that starts a service */
export function mainFile(checkout: string, name: string, mode: RunMode): string {
  const folder = path.join(checkout, 'services', name);
  return mode === 'source' ? path.join(folder, 'src', 'main.ts') : path.join(folder, 'dist', 'main.js');
}

/** @returns the services that this checkout has */
export function servicesOf(checkout: string, mode: RunMode): ServiceDefinition[] {
  return services.filter(({ name }) => existsSync(mainFile(checkout, name, mode)));
}

/** @returns the port of a service under these settings */
export function servicePort(settings: StackSettings, name: string, kind: 'PORT' | 'OPS_PORT' = 'PORT'): number {
  const setting = portSetting(name, kind);
  const port = settings.ports[setting];
  if (port === undefined) throw new StackError(`there is no setting ${setting}`);
  return port;
}

/** @returns the address of a service under these settings */
export function serviceUrl(settings: StackSettings, name: string): string {
  return `http://${loopback}:${servicePort(settings, name)}`;
}

/** @returns how a service is run */
export function serviceChild(
  service: ServiceDefinition,
  settings: StackSettings,
  servers: Readonly<Record<ServerName, string>>,
  secrets: Secrets,
  mode: RunMode,
): ChildSpec {
  const { name } = service;
  const port = servicePort(settings, name);
  const [sources, extension] = mode === 'source' ? ['src', 'ts'] : ['dist', 'js'];
  const preload = path.join(settings.checkout, 'packages', 'telemetry', sources, `preload.${extension}`);
  const args = [
    youngGeneration,
    ...(mode === 'source' ? ['--conditions=development'] : []),
    ...(existsSync(preload) ? ['--import', pathToFileURL(preload).href] : []),
    mainFile(settings.checkout, name, mode),
  ];
  return {
    name,
    kind: 'service',
    command: process.execPath,
    args,
    env: environment(service, settings, servers, secrets),
    cwd: path.join(settings.checkout, 'services', name),
    address: serviceUrl(settings, name),
    ports: [
      { port, setting: portSetting(name) },
      { port: servicePort(settings, name, 'OPS_PORT'), setting: portSetting(name, 'OPS_PORT') },
    ],
    probe: (signal) => answersReady(port, signal),
    readyTimeoutMs: 60_000,
    // A service drains within 10 s.
    stopTimeoutMs: 15_000,
  };
}

function environment(
  service: ServiceDefinition,
  settings: StackSettings,
  servers: Readonly<Record<ServerName, string>>,
  secrets: Secrets,
): NodeJS.ProcessEnv {
  const { name, database, holdsSecrets, holdsFieldKey } = service;
  const secret = (value: string): string | undefined => (holdsSecrets === true ? value : undefined);
  return {
    ...settings.env,
    NODE_COMPILE_CACHE: settings.compiled,
    HOST: loopback,
    PORT: String(servicePort(settings, name)),
    OPS_PORT: String(servicePort(settings, name, 'OPS_PORT')),
    // Without a database of its own it has no business with MongoDB at all.
    MONGODB_URL: database === undefined ? undefined : mongodbAddressFor(servers.mongodb, database),
    KAFKA_BROKERS: servers.kafka,
    REDIS_URL: servers.redis,
    ...Object.fromEntries(services.map((each) => [`${each.name.toUpperCase()}_URL`, serviceUrl(settings, each.name)])),
    JWKS_URL: `${serviceUrl(settings, 'auth')}/.well-known/jwks.json`,
    PUBLIC_URL: settings.publicUrl ?? serviceUrl(settings, 'gateway'),
    CAUSEWAY_ADMIN_EMAIL: secret(settings.adminEmail),
    CAUSEWAY_ADMIN_PASSWORD: secret(settings.adminPassword ?? secrets.adminPassword),
    CAUSEWAY_INTERNAL_KEY: settings.internalKey ?? secrets.internalKey,
    CAUSEWAY_MASTER_KEY: secret(settings.masterKey ?? secrets.masterKey),
    ...fieldKeyFor(holdsFieldKey === true, settings, secrets),
    SMTP_URL: secret(settings.smtpUrl ?? ''),
    // Without a mail server, mails stay where an administrator reads them.
    MAILBOX: secret(settings.smtpUrl === undefined ? 'true' : ''),
  };
}

/** Whoever gives a file of their own means that. */
function fieldKeyFor(holdsIt: boolean, settings: StackSettings, secrets: Secrets): NodeJS.ProcessEnv {
  if (!holdsIt) return { CAUSEWAY_FIELD_KEY: undefined, CAUSEWAY_FIELD_KEY_FILE: undefined };
  const { CAUSEWAY_FIELD_KEY_FILE: file = '' } = settings.env;
  return { CAUSEWAY_FIELD_KEY: file === '' ? (settings.fieldKey ?? secrets.fieldKey) : settings.fieldKey };
}

// An agent of its own: whatever proxy the environment names is not for the loopback interface.
const agent = new Agent({ keepAlive: false });

/** @throws Error unless `/readyz` answers 200 */
function answersReady(port: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = get({ host: loopback, port, path: '/readyz', agent, signal }, (response) => {
      response.resume();
      if (response.statusCode === 200) resolve();
      else reject(new Error(`/readyz answers ${response.statusCode ?? 'nothing'}`));
    });
    request.once('error', reject);
  });
}
