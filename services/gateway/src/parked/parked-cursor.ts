import { faults, services as serviceNames, type ServiceName } from '@causeway/contracts';
import { z } from 'zod';

import type { ParkedAfter } from './parked-services.ts';

/** The query of a list: its cursors are no other's. */
export interface ParkedScope {
  readonly service: ServiceName | undefined;
  readonly handler: string | undefined;
  readonly eventId: string | undefined;
}

/** As long as a service takes them. */
const part = z.string().max(500);

const shape = z.tuple([
  z.tuple([z.string(), z.string(), z.string()]),
  z.object({
    service: z.enum(serviceNames),
    handler: part,
    subject: part,
    sequence: part,
    eventId: part,
  }),
]);

const scopeOf = ({ service, handler, eventId }: ParkedScope): [string, string, string] => [
  service ?? '',
  handler ?? '',
  eventId ?? '',
];

/** @returns a cursor after a parked event. It is no secret: who may list, may see all of it. */
export const parkedCursor = (
  scope: ParkedScope,
  { service, handler, subject, sequence, eventId }: ParkedAfter,
): string =>
  Buffer.from(JSON.stringify([scopeOf(scope), { service, handler, subject, sequence, eventId }])).toString('base64url');

/** @throws Fault `invalid-request` where it is none of ours, or of another query */
export const parsedCursor = (scope: ParkedScope, cursor: string): ParkedAfter => {
  try {
    const [of, after] = shape.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    if (of.join('\n') === scopeOf(scope).join('\n')) return after;
  } catch {
    // Answered below.
  }
  const message = 'This is not a cursor of this query.';
  throw faults.invalidRequest({ errors: [{ parameter: 'cursor', code: 'invalid-cursor', message }] });
};
