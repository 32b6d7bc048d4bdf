// The service that makes a document of its own, with its event, of each change.
import { topicOf } from '@causeway/contracts';
import { createEvents, createKafka, draft, onEvent } from '@causeway/events';
import type { Events, RecordedCollection, RecordedDocument } from '@causeway/events';
import { createLogger } from '@causeway/telemetry';
import { MongoClient } from 'mongodb';
import { answerCalls } from './calls.ts';
import { clock, flowEvents, partitions, type EventTimes, type FlowWorld } from './flow-contracts.ts';

interface Copy extends RecordedDocument {
  readonly title: string;
}

let handled: [string, number][] = [];
let stop: (() => Promise<void>) | undefined;

async function open(world: FlowWorld): Promise<void> {
  const { changed, copied } = flowEvents(world);
  const logger = createLogger({ service: world.reader, level: 'fatal' });
  const client = new MongoClient(world.mongodb, { appName: world.reader, maxPoolSize: 100, monitorCommands: true });
  const brokers = world.kafka.split(',');
  const kafka = createKafka({ driver: 'platformatic', brokers, clientId: world.reader, logger });
  const eventOf = new Map<string, string>();
  const commits = new Map<number, string>();
  // The effect is there when its transaction is committed: nobody else knows the moment.
  client.on('commandStarted', ({ commandName, requestId, command }) => {
    if (commandName !== 'commitTransaction') return;
    const session = idOf((command as { readonly lsid: { readonly id: { toString(encoding: 'hex'): string } } }).lsid);
    const event = eventOf.get(session);
    if (event !== undefined) commits.set(requestId, event);
  });
  client.on('commandSucceeded', ({ requestId }) => {
    const event = commits.get(requestId);
    if (event === undefined) return;
    handled.push([event, clock()]);
    commits.delete(requestId);
  });
  const database = `bench-${world.reader}`;
  const own = { service: world.reader, client, database, kafka, partitions, logger };
  const handler = onEvent.transaction({
    name: 'copy',
    on: [changed],
    async handle({ id, data: { title, broken } }, { session, cause }) {
      if (broken) throw new Error('an item that cannot be copied');
      eventOf.set(idOf(session.id as never), id);
      await copies.create(cause, { _id: id, state: { title }, event: draft(copied, { title }) }, { session });
    },
  });
  const events: Events = createEvents({ ...own, handlers: [handler] });
  const copies: RecordedCollection<Copy> = events.collection<Copy>('copies', { thing: 'copy' });
  await events.start();
  stop = async () => {
    await events.stop();
    await kafka.deleteTopics([topicOf(world.reader)]);
    await kafka.close();
    await client.close();
  };
}

const idOf = ({ id }: { readonly id: { toString(encoding: 'hex'): string } }): string => id.toString('hex');

const api = {
  open,
  /** When the effects were there, since this was asked last. */
  times: (): EventTimes => {
    const times = handled;
    handled = [];
    return times;
  },
  end: () => stop?.(),
};

/** What the process can be asked. */
export type ReaderApi = typeof api;

answerCalls(api);
