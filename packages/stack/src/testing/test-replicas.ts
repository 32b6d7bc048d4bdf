import path from 'node:path';
import process from 'node:process';
import { homeAt } from '../home/home.ts';
import { secretsOf } from '../home/secrets.ts';
import { serviceChild } from '../platform/service-child.ts';
import { freePorts, loopback } from '../processes/ports.ts';
import { endStrays } from '../processes/strays.ts';
import { Supervisor } from '../processes/supervisor.ts';
import { portSetting, readSettings } from '../settings.ts';
import { services, type ServerName } from '../topology.ts';
import { testChild, type TestChild, testLimits } from './test-child.ts';
import { checkout } from './throw-away-servers.ts';

/** What replicas are started beside. */
export interface TestReplicasOptions {
  /** The home of a platform that is running: its secrets are theirs, and their logs lie beside its own. */
  readonly dir: string;
  /** Its addresses, by name. */
  readonly urls: Readonly<Record<string, string>>;
  /** Settings that they get besides. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A further gateway before a further data service, which share everything else with their platform. */
export interface TestReplicas {
  readonly gateway: TestChild & { readonly url: string };
  /** Besides, where it gives its metrics, and where the platform's own does. */
  readonly data: TestChild & { readonly opsUrl: string; readonly otherOpsUrl: string };
  readonly stop: () => Promise<void>;
}

const childrenOf = (dir: string): string => path.join(dir, 'replicas.json');

/** Starts them: one of each, once a home. Whoever may not come to stop them has {@link endReplicas} called. */
export async function startReplicas({ dir, urls, env = {} }: TestReplicasOptions): Promise<TestReplicas> {
  const [gatewayPort = 0, gatewayOps = 0, dataPort = 0, dataOps = 0] = await freePorts(4);
  const base = readSettings(checkout, { ...process.env, CAUSEWAY_HOME: dir });
  const settings = {
    ...base,
    publicUrl: urls.gateway ?? '',
    ports: {
      ...base.ports,
      ...Object.fromEntries(services.map(({ name }) => [portSetting(name), Number(new URL(urls[name] ?? '').port)])),
      [portSetting('gateway')]: gatewayPort,
      [portSetting('gateway', 'OPS_PORT')]: gatewayOps,
      [portSetting('data')]: dataPort,
      [portSetting('data', 'OPS_PORT')]: dataOps,
    },
    env: { ...base.env, ...env },
  };
  const home = { ...homeAt(dir), children: childrenOf(dir) };
  const servers = urls as Readonly<Record<ServerName, string>>;
  const supervisor = new Supervisor(home, () => undefined, testLimits);
  const start = async (of: string): Promise<TestChild> => {
    const service = services.find(({ name }) => name === of);
    if (service === undefined) throw new Error(`there is no service ${of}`);
    const name = `${of}-2`;
    await supervisor.start([{ ...serviceChild(service, settings, servers, secretsOf(home), 'source'), name }]);
    return testChild(supervisor, name);
  };
  try {
    const [data, gateway] = await Promise.all([start('data'), start('gateway')]);
    // A getter is not copied by a spread, and the process behind it changes: hence the prototype.
    const withAddress = <T extends object>(child: TestChild, address: T) =>
      Object.assign(Object.create(child) as TestChild, address);
    return {
      gateway: withAddress(gateway, { url: `http://${loopback}:${gatewayPort}` }),
      data: withAddress(data, { opsUrl: `http://${loopback}:${dataOps}`, otherOpsUrl: urls['data-ops'] ?? '' }),
      stop: () => supervisor.stop(),
    };
  } catch (error) {
    await supervisor.stop();
    throw error;
  }
}

/** Ends replicas beside a platform whose starter has gone without a word. */
export async function endReplicas(dir: string): Promise<void> {
  await endStrays(childrenOf(dir), () => undefined);
}
