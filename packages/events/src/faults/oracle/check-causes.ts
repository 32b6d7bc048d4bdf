import type { EventEnvelope } from '@causeway/contracts';

import type { History, Violation } from './history.ts';

const broken = (what: string): Violation => ({ check: 'whole causes', what });

/** Whole causes: each event goes back, event by event, to a command that was sent, under one correlation id. */
export const checkCauses = ({ services, commands }: History): Violation[] => {
  const violations: Violation[] = [];
  const events = new Map<string, EventEnvelope>();
  for (const { log } of services) for (const { event } of log) events.set(event.id, event);
  const sent = new Set(commands.map(({ id }) => id));
  for (const { id, correlationid, causationid } of events.values()) {
    if (!sent.has(correlationid))
      violations.push(broken(`event ${id} goes back to ${correlationid}, which nobody has sent`));
    if (causationid === undefined) continue;
    const cause = events.get(causationid);
    if (cause === undefined) violations.push(broken(`event ${id} was caused by ${causationid}, which is in no log`));
    else if (cause.correlationid !== correlationid)
      violations.push(broken(`event ${id} and its cause ${causationid} have different correlation ids`));
  }
  for (const { id, outcome, events: own } of commands) {
    if (outcome !== 'acknowledged') continue;
    for (const event of own) {
      const found = events.get(event);
      if (found !== undefined && found.correlationid !== id)
        violations.push(broken(`event ${event} of the command ${id} has the correlation id ${found.correlationid}`));
    }
  }
  for (const { service, handled } of services) {
    for (const { handler, event, caused } of handled) {
      for (const effect of caused) {
        if (events.get(effect)?.causationid !== event)
          violations.push(broken(`${service}/${handler} has recorded ${effect} for ${event}, which is not its cause`));
      }
    }
  }
  return violations;
};
