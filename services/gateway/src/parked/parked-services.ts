import { services as serviceNames, type ServiceName } from '@causeway/contracts';
import { redriveFaults, type ParkedEvent } from '@causeway/events';

import type { AskOptions } from '../events/find-event.ts';
import { administration, type Administration } from '../services/administer.ts';
import type { ServiceClient } from '../services/service-client.ts';

/** A parked event, and where. */
export type ParkedAt = ParkedEvent & { readonly service: ServiceName };

/** Where a page of parked events begins: after one of them. */
export interface ParkedAfter {
  readonly service: ServiceName;
  readonly handler: string;
  readonly subject: string;
  readonly sequence: string;
  readonly eventId: string;
}

/** What is listed. */
export interface ParkedQuestion {
  readonly service: ServiceName | undefined;
  readonly handler: string | undefined;
  readonly after: ParkedAfter | undefined;
  readonly limit: number;
}

/** What administrators do about parked events, in whichever service they are. */
export const parkedIn = (client: ServiceClient): Administration =>
  administration(client, { about: 'what is parked', known: redriveFaults });

/** The parked events of all services, service by service; one more than asked for tells that there is more. */
export const listParked = async (
  parked: Administration,
  { service, handler, after, limit }: ParkedQuestion,
  options: AskOptions,
): Promise<readonly ParkedAt[]> => {
  const found: ParkedAt[] = [];
  const from = after === undefined ? 0 : serviceNames.indexOf(after.service);
  for (const each of serviceNames.slice(from)) {
    if (service !== undefined && service !== each) continue;
    if (found.length > limit) break;
    const place = after?.service === each ? JSON.stringify({ ...after, service: undefined }) : undefined;
    const query = { handler, after: place, limit: String(limit + 1 - found.length) };
    const answer = await parked.ask(each, { method: 'GET', path: '/internal/parked', query, ...options });
    // A service without handlers has nothing to park.
    const { items } = (answer ?? { items: [] }) as { readonly items: readonly ParkedEvent[] };
    found.push(...items.map((item) => ({ service: each, ...item })));
  }
  return found;
};
