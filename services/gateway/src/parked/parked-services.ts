import { Fault, services as serviceNames, type ServiceName } from '@causeway/contracts';
import { redriveFaults, replayFaults, type ParkedEvent } from '@causeway/events';

import type { AskOptions } from '../events/find-event.ts';
import { administration, type Administration } from '../services/administer.ts';
import { ServiceAway, type Question, type ServiceClient } from '../services/service-client.ts';

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
  readonly eventId: string | undefined;
  readonly after: ParkedAfter | undefined;
  readonly limit: number;
}

/** What was found. */
export interface ParkedFound {
  /** One more than asked for tells that there is more. */
  readonly items: readonly ParkedAt[];
  /** They gave no answer: what is parked there is not known. */
  readonly unavailable: readonly ServiceName[];
}

/** What one service has to say. */
type Told = readonly ParkedEvent[] | 'away' | { readonly knowsNot: string };

const { unknownHandler } = replayFaults;

/** What administrators do about parked events, in whichever service they are. */
export const parkedIn = (client: ServiceClient): Administration =>
  administration(client, { about: 'what is parked', known: { ...redriveFaults, unknownHandler } });

const tell = async (parked: Administration, service: ServiceName, question: Question): Promise<Told> => {
  try {
    const answer = await parked.ask(service, question);
    if (answer === undefined) return { knowsNot: 'It handles no events.' };
    return (answer as { readonly items: readonly ParkedEvent[] }).items;
  } catch (error) {
    if (error instanceof ServiceAway) return 'away';
    if (error instanceof Fault && error.code === unknownHandler.declaration.code)
      return { knowsNot: error.detail ?? 'It has no such handler.' };
    throw error;
  }
};

/**
 * The parked events of all services, service by service. One that is away keeps nobody from seeing what is parked in the others.
 *
 * @throws Fault `unknown-handler` where none of those that are asked knows the handler
 */
export const listParked = async (
  parked: Administration,
  { service, handler, eventId, after, limit }: ParkedQuestion,
  options: AskOptions,
): Promise<ParkedFound> => {
  const items: ParkedAt[] = [];
  const unavailable: ServiceName[] = [];
  const knowNot: string[] = [];
  const from = after === undefined ? 0 : serviceNames.indexOf(after.service);
  const asked = serviceNames.slice(from).filter((each) => service === undefined || service === each);
  for (const each of asked) {
    if (items.length > limit) break;
    const place = after?.service === each ? JSON.stringify({ ...after, service: undefined }) : undefined;
    const query = { handler, eventId, after: place, limit: String(limit + 1 - items.length) };
    const told = await tell(parked, each, { method: 'GET', path: '/internal/parked', query, ...options });
    if (told === 'away') unavailable.push(each);
    else if ('knowsNot' in told) knowNot.push(`${each}: ${told.knowsNot}`);
    else items.push(...told.map((item) => ({ service: each, ...item })));
  }
  if (handler !== undefined && after === undefined && knowNot.length === asked.length)
    throw unknownHandler({ detail: knowNot.join(' ') });
  return { items, unavailable };
};
