import { handlersTopic } from '@causeway/contracts';
import type { Collection, Db } from 'mongodb';

import type { KafkaPort, KafkaReader, KafkaRecord } from '../kafka/port.ts';
import type { Handler } from './handler.ts';
import { readEntry, UnreadableHandler, type RegisteredHandler } from './registered-handler.ts';

export type { RegisteredHandler } from './registered-handler.ts';

/** A row of `handlers`: since when a service has had a handler. */
interface HandlerRow {
  readonly _id: string;
  readonly since: Date;
  /** It began with the beginning, and so has to have handled whatever there is. */
  readonly from?: 'beginning';
  /** Types that it has taken, each since when; absent in rows of before, whose types are as old as the handler. */
  readonly types?: readonly { readonly type: string; readonly since: Date }[];
}

/** Since when a handler has taken each of its types: one that was given to it later, since then. */
const noteTypes = async (rows: Collection<HandlerRow>, handler: Handler, at: Date): Promise<HandlerRow> => {
  const { name, on, from } = handler;
  const types = on.map(({ type }) => type);
  const since = from === 'beginning' ? new Date(0) : at;
  const fresh = { since, ...(from === 'beginning' ? { from } : {}), types: types.map((type) => ({ type, since })) };
  await rows.updateOne({ _id: name }, { $setOnInsert: fresh }, { upsert: true });
  const row = await rows.findOne({ _id: name });
  if (row === null) throw new Error(`the handler ${name} was registered, and is not there`);
  if (row.types === undefined) {
    // A row of before types were kept: they are as old as it is.
    const kept = types.map((type) => ({ type, since: row.since }));
    await rows.updateOne({ _id: name, types: { $exists: false } }, { $set: { types: kept } });
    return { ...row, types: kept };
  }
  const known = new Set(row.types.map(({ type }) => type));
  for (const type of types.filter((each) => !known.has(each))) {
    // Replicas that start together: one of them adds it.
    await rows.updateOne({ _id: name, 'types.type': { $ne: type } }, { $push: { types: { type, since: at } } });
  }
  return (await rows.findOne({ _id: name })) ?? row;
};

const entryOf = (service: string, { name, kind, on }: Handler, row: HandlerRow): RegisteredHandler => {
  const since = new Map(row.types?.map((each) => [each.type, each.since.toISOString()]));
  const types = on.map(({ type }) => type);
  const begun = row.since.toISOString();
  const later = Object.fromEntries(
    types.flatMap((type) => ((since.get(type) ?? begun) === begun ? [] : [[type, since.get(type)]])),
  );
  return {
    ...{ service, handler: name, kind, types, since: begun },
    ...(Object.keys(later).length === 0 ? {} : { later: later as Record<string, string> }),
  };
};

const recordOf = (service: string, handler: string, entry: RegisteredHandler | undefined): KafkaRecord => ({
  topic: handlersTopic,
  // One partition holds them all: there are few, and a reader wants them whole.
  partition: 0,
  key: Buffer.from(`${service}/${handler}`),
  value: entry === undefined ? null : Buffer.from(JSON.stringify(entry)),
  headers: {},
});

const send = async (kafka: KafkaPort, records: readonly KafkaRecord[]): Promise<void> => {
  const producer = await kafka.producer();
  try {
    await producer.send(records);
  } finally {
    await producer.close();
  }
};

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
  const records: KafkaRecord[] = [];
  for (const handler of handlers) {
    records.push(recordOf(service, handler.name, entryOf(service, handler, await noteTypes(rows, handler, now()))));
  }
  await send(kafka, records);
};

/**
 * Retires a handler that its service does not have any more: nobody waits for it. A service that still declares it says so again when
 * it is started the next time.
 */
export const retireHandler = (kafka: KafkaPort, service: string, handler: string): Promise<void> =>
  send(kafka, [recordOf(service, handler, undefined)]);

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

/**
 * Follows the topic of handlers. What there is no handler's entry is passed over: `onError` is told, with an {@link UnreadableHandler}.
 */
export const followHandlers = async (kafka: KafkaPort, onError: (error: Error) => void): Promise<HandlerRegistry> => {
  const known = new Map<string, RegisteredHandler>();
  let ready = false;
  const reader: KafkaReader = await kafka.readAll(handlersTopic, {
    from: 'beginning',
    onRecord({ key, value, partition, offset }) {
      if (key === null) return;
      const name = key.toString('utf8');
      if (value === null) {
        known.delete(name);
        return;
      }
      const entry = readEntry(name, value);
      // What was known of it stays: whoever wrote this is not its service.
      if (entry === undefined)
        onError(new UnreadableHandler(`${handlersTopic}/${partition}, offset ${offset}: no entry of a handler`));
      else known.set(name, entry);
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
      [...known.values()].filter(({ types, since, later }) => types.includes(type) && (later?.[type] ?? since) <= time),
    close: () => reader.close(),
  };
};
