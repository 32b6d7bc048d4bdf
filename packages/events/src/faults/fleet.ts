import type { EventEnvelope } from '@causeway/contracts';
import path from 'node:path';

import type { KafkaDriver } from '../kafka/port.ts';
import { linkProxy } from './link-proxy.ts';
import { ReplicaProcess, type ReplicaLinks } from './replica-process.ts';
import {
  settingsVariable,
  type EffectFacts,
  type HandlerFacts,
  type Poison,
  type ReplicaSettings,
} from './replica/protocol.ts';
import type { Random } from './seeded-random.ts';
import type { FaultServers } from './servers.ts';

/** A service under test. */
export interface FaultService {
  /** As `createEvents` knows it. */
  readonly name: string;
  /** A module whose body is `await serveReplica(…)`. */
  readonly replica: URL;
  /** How many run beside each other; default 2. */
  readonly replicas?: number;
}

/** All replicas of a run. */
export interface Fleet {
  readonly services: readonly string[];
  readonly replicas: readonly ReplicaProcess[];
  of(service: string): readonly ReplicaProcess[];
  /** What a service's handlers are, as its replicas have told. */
  handlersOf(service: string): readonly HandlerFacts[];
  /** Sets what handlers of a service fail at, in all its replicas, those to come included. */
  poison(service: string, poison: Poison | undefined): void;
  /** What has become of events at the handlers of a service. @throws Error - none of its replicas answers */
  effects(service: string, events: readonly EventEnvelope[]): Promise<readonly EffectFacts[]>;
  /** Replicas that ended although nobody had ended them, in words. */
  readonly crashes: readonly string[];
  /** Resolves when all are ready. */
  untilReady(withinMs: number): Promise<void>;
  close(): Promise<void>;
}

/** How {@link createFleet} is wired. */
export interface FleetOptions {
  readonly services: readonly FaultService[];
  readonly servers: FaultServers;
  readonly driver: KafkaDriver;
  readonly topicPrefix: string;
  readonly databaseOf: (service: string) => string;
  readonly leaseMs: number;
  readonly sweepMs: number;
  readonly random: Random;
  /** What replicas say goes to a file each. */
  readonly logDir: string;
  /** Arguments of Node, before the module's name. */
  readonly nodeArgs: readonly string[];
  readonly env: Readonly<NodeJS.ProcessEnv>;
}

const effectsMs = 30_000;

/** At most; so long a killed process is away. */
const restartMs = 500;

const addressOf = (url: string): { host: string; port: number } => {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
};

/** Starts the replicas of all services, each in a process of its own, and starts again those that end. */
export const createFleet = async (options: FleetOptions): Promise<Fleet> => {
  const { servers, driver, topicPrefix, leaseMs, sweepMs, random } = options;
  const addresses = { mongodb: addressOf(servers.mongodb.url), kafka: addressOf(`tcp://${servers.kafka.broker}`) };
  const handlers = new Map<string, readonly HandlerFacts[]>();
  const poisons = new Map<string, Poison>();
  const crashes: string[] = [];
  const replicas: ReplicaProcess[] = [];

  const settingsOf = (service: string, links: ReplicaLinks, skewMs: number): ReplicaSettings => ({
    ...{ service, driver, topicPrefix, leaseMs, sweepMs, skewMs },
    mongodbUrl: servers.mongodb.url,
    database: options.databaseOf(service),
    brokers: [servers.kafka.broker],
    redirects: [
      { from: addresses.mongodb.port, to: links.mongodb.port },
      { from: addresses.kafka.port, to: links.kafka.port },
    ],
    poison: poisons.get(service),
  });

  const add = async ({ name: service, replica: module }: FaultService, index: number): Promise<void> => {
    const name = `${service}-${index + 1}`;
    const links = {
      mongodb: await linkProxy(addresses.mongodb.host, addresses.mongodb.port),
      kafka: await linkProxy(addresses.kafka.host, addresses.kafka.port),
    };
    const replica = new ReplicaProcess({
      ...{ service, name, module, links, nodeArgs: options.nodeArgs },
      env: (skewMs) => ({
        ...options.env,
        [settingsVariable]: JSON.stringify(settingsOf(service, links, skewMs)),
      }),
      logFile: path.join(options.logDir, `${name}.log`),
      pauseMs: () => random.below(restartMs),
      onHandlers: (told) => void handlers.set(service, told),
      onCrash: (what) => void crashes.push(what),
    });
    replicas.push(replica);
    replica.start();
  };

  for (const service of options.services) {
    for (let index = 0; index < (service.replicas ?? 2); index += 1) await add(service, index);
  }
  const of = (service: string): ReplicaProcess[] => replicas.filter((each) => each.service === service);

  return {
    services: options.services.map(({ name }) => name),
    replicas,
    of,
    crashes,
    handlersOf: (service) => handlers.get(service) ?? [],
    poison(service, poison) {
      if (poison === undefined) poisons.delete(service);
      else poisons.set(service, poison);
      for (const each of of(service)) each.tell({ do: 'poison', poison });
    },
    async effects(service, events) {
      const asked = of(service).find(({ ready }) => ready);
      if (asked === undefined) throw new Error(`no replica of ${service} is ready`);
      return (await asked.ask({ ask: 'effects', events }, effectsMs)) as readonly EffectFacts[];
    },
    async untilReady(withinMs) {
      await Promise.all(replicas.map((each) => each.untilReady(withinMs)));
    },
    async close() {
      await Promise.all(replicas.map((each) => each.close()));
    },
  };
};
