import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Home } from '../home/home.ts';
import type { ChildSpec, PortUse } from '../processes/child-spec.ts';
import type { Reporter } from '../report.ts';
import { checkExternal } from '../servers/check-external.ts';
import { findKafka } from '../servers/find-kafka.ts';
import { findMongodb } from '../servers/find-mongodb.ts';
import { findRedis } from '../servers/find-redis.ts';
import { kafkaBrokers, kafkaChild } from '../servers/kafka-child.ts';
import type { Program } from '../servers/launcher.ts';
import { mongodbChild, mongodbUrl } from '../servers/mongodb-child.ts';
import { redisChild, redisUrl } from '../servers/redis-child.ts';
import { externalSettings, portSetting, type StackSettings } from '../settings.ts';
import { Cache } from '../sources/cache.ts';
import type { ServerName } from '../topology.ts';

/** The three servers: their addresses, and those of them that are to be started. */
export interface Servers {
  readonly addresses: Readonly<Record<ServerName, string>>;
  readonly children: readonly ChildSpec[];
}

interface Found {
  readonly address: string;
  readonly child?: ChildSpec;
}

/**
 * Finds each of the three servers: the one named in the environment, or else a program to run.
 *
 * @throws StackError when one named does not do, or there is none to be had
 */
export async function findServers(settings: StackSettings, home: Home, reporter: Reporter): Promise<Servers> {
  const cache = new Cache(settings.cache);
  const portUse = (name: string): PortUse => {
    const setting = portSetting(name);
    return { setting, port: settings.ports[setting] ?? 0 };
  };
  const env = serverEnvironment(settings.env);
  const find = async (
    server: ServerName,
    program: () => Promise<Program>,
    run: (found: Program, place: { dir: string; port: PortUse; env: NodeJS.ProcessEnv }) => ChildSpec,
    addressAt: (port: number) => string,
  ): Promise<Found> => {
    const external = settings.external[server];
    if (external !== undefined) {
      const version = await checkExternal(server, externalSettings[server], external);
      reporter.say(`${server}: ${externalSettings[server]}, version ${version}`);
      return { address: external };
    }
    const found = await program();
    reporter.say(`${server}: ${found.version}, ${found.origin}`);
    const dir = path.join(home.data, server);
    mkdirSync(dir, { recursive: true });
    const port = portUse(server);
    return { address: addressAt(port.port), child: run(found, { dir, port, env }) };
  };
  const controllerPort = portUse('kafkaController');
  const [mongodb, kafka, redis] = await Promise.all([
    find('mongodb', () => findMongodb(settings.env.PATH, cache, reporter), mongodbChild, mongodbUrl),
    find(
      'kafka',
      () => findKafka(settings.env, cache, reporter),
      (program, place) => kafkaChild(program, { ...place, controllerPort }),
      kafkaBrokers,
    ),
    find('redis', () => findRedis(settings.env.PATH, cache, reporter), redisChild, redisUrl),
  ]);
  return {
    addresses: { mongodb: mongodb.address, kafka: kafka.address, redis: redis.address },
    children: [mongodb, kafka, redis].flatMap(({ child }) => (child === undefined ? [] : [child])),
  };
}

/** Servers are given what programs need to run, and none of the secrets that may be in the environment. */
function serverEnvironment(env: Readonly<NodeJS.ProcessEnv>): NodeJS.ProcessEnv {
  const needed = /^(PATH|HOME|USER|LANG|LC_.*|TZ|TMPDIR|JAVA_HOME|LD_LIBRARY_PATH|DOCKER_.*|XDG_.*)$/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => needed.test(name)));
}
