import { serviceOf, services, topicOf, type EventEnvelope } from '@causeway/contracts';
import { createLogger } from '@causeway/telemetry';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';

import { followHandlers, retireHandler, type RegisteredHandler } from '../consumer/handler-registry.ts';
import { fromBinary } from '../envelope/binary-mode.ts';
import { createKafka } from '../kafka/create-kafka.ts';
import { KafkaError } from '../kafka/errors.ts';
import type { KafkaPort } from '../kafka/port.ts';
import { CliError } from './cli-error.ts';
import { paint, plain, table, type Output } from './output.ts';

const defaultBrokers = '127.0.0.1:9192';
/** A broker that has not answered by then does not. */
const patienceMs = 15_000;

const withKafka = async <T>(env: NodeJS.ProcessEnv, work: (kafka: KafkaPort) => Promise<T>): Promise<T> => {
  const brokers = (env.KAFKA_BROKERS ?? defaultBrokers).split(',');
  const logger = createLogger({ service: 'events-cli', level: 'silent' });
  const kafka = createKafka({ driver: 'platformatic', brokers, clientId: 'causeway-events-cli', logger });
  const away = () => new CliError(`Kafka does not answer at ${brokers.join(',')}: set KAFKA_BROKERS to where it is`);
  const { promise, reject } = Promise.withResolvers<never>();
  const late = setTimeout(() => reject(away()), patienceMs);
  try {
    // Whether there is a Kafka shows at its first answer.
    await Promise.race([kafka.partitionCount(topicOf('auth')), promise]);
    clearTimeout(late);
    return await work(kafka);
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
    throw error.retryable ? away() : new CliError(error.message);
  } finally {
    clearTimeout(late);
    await kafka.close();
  }
};

/** Every handler of every service. */
const registeredHandlers = async (kafka: KafkaPort): Promise<readonly RegisteredHandler[]> => {
  const registry = await followHandlers(kafka, () => undefined);
  const deadline = performance.now() + patienceMs;
  while (!registry.ready && performance.now() < deadline) await delay(20);
  const handlers = registry.all();
  await registry.close();
  return handlers;
};

/** `retire`: nobody waits any more for a handler that its service has given up. */
export const retire = (env: NodeJS.ProcessEnv, out: Output, name: string): Promise<number> =>
  withKafka(env, async (kafka) => {
    const handlers = await registeredHandlers(kafka);
    const found = handlers.find((each) => `${each.service}/${each.handler}` === name);
    if (found === undefined) {
      const names = handlers.map((each) => `${each.service}/${each.handler}`).sort();
      throw new CliError(`there is no handler ${name}; there are ${names.join(', ') || 'none'}`);
    }
    await retireHandler(kafka, found.service, found.handler);
    out.value(
      { ...found, status: 'retired' },
      () => `${name} is retired; if ${found.service} still has it, its next start says so`,
    );
    return 0;
  });

/** How far a service is behind a topic that it handles events of. */
interface Lag {
  readonly service: string;
  readonly topic: string;
  readonly handlers: readonly string[];
  readonly behind: number;
  readonly partitions: number;
}

const lagsOf = async (kafka: KafkaPort): Promise<Lag[]> => {
  const handlers = await registeredHandlers(kafka);
  const lags: Lag[] = [];
  for (const service of new Set(handlers.map((each) => each.service))) {
    const own = handlers.filter((each) => each.service === service);
    const topics = new Set(own.flatMap(({ types }) => types.map((type) => topicOf(serviceOf(type)))));
    for (const [topic, partitions] of await kafka.consumerLag(`causeway-${service}`, [...topics])) {
      const behind = [...partitions.values()].filter((each) => each > 0n);
      const names = own.filter(({ types }) => types.some((type) => topicOf(serviceOf(type)) === topic));
      lags.push({
        ...{ service, topic, handlers: names.map(({ handler }) => handler), partitions: behind.length },
        behind: Number(behind.reduce((sum, each) => sum + each, 0n)),
      });
    }
  }
  return lags;
};

/** `lag`: how far each service is behind what it handles. */
export const showLag = (env: NodeJS.ProcessEnv, out: Output): Promise<number> =>
  withKafka(env, async (kafka) => {
    const lags = await lagsOf(kafka);
    const head = ['service', 'topic', 'handlers', 'events behind', 'partitions behind'];
    const rows = lags.map(({ service, topic, handlers, behind, partitions }) => [
      ...[service, topic, handlers.join(', ')],
      ...[String(behind), String(partitions)],
    ]);
    if (out.json) for (const lag of lags) out.value(lag, () => '');
    else out.value(lags, () => (lags.length === 0 ? 'no service has registered a handler' : table([head, ...rows])));
    return 0;
  });

/** Which events are followed. */
export interface TailOptions {
  readonly service?: string | undefined;
  /** The beginning of their type. */
  readonly type?: string | undefined;
  readonly subject?: string | undefined;
  /** From so long ago on; milliseconds. */
  readonly sinceMs: number;
  /** Ends after so many. */
  readonly count?: number | undefined;
}

const lineOf = ({ time, type, subject, sequence, id, authid, authtype }: EventEnvelope): string =>
  [
    plain(time),
    paint('bold', type),
    plain(subject),
    paint('dim', `#${Number(sequence)} ${id} by ${authid ?? authtype}`),
  ].join('  ');

/** `tail`: events as they come, until it is ended. */
export const tail = (env: NodeJS.ProcessEnv, out: Output, options: TailOptions): Promise<number> => {
  const { service, type = '', subject, sinceMs, count = Infinity } = options;
  const followed = services.filter((each) => service === undefined || each === service);
  if (followed.length === 0) throw new CliError(`--service is one of ${services.join(', ')}`, 2);
  return withKafka(env, async (kafka) => {
    let shown = 0;
    const { promise: ended, resolve } = Promise.withResolvers<undefined>();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(undefined));
    const show = (event: EventEnvelope): void => {
      if (!event.type.startsWith(type) || (subject !== undefined && event.subject !== subject) || shown >= count)
        return;
      shown += 1;
      out.value(event, () => lineOf(event));
      if (shown >= count) resolve(undefined);
    };
    const from = { sinceMs: Date.now() - sinceMs };
    const readers = await Promise.all(
      followed.map((each) =>
        kafka.readAll(topicOf(each), {
          from,
          onRecord: ({ headers, value }) => {
            try {
              show(fromBinary(headers, value));
            } catch {
              out.note(`a record of ${topicOf(each)} is no event`);
            }
          },
          onCaughtUp: () => undefined,
        }),
      ),
    );
    await ended;
    await Promise.all(readers.map((reader) => reader.close()));
    return 0;
  });
};
