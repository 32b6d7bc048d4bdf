import { checkRecorded, newEventId, schemaUrn, toSequence, type Cause } from '@causeway/contracts';
import { currentTraceContext } from '@causeway/telemetry';

import { groupAttributes, type EventGroup } from './event-group.ts';
import { checkEventSize } from './limits.ts';
import type { EventDraft, OutboxEvent } from './recorded-document.ts';

/** What the write adds to a draft. */
export interface EventPlace {
  /** The recording service: `auth`. */
  readonly service: string;
  readonly thing: string;
  readonly id: string;
  readonly revision: number;
  readonly at: Date;
  /** Where it is recorded together with others. */
  readonly group?: EventGroup | undefined;
}

/**
 * Makes the event of one write.
 *
 * @throws ContractViolation - the data does not keep to the contract: a fault in the caller, nothing is written
 * @throws `payload-too-large`
 */
export const buildEvent = (cause: Cause, { contract, data, beside }: EventDraft, place: EventPlace): OutboxEvent => {
  if (contract.thing !== place.thing) {
    throw new TypeError(`${contract.type} is about a ${contract.thing}, but was recorded on a ${place.thing}`);
  }
  const { principal } = cause;
  const event: OutboxEvent = {
    specversion: '1.0',
    id: newEventId(),
    type: contract.type,
    source: `/causeway/${place.service}`,
    subject: `${place.thing}/${place.id}`,
    sequence: toSequence(place.revision),
    time: place.at.toISOString(),
    datacontenttype: 'application/json',
    dataschema: schemaUrn(contract),
    correlationid: cause.correlationId,
    ...(cause.causationId === undefined ? {} : { causationid: cause.causationId }),
    ...currentTraceContext(),
    authtype: principal.type,
    ...(principal.id === undefined ? {} : { authid: principal.id }),
    ...groupAttributes(place.group),
    data: checkRecorded(contract, data),
    ...(beside === undefined ? {} : { beside }),
  };
  checkEventSize(event);
  return event;
};
