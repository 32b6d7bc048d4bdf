import type { Cause, EventEnvelope } from '@causeway/contracts';
import { createLogger } from '@causeway/telemetry';
import { MongoClient } from 'mongodb';
import process from 'node:process';

import type { Handler } from '../../consumer/handler.ts';
import type { Events, EventsOptions } from '../../events.ts';
import { createKafka } from '../../kafka/create-kafka.ts';
import { isolatedKafka } from '../../testing/isolated-kafka.ts';
import { redirectConnections } from '../../testing/redirect-connections.ts';
import { armedFailpoint } from './armed-failpoint.ts';
import { journalCollection, observer } from './journal.ts';
import {
  settingsVariable,
  type CommandArgs,
  type EffectFacts,
  type FromReplica,
  type HandlerFacts,
  type Order,
  type Question,
  type ReplicaSettings,
  type ToReplica,
} from './protocol.ts';
import { redriveAll } from './redrive-all.ts';
import { shiftClock } from './shifted-clock.ts';

/** What the suite gives a replica of a service. */
export interface ReplicaContext {
  /** To be spread into the options of `createEvents`, as they are: connections, and the failpoints. */
  readonly options: Pick<
    EventsOptions,
    'service' | 'client' | 'database' | 'kafka' | 'logger' | 'leaseMs' | 'sweepMs' | 'failpoint'
  >;
  /** Every handler has to go through it: it makes them write down what they do, and fail where the suite wants it. */
  readonly observe: (handlers: readonly Handler[]) => readonly Handler[];
}

/**
 * Does what the workload asks for, as a route would.
 *
 * @returns the events that it has recorded; none where there was nothing to do
 * @throws whatever keeps it from knowing what became of the write
 */
export type ReplicaCommand = (cause: Cause, args: CommandArgs) => Promise<readonly EventEnvelope[]>;

/** A replica of a service, as its author makes it. */
export interface ReplicaParts {
  /** Not started yet. */
  readonly events: Events;
  readonly commands: Readonly<Record<string, ReplicaCommand>>;
}

/** As long as a service waits. */
const patienceMs = 5_000;

const readSettings = (): ReplicaSettings => {
  const given = process.env[settingsVariable];
  if (given === undefined) throw new Error(`${settingsVariable} is not set: runFaults starts replicas, nobody else`);
  return JSON.parse(given) as ReplicaSettings;
};

const factsOf = ({ name, kind, order, on }: Handler): HandlerFacts => ({
  name,
  kind,
  order,
  types: on.map(({ type }) => type),
});

/**
 * The whole body of a replica's module: `runFaults` starts it in a process of its own, tells it what to do, and kills it.
 *
 * @param create - makes the service's events and the commands of the workload
 */
export const serveReplica = async (
  create: (context: ReplicaContext) => ReplicaParts | Promise<ReplicaParts>,
): Promise<void> => {
  const settings = readSettings();
  const { service, driver, database, mongodbUrl, brokers, topicPrefix, leaseMs, sweepMs } = settings;
  for (const { from, to } of settings.redirects) redirectConnections(from, to);
  const setClock = shiftClock();
  setClock(settings.skewMs);
  let { poison } = settings;

  const tell = (message: FromReplica): void => void process.send?.(message);
  const armed = armedFailpoint((name) => tell({ is: 'held', failpoint: name }));
  const logger = createLogger({ service, level: 'warn' });
  const client = new MongoClient(mongodbUrl, {
    appName: `causeway-${service}`,
    serverSelectionTimeoutMS: patienceMs,
    waitQueueTimeoutMS: patienceMs,
    // As services do: a connection on which requests hang is then found out.
    serverMonitoringMode: 'poll',
    connectTimeoutMS: 2 * patienceMs,
  });
  const kafka = isolatedKafka(createKafka({ driver, brokers, clientId: service, logger }), topicPrefix);
  const db = client.db(database);
  const handlers: HandlerFacts[] = [];
  const observe = observer({ db, poison: () => poison });
  const { events, commands } = await create({
    options: { service, client, database, kafka, logger, leaseMs, sweepMs, failpoint: armed.failpoint },
    observe(own) {
      handlers.push(...own.map(factsOf));
      return observe(own);
    },
  });

  const run = async (name: string, args: CommandArgs, cause: Cause): Promise<readonly string[]> => {
    const command = commands[name];
    if (command === undefined) throw new Error(`${service} has no command ${name}`);
    return (await command(cause, args)).map(({ id }) => id);
  };

  const effects = async (asked: readonly EventEnvelope[]): Promise<EffectFacts[]> => {
    const found: EffectFacts[] = [];
    for (const event of asked) {
      for (const { handler, status } of await events.effectsOf(event)) found.push({ event: event.id, handler, status });
    }
    return found;
  };

  const answer = (question: Question): Promise<unknown> => {
    if (question.ask === 'run') return run(question.command, question.args, question.cause);
    if (question.ask === 'redrive') return redriveAll(events, question.cause);
    return effects(question.events);
  };

  const stop = async (): Promise<void> => {
    await events.stop();
    await kafka.close();
    await client.close();
    process.exit(0);
  };

  const obey = (order: Order): void => {
    if (order.do === 'arm') armed.arm(order.failpoint, order.action, order.after);
    else if (order.do === 'disarm') armed.disarm();
    else if (order.do === 'poison') ({ poison } = order);
    else if (order.do === 'clock') setClock(order.skewMs);
    else void stop();
  };

  process.on('message', (message: ToReplica) => {
    if ('do' in message) {
      obey(message);
      return;
    }
    const { id } = message;
    answer(message).then(
      (value) => tell({ is: 'answer', id, value }),
      (error: unknown) => tell({ is: 'failure', id, error: error instanceof Error ? error.message : String(error) }),
    );
  });
  // Nobody is left who would end it.
  process.on('disconnect', () => process.exit(0));

  await client.connect();
  // A collection that a transaction makes in passing is fought over by all that are first.
  await db.createCollection(journalCollection).catch(() => undefined);
  await events.start();
  tell({ is: 'ready', handlers });
};
