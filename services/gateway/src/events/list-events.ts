import { faults, services as serviceNames, type EventEnvelope } from '@causeway/contracts';

import { ServiceAway, type ServiceClient } from '../services/service-client.ts';
import type { AskOptions } from './find-event.ts';

/** What is asked for. */
export interface ListQuestion {
  readonly correlationId: string;
  /** The id of the event after which the page begins. */
  readonly after: string | undefined;
  readonly limit: number;
  /** What the caller may see: nothing else counts towards the page. */
  readonly visible: (event: EventEnvelope) => boolean;
}

/** A page of events. */
export interface EventPage {
  /** At most as many as were asked for. */
  readonly items: readonly EventEnvelope[];
  /** The id after which the next page begins; undefined at the end. */
  readonly next: string | undefined;
}

/** How often the services are asked for one page. Behind so many that are not shown it may be short, and is not the last. */
const mostRounds = 10;

const byId = (left: EventEnvelope, right: EventEnvelope): number => (left.id < right.id ? -1 : 1);

/** The first events after one, of all services; fewer than `most` are all that there are. */
const eventsAfter = async (
  client: ServiceClient,
  correlationId: string,
  after: string | undefined,
  most: number,
  options: AskOptions,
): Promise<EventEnvelope[]> => {
  const query = { correlationId, after, limit: String(most) };
  const answers = await Promise.all(
    serviceNames.map(async (service) => {
      const question = { method: 'GET', path: '/internal/events', query, ...options } as const;
      const { status, json } = await client.ask(service, question);
      if (status === 400) throw faults.invalidRequest({ message: `${service} refuses to list these events` });
      if (status !== 200) throw new ServiceAway(service, `answered ${status} for a list of events`);
      return (json as { readonly items: readonly EventEnvelope[] }).items;
    }),
  );
  return answers.flat().sort(byId).slice(0, most);
};

/**
 * The published events of one correlation id that the caller may see, of all services, in the order of their ids (UUIDv7: of
 * their time).
 *
 * @throws ServiceAway where a service did not answer: the list would have holes; Fault `invalid-request` where one refuses
 */
export const listEvents = async (
  client: ServiceClient,
  { correlationId, after, limit, visible }: ListQuestion,
  options: AskOptions,
): Promise<EventPage> => {
  const found: EventEnvelope[] = [];
  let from = after;
  for (let round = 0; round < mostRounds; round += 1) {
    const events = await eventsAfter(client, correlationId, from, limit + 1, options);
    found.push(...events.filter(visible));
    if (found.length > limit) return { items: found.slice(0, limit), next: found[limit - 1]?.id };
    if (events.length <= limit) return { items: found, next: undefined };
    from = events.at(-1)?.id;
  }
  return { items: found, next: from };
};
