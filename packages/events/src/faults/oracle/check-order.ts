import type { EventEnvelope } from '@causeway/contracts';

import type { History, ServiceHistory, Violation } from './history.ts';

const disorder = (what: string): Violation => ({ check: 'order', what });

/** First occurrences of each subject rise by one, from 1. */
const checkFirsts = (events: readonly EventEnvelope[], where: string): Violation[] => {
  const violations: Violation[] = [];
  const seen = new Set<string>();
  const last = new Map<string, number>();
  for (const { id, subject, sequence } of events) {
    if (seen.has(id)) continue;
    seen.add(id);
    const [now, before] = [Number(sequence), last.get(subject) ?? 0];
    last.set(subject, now);
    if (now !== before + 1) violations.push(disorder(`${where}: ${subject} goes from ${before} to ${now} (${id})`));
  }
  return violations;
};

const checkLog = ({ service, log }: ServiceHistory): Violation[] => {
  const violations: Violation[] = [];
  const last = new Map<number, number>();
  for (const { slot, pos, event } of log) {
    const before = last.get(slot) ?? 0;
    last.set(slot, pos);
    if (pos !== before + 1)
      violations.push(disorder(`the log of ${service}: slot ${slot} goes from ${before} to ${pos} (${event.id})`));
  }
  return [
    ...violations,
    ...checkFirsts(
      log.map(({ event }) => event),
      `the log of ${service}`,
    ),
  ];
};

const checkTopic = ({ service, published }: ServiceHistory): Violation[] => {
  const place = new Map<string, number>();
  const strays: Violation[] = [];
  for (const { partition, event } of published) {
    const home = place.get(event.subject) ?? partition;
    place.set(event.subject, home);
    if (home !== partition)
      strays.push(disorder(`the topic of ${service}: ${event.subject} is in partitions ${home} and ${partition}`));
  }
  return [
    ...strays,
    ...checkFirsts(
      published.map(({ event }) => event),
      `the topic of ${service}`,
    ),
  ];
};

/** Effects of ordered handlers follow each subject's sequence. */
const checkEffects = ({ service, handlers, journal }: ServiceHistory): Violation[] => {
  const ordered = new Set(handlers.filter(({ order }) => order === 'ordered').map(({ name }) => name));
  return journal
    .filter(({ handler }) => ordered.has(handler))
    .flatMap(({ handler, source, subject, applied }) => {
      const violations: Violation[] = [];
      const seen = new Set<string>();
      let before = '';
      for (const { event, sequence } of applied) {
        if (seen.has(event)) continue;
        seen.add(event);
        if (sequence <= before)
          violations.push(
            disorder(
              `${service}/${handler}: ${source}/${subject} was handled at ${Number(sequence)} (${event}) after ${Number(before)}`,
            ),
          );
        before = sequence > before ? sequence : before;
      }
      return violations;
    });
};

/** Order: first occurrences of each subject rise by one, in the log and in Kafka, and effects follow them. */
export const checkOrder = ({ services }: History): Violation[] =>
  services.flatMap((each) => [...checkLog(each), ...checkTopic(each), ...checkEffects(each)]);
