import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { freePorts } from '../processes/ports.ts';
import type { ChildSpec } from '../processes/child-spec.ts';
import { kafkaBrokers, kafkaChild } from '../servers/kafka-child.ts';
import { dockerAnswers, type Program } from '../servers/launcher.ts';
import { mongodbChild, mongodbUrl } from '../servers/mongodb-child.ts';
import { redisChild, redisUrl } from '../servers/redis-child.ts';
import { images } from '../sources/pins.ts';
import { StackError, wordsOf } from '../stack-error.ts';
import { type ServerName } from '../topology.ts';

const readyWithinMs = 120_000;

/** Servers in containers that Testcontainers starts and, whatever happens to this process, takes away again. */
export interface ContainerServers {
  readonly urls: Readonly<Record<ServerName, string>>;
  readonly stop: () => Promise<void>;
}

/**
 * @throws StackError when Docker does not answer: whoever asked for containers is not given something else
 */
export async function startContainers(): Promise<ContainerServers> {
  if (!dockerAnswers()) {
    throw new StackError(
      'CAUSEWAY_TEST_SERVERS=containers asks for Docker, and no Docker daemon answers here: start it, or unset the variable',
    );
  }
  const dir = await mkdtemp(path.join(tmpdir(), 'causeway-containers-'));
  const [mongodb = 0, kafka = 0, controller = 0, redis = 0] = await freePorts(4);
  const started: { stop(): Promise<unknown> }[] = [];
  const stop = async (): Promise<void> => {
    await Promise.allSettled(started.map((container) => container.stop()));
    await rm(dir, { recursive: true, force: true });
  };
  try {
    const use = (port: number) => ({ port, setting: '' });
    const place = (name: string, port: number) => ({ dir: path.join(dir, name), port: use(port), env: {} });
    const specs = [
      mongodbChild(inContainer, place('mongodb', mongodb)),
      kafkaChild(inContainer, { ...place('kafka', kafka), controllerPort: use(controller) }),
      redisChild(inContainer, place('redis', redis)),
    ];
    for (const spec of specs) started.push(await run(spec, path.join(dir, spec.name)));
    await Promise.all(specs.map(untilReady));
  } catch (error) {
    await stop();
    throw error;
  }
  return { urls: { mongodb: mongodbUrl(mongodb), kafka: kafkaBrokers(kafka), redis: redisUrl(redis) }, stop };
}

/** The same arguments as for a program of this machine; which command takes them is up to the image. */
const inContainer: Program = {
  version: '0',
  origin: 'Testcontainers',
  launcherFor: () => ({ bind: '0.0.0.0', commandLine: (args) => ({ command: '', args }) }),
};

const commands: Readonly<Record<string, (args: readonly string[]) => string[]>> = {
  mongodb: (args) => ['mongod', ...args],
  // Formatted inside, by the image's own script, before its broker is run.
  kafka: (args) => {
    const file = args.at(-1) ?? '';
    const format = `/opt/kafka/bin/kafka-storage.sh format --ignore-formatted -t "$(/opt/kafka/bin/kafka-storage.sh random-uuid)" -c ${file}`;
    return ['sh', '-c', `${format} && exec /opt/kafka/bin/kafka-server-start.sh ${file}`];
  },
  redis: (args) => ['redis-server', '--protected-mode', 'no', ...args],
};

async function run(spec: ChildSpec, dir: string): Promise<{ stop(): Promise<unknown> }> {
  // Loaded here alone: it is large, and most runs do without.
  const { GenericContainer } = await import('testcontainers');
  await mkdir(path.join(dir, 'files'), { recursive: true });
  if (spec.name === 'kafka') await writeFile(path.join(dir, 'files', 'meta.properties'), '');
  await spec.prepare?.(AbortSignal.timeout(readyWithinMs));
  if (spec.name === 'kafka') await rm(path.join(dir, 'files', 'meta.properties'));
  const ports = spec.ports.slice(0, 1).map(({ port }) => ({ container: port, host: port }));
  const user = process.getuid === undefined ? '0:0' : `${process.getuid()}:${process.getgid?.() ?? 0}`;
  return new GenericContainer(images[spec.name as ServerName])
    .withEntrypoint(['/usr/bin/env'])
    .withCommand(commands[spec.name]?.(spec.args) ?? [])
    .withUser(user)
    .withBindMounts([{ source: dir, target: dir, mode: 'rw' }])
    .withExposedPorts(...ports)
    .start();
}

async function untilReady(spec: ChildSpec): Promise<void> {
  const until = performance.now() + readyWithinMs;
  for (;;) {
    try {
      await spec.probe(AbortSignal.timeout(5000));
      return;
    } catch (error) {
      if (performance.now() > until) throw new StackError(`${spec.name} is not ready: ${wordsOf(error)}`);
    }
    await wait(100);
  }
}
