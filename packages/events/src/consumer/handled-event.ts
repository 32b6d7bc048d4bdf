import { ContractViolation, checkRead, type Cause, type EventEnvelope } from '@causeway/contracts';

import type { Handler } from './handler.ts';

/** The cause of what a handler records: the event, and on whose behalf it happened. */
export const causeOf = (event: EventEnvelope): Cause => ({
  correlationId: event.correlationid,
  causationId: event.id,
  principal: { type: event.authtype, ...(event.authid === undefined ? {} : { id: event.authid }) },
});

/** The event as the handler's contract has it. Only what was parked may be of a type that the handler no longer takes. */
export const checked = (handler: Pick<Handler, 'name' | 'on'>, event: EventEnvelope): EventEnvelope => {
  const contract = handler.on.find(({ type }) => type === event.type);
  if (contract !== undefined) return checkRead(contract, event);
  throw new ContractViolation(event.type, [
    `${handler.name} takes no such events: deploy it with this type, then have the event handled again`,
  ]);
};
