import { handlersTopic } from '@causeway/contracts';
import type { Db } from 'mongodb';

import type { KafkaPort, KafkaReader } from '../kafka/port.ts';
import type { Handler } from './handler.ts';

/** A handler as the topic `causeway.handlers` tells of it. */
export interface RegisteredHandler {
  readonly service: string;
  readonly handler: string;
  readonly kind: Handler['kind'];
  readonly types: readonly string[];
  /** ISO 8601: it is answerable for events recorded from then on. */
  readonly since: string;
}

/** A row of `handlers`: since when a service has had a handler. */
interface HandlerRow {
  readonly _id: string;
  readonly since: Date;
  /** It began with the beginning, and so has to have handled whatever there is. */
  readonly from?: 'beginning';
}

/**
 * Tells everybody which events a service handles. A handler that is no longer declared stays registered: what it never did
 * is pending, until somebody retires it.
 */
export const publishHandlers = async (
  db: Db,
  kafka: KafkaPort,
  service: string,
  handlers: readonly Handler[],
  now: () => Date,
): Promise<void> => {
  if (handlers.length === 0) return;
  const rows = db.collection<HandlerRow>('handlers');
  const partitions = await kafka.partitionCount(handlersTopic);
  const records = [];
  for (const { name, kind, on, from } of handlers) {
    const begun = from === 'beginning' ? { since: new Date(0), from } : { since: now() };
    await rows.updateOne({ _id: name }, { $setOnInsert: begun }, { upsert: true });
    const row = await rows.findOne({ _id: name });
    const since = (row?.since ?? now()).toISOString();
    const entry: RegisteredHandler = { service, handler: name, kind, types: on.map(({ type }) => type), since };
    const key = `${service}/${name}`;
    // One partition holds them all: there are few, and a reader wants them whole.
    const partition = 0 % partitions;
    records.push({
      topic: handlersTopic,
      partition,
      key: Buffer.from(key),
      value: Buffer.from(JSON.stringify(entry)),
      headers: {},
    });
  }
  const producer = await kafka.producer();
  try {
    await producer.send(records);
  } finally {
    await producer.close();
  }
};

/** Every handler of every service, kept up to date from the topic. */
export interface HandlerRegistry {
  /** Whether everything that was registered before we started is known. */
  readonly ready: boolean;
  /** Every handler that is known. */
  all(): readonly RegisteredHandler[];
  /** The handlers that are answerable for an event. */
  handlersOf(event: { readonly type: string; readonly time: string }): readonly RegisteredHandler[];
  close(): Promise<void>;
}

/** Follows the topic of handlers. */
export const followHandlers = async (kafka: KafkaPort, onError: (error: Error) => void): Promise<HandlerRegistry> => {
  const known = new Map<string, RegisteredHandler>();
  let ready = false;
  const reader: KafkaReader = await kafka.readAll(handlersTopic, {
    from: 'beginning',
    onRecord({ key, value }) {
      if (key === null) return;
      if (value === null) known.delete(key.toString('utf8'));
      else known.set(key.toString('utf8'), JSON.parse(value.toString('utf8')) as RegisteredHandler);
    },
    onCaughtUp() {
      ready = true;
    },
    onError,
  });
  return {
    get ready() {
      return ready;
    },
    all: () => [...known.values()],
    handlersOf: ({ type, time }) =>
      [...known.values()].filter((each) => each.types.includes(type) && each.since <= time),
    close: () => reader.close(),
  };
};
