import { existsSync, mkdirSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { Admin } from '@platformatic/kafka';
import { writeWhole } from '../home/home.ts';
import type { ChildSpec, PortUse } from '../processes/child-spec.ts';
import { loopback } from '../processes/ports.ts';
import { runTool } from '../sources/run-tool.ts';
import { assertListens } from './address.ts';
import type { Program } from './launcher.ts';
import type { ServerPlace } from './server-place.ts';

const mebibyte = 1024 * 1024;

/** @returns the address of the embedded broker */
export function kafkaBrokers(port: number): string {
  return `${loopback}:${port}`;
}

export interface KafkaPlace extends ServerPlace {
  /** The port on which the broker talks to itself as controller. */
  readonly controllerPort: PortUse;
}

/** One Kafka node that is broker and controller (KRaft). */
export function kafkaChild(program: Program, place: KafkaPlace): ChildSpec {
  const { dir, port, controllerPort, env } = place;
  const launcher = program.launcherFor({ name: 'kafka', dir, ports: [port.port] });
  const [properties, logging] = [path.join(dir, 'server.properties'), path.join(dir, 'log4j2.properties')];
  return {
    name: 'kafka',
    kind: 'server',
    ...launcher.commandLine(['kafka.Kafka', properties]),
    env: { ...env, JAVA_TOOL_OPTIONS: `-Dlog4j2.configurationFile=file:${logging}` },
    cwd: dir,
    address: kafkaBrokers(port.port),
    ports: [port, controllerPort],
    prepare: async () => {
      writeWhole(properties, serverProperties(place, launcher.bind));
      writeWhole(logging, loggingProperties);
      if (existsSync(path.join(dir, 'files', 'meta.properties'))) return;
      mkdirSync(path.join(dir, 'files'), { recursive: true });
      const format = ['kafka.tools.StorageTool', 'format', '-t', clusterId(), '-c', properties];
      const { command, args } = launcher.commandLine(format);
      await runTool(command, args, { cwd: dir, env, timeoutMs: 60_000 });
    },
    probe: (signal) => answersMetadata(port.port, signal),
    readyTimeoutMs: 90_000,
    stopTimeoutMs: 20_000,
    ...(launcher.cleanUp === undefined ? {} : { cleanUp: launcher.cleanUp }),
  };
}

/** A UUID in the form that Kafka writes: 16 bytes in base64url, which must not look like an option. */
export function clusterId(): string {
  const id = randomBytes(16).toString('base64url');
  return id.startsWith('-') ? clusterId() : id;
}

function serverProperties({ dir, port, controllerPort }: KafkaPlace, bind: string): string {
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@${loopback}:${controllerPort.port}`,
    listeners: `PLAINTEXT://${bind}:${port.port},CONTROLLER://${loopback}:${controllerPort.port}`,
    'advertised.listeners': `PLAINTEXT://${loopback}:${port.port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': path.join(dir, 'files'),
    // Topics are made by the services, with the number of partitions and the limits that they rely on.
    'auto.create.topics.enable': false,
    // Room around the 4 MiB that a topic of ours allows for one message.
    'message.max.bytes': 8 * mebibyte,
    'replica.fetch.max.bytes': 8 * mebibyte,
    // There is one node, and nobody to wait for.
    'group.initial.rebalance.delay.ms': 0,
    // After a kill it takes itself for another broker until its own session is over: 7 s to be ready again, not 14.
    'broker.session.timeout.ms': 3000,
    'broker.heartbeat.interval.ms': 500,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 8,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 1,
    'log.cleaner.dedupe.buffer.size': 16 * mebibyte,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

const loggingProperties = `rootLogger.level=warn
rootLogger.appenderRef.console.ref=console
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{ISO8601} %p %c{1} %m%n
`;

async function answersMetadata(port: number, signal: AbortSignal): Promise<void> {
  await assertListens(port, signal);
  const admin = new Admin({
    clientId: 'causeway-stack',
    bootstrapBrokers: [kafkaBrokers(port)],
    retries: 0,
    connectTimeout: 2000,
    timeout: 4000,
  });
  try {
    const { brokers, controllerId } = await admin.metadata({ topics: [] });
    if (brokers.size === 0 || controllerId < 0) throw new Error('it has not registered itself yet');
  } finally {
    await admin.close();
  }
}
