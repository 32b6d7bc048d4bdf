import { homedir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { freePorts } from './processes/ports.ts';
import { StackError } from './stack-error.ts';
import { serverPorts, services, type ServerName } from './topology.ts';

/** Everything that the stack can be told, read once. */
export interface StackSettings {
  /** The checkout whose services are run. */
  readonly checkout: string;
  /** Where data, logs and secrets are kept. */
  readonly home: string;
  /** The cache of downloads, shared by all checkouts of a user. */
  readonly cache: string;
  /** Where Node keeps sources that it has stripped and compiled, for all checkouts: a third off a warm start. */
  readonly compiled: string;
  /** Port numbers by the name of their setting. */
  readonly ports: Readonly<Record<string, number>>;
  /** The addresses of servers that are there already. */
  readonly external: Readonly<Partial<Record<ServerName, string>>>;
  /** The address that people use, if it is not the gateway's own. */
  readonly publicUrl?: string;
  readonly adminEmail: string;
  readonly adminPassword?: string;
  readonly masterKey?: string;
  readonly internalKey?: string;
  readonly fieldKey?: string;
  readonly smtpUrl?: string;
  /** What the children inherit. */
  readonly env: Readonly<NodeJS.ProcessEnv>;
}

/** The variables that name servers which are there already. */
export const externalSettings: Readonly<Record<ServerName, string>> = {
  mongodb: 'MONGODB_URL',
  kafka: 'KAFKA_BROKERS',
  redis: 'REDIS_URL',
};

/** @returns the name of the setting for a port: `CAUSEWAY_PORT` for the gateway's, `CAUSEWAY_AUTH_OPS_PORT`, … */
export function portSetting(name: string, kind: 'PORT' | 'OPS_PORT' = 'PORT'): string {
  if (name === 'gateway' && kind === 'PORT') return 'CAUSEWAY_PORT';
  return `CAUSEWAY_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}_${kind}`;
}

const defaultPorts = Object.fromEntries<number>([
  ...services.map(({ name, port }) => [portSetting(name), port] as const),
  ...services.map(({ name, opsPort }) => [portSetting(name, 'OPS_PORT'), opsPort] as const),
  ...Object.entries(serverPorts).map(([name, port]) => [portSetting(name), port] as const),
]);

/**
 * @param checkout - the root of the checkout
 * @param env - usually the process's own environment
 * @param portOffset - added to every port that is not set by itself
 * @throws StackError that names every bad setting
 */
export function readSettings(checkout: string, env: NodeJS.ProcessEnv, portOffset = 0): StackSettings {
  const text = (name: string): string | undefined => (env[name] === '' ? undefined : env[name]);
  const faults: string[] = [];
  const ports = Object.fromEntries(
    Object.entries(defaultPorts).map(([name, standard]) => {
      const port = Number(text(name) ?? standard + portOffset);
      if (!Number.isInteger(port) || port < 1 || port > 65_535)
        faults.push(`${name} must be a port, not ${env[name] ?? port}`);
      return [name, port];
    }),
  );
  if (faults.length > 0) throw new StackError(faults.join('\n'));
  const cache = path.join(text('XDG_CACHE_HOME') ?? path.join(homedir(), '.cache'), 'causeway');
  const optional = <K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> =>
    value === undefined ? {} : ({ [key]: value } as Partial<Record<K, string>>);
  return {
    checkout,
    home: path.resolve(checkout, text('CAUSEWAY_HOME') ?? '.causeway'),
    cache,
    compiled: text('NODE_COMPILE_CACHE') ?? path.join(cache, 'compiled'),
    ports,
    external: {
      ...optional('mongodb', text('MONGODB_URL')),
      ...optional('kafka', text('KAFKA_BROKERS')),
      ...optional('redis', text('REDIS_URL')),
    },
    ...optional('publicUrl', text('PUBLIC_URL')),
    adminEmail: text('CAUSEWAY_ADMIN_EMAIL') ?? 'admin@causeway.local',
    ...optional('adminPassword', text('CAUSEWAY_ADMIN_PASSWORD')),
    ...optional('masterKey', text('CAUSEWAY_MASTER_KEY')),
    ...optional('internalKey', text('CAUSEWAY_INTERNAL_KEY')),
    ...optional('fieldKey', text('CAUSEWAY_FIELD_KEY')),
    ...optional('smtpUrl', text('SMTP_URL')),
    env,
  };
}

/** Settings for a throw-away platform: its own folder, ports that are free, no servers but its own. */
export async function throwAwaySettings(checkout: string, home: string): Promise<StackSettings> {
  const env = { ...process.env };
  for (const name of [...Object.values(externalSettings), ...Object.keys(defaultPorts), 'PUBLIC_URL', 'SMTP_URL'])
    env[name] = undefined;
  const names = Object.keys(defaultPorts);
  const free = await freePorts(names.length);
  const settings = readSettings(checkout, { ...env, CAUSEWAY_HOME: home });
  return { ...settings, ports: Object.fromEntries(names.map((name, index) => [name, free[index] ?? 0])) };
}
