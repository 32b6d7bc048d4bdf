import type { EventEnvelope } from '@causeway/contracts';

import type { HandlerFacts } from '../replica/protocol.ts';
import type { History, ServiceHistory, Violation } from './history.ts';

const lost = (what: string): Violation => ({ check: 'no loss', what });

const named = ({ id, subject, sequence }: EventEnvelope): string => `${id} (${subject} ${Number(sequence)})`;

const takes = ({ types }: HandlerFacts, { type }: EventEnvelope): boolean => types.includes(type);

/** Each acknowledged event, and each that a document bears, is in the log. */
const checkLogged = ({ services, commands }: History): Violation[] => {
  const violations: Violation[] = [];
  for (const { service, log, documents } of services) {
    const logged = new Set(log.map(({ event }) => event.id));
    for (const { id, outcome, events, ...command } of commands) {
      if (command.service !== service || outcome !== 'acknowledged') continue;
      for (const event of events) {
        if (!logged.has(event))
          violations.push(lost(`event ${event} of the acknowledged command ${id} is not in the log of ${service}`));
      }
    }
    for (const { collection, id, revision, event } of documents) {
      if (!logged.has(event))
        violations.push(
          lost(`event ${event} of ${service}/${collection}/${id}, revision ${revision}, is not in the log`),
        );
    }
  }
  return violations;
};

/** Each event of the log is in Kafka. */
const checkPublished = ({ services }: History): Violation[] =>
  services.flatMap(({ service, log, published }) => {
    const inKafka = new Set(published.map(({ event }) => event.id));
    return log.flatMap(({ event }) =>
      inKafka.has(event.id) ? [] : [lost(`event ${named(event)} of ${service} is not in Kafka`)],
    );
  });

/** Each event has come to its end at each handler: it is in the inbox, or the copy of a projection is as new. */
const checkHandled = (consumer: ServiceHistory, events: readonly EventEnvelope[]): Violation[] => {
  const violations: Violation[] = [];
  const status = new Map(consumer.handled.map((row) => [`${row.handler}/${row.event}`, row.status]));
  for (const handler of consumer.handlers.filter(({ kind }) => kind !== 'projection')) {
    for (const event of events.filter((each) => takes(handler, each))) {
      const found = status.get(`${handler.name}/${event.id}`);
      if (found === 'done' || found === 'discarded') continue;
      const says = found === undefined ? 'has not reached' : `is ${found} at`;
      violations.push(lost(`event ${named(event)} ${says} ${consumer.service}/${handler.name}`));
    }
  }
  for (const { handler, event, status: found } of consumer.projected) {
    if (found !== 'done') violations.push(lost(`event ${event} is ${found} at ${consumer.service}/${handler}`));
  }
  return violations;
};

/** Each place in Kafka that is no event is in the parking lot, or was taken out of it, of each service that reads it. */
const checkUnreadable = (consumer: ServiceHistory, services: readonly ServiceHistory[]): Violation[] => {
  const kept = new Set(consumer.handled.filter(({ handler }) => handler === '*').map(({ event }) => event));
  const sources = new Set(consumer.handlers.flatMap(({ types }) => types.map((type) => type.split('.')[0])));
  return services
    .filter(({ service }) => sources.has(service))
    .flatMap(({ unreadable }) => unreadable)
    .filter((place) => !kept.has(place))
    .map((place) => lost(`the record ${place}, which is no event, was not parked by ${consumer.service}`));
};

/**
 * No loss: each acknowledged command's event is in the log, in Kafka, and in the inbox of each handler that it is for; what was
 * parked has been handled since, or given up for a reason.
 */
export const checkLoss = (history: History): Violation[] => {
  const events = history.services.flatMap(({ log }) => log.map(({ event }) => event));
  return [
    ...checkLogged(history),
    ...checkPublished(history),
    ...history.services.flatMap((each) => checkHandled(each, events)),
    ...history.services.flatMap((each) => checkUnreadable(each, history.services)),
  ];
};
