import type { History, ServiceHistory, Violation } from './history.ts';

const wrong = (what: string): Violation => ({ check: 'effect once', what });

const checkService = ({ service, handlers, handled, journal }: ServiceHistory): Violation[] => {
  const violations: Violation[] = [];
  for (const { name, kind } of handlers) {
    if (kind === 'projection') continue;
    const times = new Map<string, number>();
    for (const { applied } of journal.filter((each) => each.handler === name)) {
      for (const { event } of applied) times.set(event, (times.get(event) ?? 0) + 1);
    }
    const done = new Set(
      handled.filter((each) => each.handler === name && each.status === 'done').map(({ event }) => event),
    );
    for (const event of done) {
      if (!times.has(event))
        violations.push(wrong(`${service}/${name} is done with ${event}, and has had no effect of it`));
    }
    // An external handler may be called again: the event's id is the key by which the other side knows that.
    if (kind === 'external') continue;
    for (const [event, count] of times) {
      if (count > 1) violations.push(wrong(`${service}/${name} has had the effect of ${event} ${count} times`));
      if (!done.has(event))
        violations.push(wrong(`${service}/${name} has had an effect of ${event}, and is not done with it`));
    }
  }
  return violations;
};

/** Effect once: the journal of a handler whose effects are transactions, one by one or in batches, has each event that it is done with exactly once, and no other. */
export const checkEffects = ({ services }: History): Violation[] => services.flatMap(checkService);
