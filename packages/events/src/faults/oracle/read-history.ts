import { topicOf, type EventEnvelope } from '@causeway/contracts';
import type { Db, Document } from 'mongodb';

import type { HandledRow } from '../../consumer/inbox.ts';
import { fromBinary } from '../../envelope/binary-mode.ts';
import type { KafkaPort } from '../../kafka/port.ts';
import { eventLog, type LoggedEvent } from '../../log/event-log.ts';
import { beacons, plumbing } from '../../stream/change.ts';
import type { Fleet } from '../fleet.ts';
import { journalCollection, type JournalRow } from '../replica/journal.ts';
import type { EffectFacts } from '../replica/protocol.ts';
import { bySubject } from './check-phantoms.ts';
import type { SentCommand } from './commands.ts';
import type { History, KeptDocument, PublishedFact, ServiceHistory } from './history.ts';

/** Where a run is read from. */
export interface HistorySources {
  readonly fleet: Fleet;
  readonly db: (service: string) => Db;
  readonly kafka: KafkaPort;
  readonly commands: readonly SentCommand[];
}

const topicMs = 60_000;

/** The collections of a service whose documents may carry events. */
export const recordedCollections = async (db: Db): Promise<string[]> => {
  const own = new Set([...plumbing, beacons, journalCollection]);
  const all = await db.listCollections({ type: 'collection' }, { nameOnly: true }).toArray();
  return all.map(({ name }) => name).filter((name) => !own.has(name) && !name.startsWith('system.'));
};

const readDocuments = async (db: Db): Promise<KeptDocument[]> => {
  const kept: KeptDocument[] = [];
  for (const collection of await recordedCollections(db)) {
    const recorded = { revision: { $type: 'number' }, event: { $type: 'string' } };
    const documents = db.collection<Document & { _id: unknown }>(collection).find(recorded);
    for await (const { _id, revision, event } of documents.project({ revision: 1, event: 1 })) {
      kept.push({ collection, id: String(_id), revision: revision as number, event: event as string });
    }
  }
  return kept;
};

/** A topic from its beginning to where it ends now. */
const readTopic = async (
  kafka: KafkaPort,
  topic: string,
): Promise<{ published: PublishedFact[]; unreadable: string[] }> => {
  const published: PublishedFact[] = [];
  const unreadable: string[] = [];
  const caughtUp = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => caughtUp.reject(new Error(`${topic} was not read in ${topicMs} ms`)), topicMs);
  const reader = await kafka.readAll(topic, {
    from: 'beginning',
    onRecord({ partition, offset, headers, value }) {
      try {
        published.push({ partition, event: fromBinary(headers, value) });
      } catch {
        unreadable.push(`${topic}/${partition}/${offset}`);
      }
    },
    onCaughtUp: () => caughtUp.resolve(undefined),
  });
  try {
    await caughtUp.promise;
  } finally {
    clearTimeout(timer);
    await reader.close();
  }
  return { published, unreadable };
};

const readService = async (service: string, { fleet, db, kafka }: HistorySources): Promise<ServiceHistory> => {
  const own = db(service);
  const log = await own.collection<LoggedEvent>(eventLog).find().sort({ slot: 1, pos: 1 }).toArray();
  const handled = await own.collection<HandledRow>('handled').find().project<HandledRow>({ payload: 0 }).toArray();
  const journal = await own.collection<JournalRow>(journalCollection).find().toArray();
  return {
    service,
    handlers: fleet.handlersOf(service),
    documents: await readDocuments(own),
    log: log.map(({ slot, pos, at, event }) => ({ slot, pos, at: at.getTime(), event })),
    ...(await readTopic(kafka, topicOf(service))),
    handled: handled.map(({ _id, status, caused = [], at }) => ({ ..._id, status, caused, at: at.getTime() })),
    journal: journal.map(({ _id: { handler, source, subject }, applied }) => ({ handler, source, subject, applied })),
    projected: [],
  };
};

/** What projections have made of the last event that each subject has for them: an earlier one is then handled too. */
const readProjected = async (
  fleet: Fleet,
  { service, handlers }: ServiceHistory,
  events: readonly EventEnvelope[],
): Promise<EffectFacts[]> => {
  const projections = handlers.filter(({ kind }) => kind === 'projection');
  const asked = new Map<string, EventEnvelope>();
  for (const { types } of projections) {
    for (const own of bySubject(events.filter(({ type }) => types.includes(type))).values()) {
      const last = own.at(-1);
      if (last !== undefined) asked.set(last.id, last);
    }
  }
  const names = new Set(projections.map(({ name }) => name));
  const effects = asked.size === 0 ? [] : await fleet.effects(service, [...asked.values()]);
  return effects.filter(({ handler }) => names.has(handler));
};

/** Reads everything that is left of a run, as it is committed, past all of the services' own code but their projections. */
export const readHistory = async (sources: HistorySources): Promise<History> => {
  const services: ServiceHistory[] = [];
  for (const service of sources.fleet.services) services.push(await readService(service, sources));
  const events = services.flatMap(({ log }) => log.map(({ event }) => event));
  const whole: ServiceHistory[] = [];
  for (const each of services) whole.push({ ...each, projected: await readProjected(sources.fleet, each, events) });
  return { services: whole, commands: sources.commands };
};
