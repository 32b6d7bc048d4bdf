import type { EventEnvelope } from '@causeway/contracts';

import type { History, ServiceHistory, Violation } from './history.ts';

const phantom = (what: string): Violation => ({ check: 'no phantom', what });

/** The events of each subject, by rising sequence. */
export const bySubject = (events: readonly EventEnvelope[]): Map<string, EventEnvelope[]> => {
  const subjects = new Map<string, EventEnvelope[]>();
  for (const event of events) {
    const there = subjects.get(event.subject);
    if (there === undefined) subjects.set(event.subject, [event]);
    else there.push(event);
  }
  for (const each of subjects.values()) each.sort((a, b) => (a.sequence < b.sequence ? -1 : 1));
  return subjects;
};

/** Each revision has one event, and the document, or its tombstone, has got so far by exactly these. */
const checkRevisions = ({ service, log, documents }: ServiceHistory): Violation[] => {
  const violations: Violation[] = [];
  const documentOf = new Map(documents.map((each) => [each.event, each]));
  for (const [subject, events] of bySubject(log.map(({ event }) => event))) {
    for (const [index, { id, sequence }] of events.entries()) {
      const before = events[index - 1];
      if (before?.sequence === sequence)
        violations.push(phantom(`${subject} of ${service} has two events ${Number(sequence)}: ${before.id} and ${id}`));
    }
    const last = events.at(-1);
    if (last === undefined) continue;
    const document = documentOf.get(last.id);
    if (document?.revision === Number(last.sequence)) continue;
    violations.push(
      phantom(
        `no document of ${service} has got to the last event of ${subject}, ${last.id} (${Number(last.sequence)})`,
      ),
    );
  }
  return violations;
};

/** Nothing is in Kafka that is not in the log, as it is there. */
const checkPublished = ({ service, log, published }: ServiceHistory): Violation[] => {
  const logged = new Map(log.map(({ event }) => [event.id, event]));
  const told = new Set<string>();
  return published.flatMap(({ event }) => {
    const { id, subject, sequence } = event;
    const row = logged.get(id);
    if (told.has(id) || (row?.subject === subject && row.sequence === sequence)) return [];
    told.add(id);
    return [phantom(`event ${id} (${subject} ${Number(sequence)}) is in the topic of ${service}, and not in its log`)];
  });
};

/** No phantom: each event, in the log and in Kafka, has its committed revision, and each revision one event. */
export const checkPhantoms = ({ services }: History): Violation[] =>
  services.flatMap((each) => [...checkRevisions(each), ...checkPublished(each)]);
